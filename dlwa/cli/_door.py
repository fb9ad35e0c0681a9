"""The one door errors leave by: a message, a hint and an exit code; tracebacks go to a log."""

import errno
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dlwa.cli import _route, output
from dlwa.errors import DlwaError, ExitCode


def run(argv: list[str]) -> int:
    """Run one command line and return its exit code; every failure is told here."""
    try:
        code = _run_typer(argv)
        sys.stdout.flush()
    except DlwaError as error:
        output.error(error.message, error.hint, error.exit_code, type(error).__name__)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        # the reader (head, less) has gone; nothing is left to say, also not at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.FAILED)
    except SystemExit as request:
        return request.code if isinstance(request.code, int) else int(bool(request.code))
    except Exception as error:  # the door of the program: everything else has passed by here
        return _told(error)
    if output.json_mode() and not output.answered():
        output.answer({"ok": code == 0})
    return code


def _run_typer(argv: list[str]) -> int:
    far = _route.far_lab(argv)
    if far is not None:
        from dlwa.cli import _remote  # brings SSH

        return _remote.run(*far)
    from dlwa.cli._root import build  # typer takes 60 ms, --version does without

    result = build().main(args=argv, prog_name="dlwa", standalone_mode=False)
    return result if isinstance(result, int) else 0


def _interrupted() -> int:
    """Who pressed Ctrl-C knows it; a program that reads JSON is told."""
    output.break_off()
    if output.json_mode():
        output.error("interrupted", exit_code=ExitCode.INTERRUPTED, kind="Abort")
    return int(ExitCode.INTERRUPTED)


def _told(error: Exception) -> int:
    usage = getattr(error, "format_message", None)
    if usage is not None:
        return _tell_usage(error, usage())
    if type(error).__name__ == "Abort":
        return _interrupted()
    refused = isinstance(error, OSError) and _refused_by_system(error)
    if refused:
        output.error(*refused)
        return int(refused[2])
    place = _log_bug(error)
    message = f"a bug in dlwa: {type(error).__name__}: {error}"
    output.error(message, f"the traceback is in {place}", ExitCode.FAILED, "Bug")
    return int(ExitCode.FAILED)


def _refused_by_system(error: OSError) -> tuple[str, str, ExitCode, str] | None:
    """Message, hint, exit code and kind for what the system refuses and no code can help."""
    path = error.filename2 or error.filename
    where = f"{path}: " if isinstance(path, str) else ""
    if isinstance(error, PermissionError) and where:
        text = f"{where}this login may not do that ({error.strerror})"
        return text, f"{output.LAUNCHER} doctor write sharing", ExitCode.ACCESS, "AccessError"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        text = f"{where}{error.strerror}"
        return text, f"{output.LAUNCHER} doctor disk", ExitCode.FAILED, "DlwaError"
    return None


def _tell_usage(error: Any, message: str) -> int:
    code = int(getattr(error, "exit_code", ExitCode.USAGE))
    if type(error).__name__ == "NoArgsIsHelpError":
        output.say(message)
        return code
    context = getattr(error, "ctx", None)
    _, *words = (context.command_path if context else "dlwa").split()
    page = " ".join([output.LAUNCHER, *words, "--help"])
    if _may_be_anothers(error, context):
        page = (
            f"a flag of the program it starts comes after --, as in: -- --gin_param=...   ({page})"
        )
    output.error(message.rstrip("."), page, code, "UsageError")
    return code


def _may_be_anothers(error: Any, context: Any) -> bool:
    """Whether an option unlike any of ours was given to a command that passes flags on."""
    if type(error).__name__ != "NoSuchOption" or getattr(error, "possibilities", None):
        return False
    return any(str(one.metavar).startswith("-- ") for one in context.command.params)


def _log_bug(error: Exception) -> Path:
    """Write the traceback into the workspace's logs, or where there is none into temp."""
    import traceback

    name = f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    story = f"argv: {sys.argv}\n\n" + "".join(traceback.format_exception(error))
    for folder in (_logs_folder, lambda: Path(tempfile.gettempdir())):
        try:
            place = folder() / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(story, encoding="utf-8")
        except Exception:  # a bug must be told even if what finds the folder is what broke
            continue
        return place
    sys.stderr.write(story)
    return Path("(printed above)")


def _logs_folder() -> Path:
    from dlwa.cli import options

    return options.settings().workspace.state / "logs"
