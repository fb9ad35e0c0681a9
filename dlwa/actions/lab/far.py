"""What is typed into a lab's shell: the same dlwa, in the lab's workspace, as the same person.

The versions are compared there, by the shell, before anything runs: that costs no round trip.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dlwa.errors import AccessError, DlwaError, NotFoundError
from dlwa.hosts.base import Completed
from dlwa.labs import LOCAL, Lab
from dlwa.shell import join, quote
from dlwa.version import __version__
from dlwa.words import printable

if TYPE_CHECKING:
    from dlwa.hosts.ssh import LabConnection

REFUSED = 90
CANNOT_START = (126, 127)
_SAYS = "dlwa-lab:"
_BEGINS = f"{_SAYS}begins"
VERSION_OF = r"""sed -n 's/^__version__ = "\(.*\)"$/\1/p' dlwa/version.py"""


def command_line(lab: Lab, words: Sequence[str], owner: str, env: Mapping[str, str]) -> str:
    """The line that runs `dlwa WORDS` in a lab; `owner` is who we are, if that is known."""
    pairs = {**env, "DLWA_LAB": LOCAL}
    if owner:
        pairs["DLWA_OWNER"] = owner
    exports = "; ".join(f"export {name}={quote(value)}" for name, value in pairs.items())
    # the empty line ends what a login script may have left without an end
    return shell_line(
        f'{_enter(lab)}; {_same_version()}; {exports}; export DLWA_ROOT="$PWD"; [ -t 1 ] || echo; '
        f'exec "$p" dlwa.py {join(words)}'
    )


def shell_line(script: str) -> str:
    """A script for any POSIX shell, whatever shell the login has.

    Characters that mean something to some shell even in single quotes are sent as their numbers:
    to csh the end of a line and `!`, to fish a backslash. CDPATH would lead a relative root astray.
    """
    coded = re.sub(r"['\\!\n]", lambda found: f"\\0{ord(found[0]):03o}", script)
    return f"""exec sh -c 'unset CDPATH; eval "$(printf %b "$1")"' sh '{coded}'"""


def collect(
    connection: "LabConnection", lab: Lab, script: str, timeout_s: float = 60.0
) -> Completed:
    """Run a script there to its end; what it says, without what login scripts print before.

    Raises `AccessError` where the login runs no script, `NetworkError` if the line breaks.
    """
    begin = f"for to in 1 2; do printf '\\n%s\\n' {_BEGINS} >&$to; done\n"
    done = connection.collect(shell_line(begin + script), timeout_s=timeout_s)
    _, began, out = done.out.partition(f"\n{_BEGINS}\n")
    err = done.err.partition(f"\n{_BEGINS}\n")[2]
    if not began:
        said = printable(done.said[-200:], instead=" ").strip()
        raise AccessError(
            f"lab={lab.name}: this login runs none of our commands; it says {said!r}",
            hint="ask who runs the machine whether its shell and your key allow commands",
        )
    return replace(done, out=out, err=err)


def filled(script: str, **values: str) -> str:
    """A script with its @MARKED@ words replaced at once, so that none is looked for in another."""
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], script)


def refusal(lab: Lab, done: Completed) -> DlwaError | None:
    """What a lab's shell refused before dlwa began; None if it did not."""
    if done.code != REFUSED:
        return None
    told = [line for line in done.err.splitlines() if line.startswith(_SAYS)]
    reason, _, value = (told or [""])[-1].removeprefix(_SAYS).partition("=")
    return _refusals(lab, value).get(reason)


def not_starting(lab: Lab, said: str) -> DlwaError:
    """What it means that a Python there could not be started."""
    last = "\n".join(said.strip().splitlines()[-3:])
    return DlwaError(
        f"lab={lab.name}: dlwa does not start there: {last}", f"./dlwa.py lab check {lab.name}"
    )


def _refusals(lab: Lab, value: str) -> dict[str, DlwaError]:
    mend = f"./dlwa.py lab setup {lab.name}"
    return {
        "no-root": NotFoundError(f"lab={lab.name} has no folder {lab.root} (root)", mend),
        "no-code": NotFoundError(f"lab={lab.name} has no dlwa in {lab.root}", mend),
        "no-python": NotFoundError(
            f"lab={lab.name} has no python3", "there: sudo apt install python3 python3-venv"
        ),
        "version": AccessError(
            f"lab={lab.name} has dlwa {value or 'of unknown version'}, this is {__version__}",
            update_this(value) if is_newer(value) else mend,
        ),
    }


def is_newer(version: str) -> bool:
    """Whether a version is newer than this dlwa."""
    return _parts(version) > _parts(__version__)


def update_this(version: str) -> str:
    """What to type where the other side is newer."""
    return f"bring this dlwa up to date: git pull   (to {version})"


def _enter(lab: Lab) -> str:
    root = lab.root or "."
    return (
        f"cd {quote(root)} 2>/dev/null || {_refuse('no-root')}; "
        f"[ -f dlwa.py ] || {_refuse('no-code')}; "
        "p=.venv/bin/python; [ -x $p ] || p=python3; "
        f"command -v $p >/dev/null || {_refuse('no-python')}"
    )


def _same_version() -> str:
    """Versions agree when all but the last number are equal."""
    same = __version__.rpartition(".")[0]
    return f"v=$({VERSION_OF}); case $v in {same}.*) ;; *) {_refuse('version=$v')};; esac"


def _refuse(reason: str) -> str:
    return f'{{ [ -t 2 ] || printf "\\n%s\\n" "{_SAYS}{reason}" >&2; exit {REFUSED}; }}'


def _parts(version: str) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in version.split(".")]
