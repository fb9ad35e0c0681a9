"""`dlwa doctor`: check this machine."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dlwa.actions import doctor as action
from dlwa.cli import options, output
from dlwa.errors import UsageError
from dlwa.hosts.local import LocalHost
from dlwa.workspace import default_root

app = typer.Typer()


@app.command("doctor")
def doctor(
    checks: Annotated[
        list[str] | None, typer.Argument(metavar="[CHECK]...", help="Only these; see --list.")
    ] = None,
    list_checks: Annotated[bool, typer.Option("--list", help="Name the checks.")] = False,
    json: options.Json = False,
) -> None:
    """Check this machine and say which command mends what.

    Changes nothing. Ends with 1 if something has failed; warnings do not count.
    """
    if list_checks:
        names = list(action.CHECKS)
        output.table("", ("check", "question"), [(name, action.describe(name)) for name in names])
        return
    around = action.Surroundings(LocalHost(), _root())
    findings = action.run_checks(checks or [], around)
    failed = [finding for finding in findings if finding.level == "fail"]
    if output.json_mode():
        output.answer({"ok": not failed, "findings": [asdict(finding) for finding in findings]})
    else:
        output.table("", ("", "check", "found"), [_row(finding) for finding in findings])
        for finding in findings:
            if finding.fix and finding.level != "ok":
                output.say(f"{finding.check}: {finding.fix}")
    if failed:
        raise typer.Exit(1)


def _row(finding: action.Finding) -> tuple[str, str, str]:
    return finding.level, finding.check, output.as_typed(finding.message)


def _root() -> Path:
    """The workspace, also when the settings are what is broken."""
    try:
        return options.settings().root
    except UsageError:
        return default_root(Path.cwd())[0]
