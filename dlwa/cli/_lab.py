"""How `lab list|show|use|add|check` talk."""

import json
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from dlwa.actions.doctor import Finding
from dlwa.actions.lab import check as checking
from dlwa.actions.lab import choose, far
from dlwa.cli import options, output
from dlwa.cli._lab_door import open_fabric
from dlwa.errors import AccessError, DlwaError, ExitCode, UsageError
from dlwa.hosts import ssh
from dlwa.labs import Lab, lab_names, read_lab
from dlwa.names import parse_owner
from dlwa.settings import Settings
from dlwa.words import printable


def named(name: str | None) -> tuple[Settings, Lab]:
    """The settings, and the lab that is named or in use."""
    settings = options.settings()
    return settings, read_lab(settings.workspace.labs, name or settings.lab)


def list_all() -> None:
    """The table of labs; a file that cannot be right is told below."""
    settings = options.settings()
    rows, wrong = [], []
    for name in lab_names(settings.workspace.labs):
        in_use = "yes" if name == settings.lab else ""
        try:
            lab = read_lab(settings.workspace.labs, name)
            rows.append([name, lab.host or "this machine", lab.root, lab.scheduler, in_use])
        except DlwaError as error:
            rows.append([name, "(wrong)", "", "", in_use])
            wrong.append(error)
    output.table("", ["lab", "host", "root", "scheduler", "in use"], rows)
    for one in wrong:
        output.warn(one.message)
    output.say(f"choose one: {output.LAUNCHER} lab use NAME --owner YOU")


def show(name: str | None) -> None:
    """What a lab's file says, and what ~/.ssh/config adds to it."""
    settings, lab = named(name)
    facts: dict[str, Any] = {**asdict(lab), "in_use": lab.name == settings.lab}
    if lab.host:
        target = ssh.resolve(lab.host, lab.port, lab.user, lab.host_keys)
        facts["reached_as"] = str(target)
        facts["reached_through"] = str(target.jump) if target.jump else None
        facts["keys"] = [str(path) for path in target.identity_files if path.is_file()]
    output.answer(facts)
    for key, value in facts.items():
        matters = key != "slurm" or lab.scheduler == "slurm"
        if matters and value not in (None, (), [], ""):
            output.text(f"{key:>15}: {_plain(value)}")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items() if one not in (None, ()))
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def use(name: str, owner: str | None, *, dry_run: bool, no_input: bool) -> int:
    """Connect once, say what was found, remember the lab and the owner."""
    settings, lab = named(name)
    if owner is not None:
        parse_owner(owner)
    who = owner or (settings.owner if settings.owner_is_known else None)
    if who is None and not lab.is_local:
        raise UsageError(
            "nobody said who you are; others in the lab must be able to tell",
            hint=f"{output.LAUNCHER} lab use {name} --owner your_name",
        )
    told: dict[str, Any] = {"lab": lab.name, "owner": who, "dry_run": dry_run}
    if not lab.is_local:
        told |= _visit(lab, who or "", no_input=no_input)
    if not dry_run:
        choose.remember(settings.workspace, lab=lab.name, owner=owner)
        output.done(f"you are {who or settings.owner}, working on {lab.name}")
        _warn_of_variables(settings)
    output.answer(told)
    return ExitCode.OK


def _visit(lab: Lab, who: str, *, no_input: bool) -> dict[str, Any]:
    with open_fabric(lab, no_input=no_input) as connection:
        line = connection.line
        output.say(f"{line.target} answers; its key is {line.host_key}")
        done = connection.collect(far.command_line(lab, ("--version",), "", {}), timeout_s=600.0)
        refused = far.refusal(lab, done)
        if refused:
            output.warn(refused.message)
            output.say(f"hint: {refused.hint}")
        elif done.ok:
            output.say(f"{done.out.strip().splitlines()[-1]} is there, in {lab.root}")
            _introduce(connection, lab, who)
        else:
            output.warn(f"dlwa does not start there (it ended with {done.code})")
            output.say(f"hint: {output.LAUNCHER} lab check {lab.name}")
        return {"host_key": line.host_key, "ready": done.ok}


def _introduce(connection: "ssh.LabConnection", lab: Lab, who: str) -> None:
    """Ask the lab for its people as that person; raises `AccessError` if the key is another's.

    Ann who was ann the last time would find none of her things: that is a warning.
    """
    line = far.command_line(lab, ("user", "list", "--json"), who, {})
    said = connection.collect(line, timeout_s=60.0).out
    with suppress(ValueError, TypeError, KeyError):  # what login scripts print is no document
        told = json.loads(said[max(said.rfind("\n["), said.rfind("\n{")) + 1 :])
        if isinstance(told, dict) and told["error"]["exit_code"] == ExitCode.ACCESS:
            error = told["error"]
            raise AccessError(printable(error["message"]), printable(error["hint"]))
        twins = {name for one in told if (name := str(one["owner"])).lower() == who.lower()}
        if twins and who not in twins:
            twin = printable(min(twins))
            output.warn(f"{twin} is there already; {who} is somebody else")
            output.say(f"hint: if that is you: {output.LAUNCHER} lab use {lab.name} --owner {twin}")


def _warn_of_variables(settings: Settings) -> None:
    for key in ("lab", "owner"):
        if settings.origins.get(key, "").startswith("DLWA_"):
            output.warn(f"{settings.origins[key]} is set and wins; unset it")


def add(name: str, place: str, root: str, port: int | None, *, dry_run: bool) -> None:
    """Write a lab's file."""
    settings = options.settings()
    user, _, host = place.rpartition("@")
    values = {"host": host, "port": port, "user": user or None, "root": root}
    lab, path = choose.describe(settings.workspace, name, values, dry_run=dry_run)
    if dry_run:
        output.say(f"would write {settings.workspace.shown(path)}")
        output.answer({"dry_run": True, **values})
        return
    output.done(f"{settings.workspace.shown(path)} describes {lab.name}")
    output.say(f"next: {output.LAUNCHER} lab use {name} --owner your_name")
    output.answer({"name": name, "file": str(path)})


def check(name: str | None, *, no_input: bool) -> int:
    """Look and tell; the exit code is 1 if something has failed."""
    _, lab = named(name)
    if lab.is_local:
        raise UsageError(
            f"lab={lab.name} is this machine", hint=f"{output.LAUNCHER} doctor checks it"
        )
    findings = checking.check(lab, lambda: open_fabric(lab, no_input=no_input))
    return tell(findings)


def tell(findings: list[Finding]) -> int:
    """The table of findings and what mends them."""
    failed = any(finding.level == "fail" for finding in findings)
    output.answer({"ok": not failed, "findings": [asdict(finding) for finding in findings]})
    if not output.json_mode():
        rows = [(one.level, one.check, one.message) for one in findings]
        output.table("", ("", "check", "found"), rows)
        for one in findings:
            if one.fix and one.level != "ok":
                output.say(f"{one.check}: {one.fix}")
    return ExitCode.FAILED if failed else ExitCode.OK
