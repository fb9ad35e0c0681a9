"""Is a lab fit for work? Each finding names the command that mends it. Nothing is changed."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from dlwa.actions.doctor import Finding, Level
from dlwa.actions.lab.far import VERSION_OF, shell_line
from dlwa.errors import AccessError, DlwaError, NetworkError
from dlwa.labs import Lab
from dlwa.shell import quote
from dlwa.version import __version__

if TYPE_CHECKING:
    from dlwa.hosts.ssh import LabConnection

_GB = 1e9
_LITTLE_GB, _TOO_LITTLE_GB = 10.0, 1.0
_CLOCK_SLACK_S = 60.0
_SOON_S = 2 * 3600.0
_RIGHT_PYTHONS = ("3.13", "3.12", "3.11")

_PROBE = r"""
say() { printf '%s=%s\n' "$1" "$2"; }
say clock "$(date +%s)"
say screen "$(command -v screen)"
say logins "$(loginctl show-user "$(id -un)" -p Linger --value 2>/dev/null)"
for p in PYTHONS; do command -v python$p >/dev/null && say python $p; done
if p=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); then
  say python "$p"; fi
if command -v nvidia-smi >/dev/null; then
  say smi "$(nvidia-smi --query-gpu=name --format=csv,noheader 2>&1 | head -16 | tr '\n' ';')"
  nvidia-smi >/dev/null 2>&1 && say driver ok
fi
[ -r /run/systemd/shutdown/scheduled ] && . /run/systemd/shutdown/scheduled && say shutdown "$USEC"
if cd ROOT 2>/dev/null; then
  say root yes
  [ -w . ] && say write yes
  say disk "$(df -Pk . | awk 'NR == 2 { print $4 }')"
  say inodes "$(df -Pi . | awk 'NR == 2 { print $4 }')"
  [ -f dlwa.py ] && say code yes
  say version "$(VERSION 2>/dev/null)"
  [ -s .venv/dlwa-installed ] && say venv yes
  [ -f .venv/dlwa-extras ] && say ddsp "$(cat .venv/dlwa-extras)"
fi
true
"""

Facts = Mapping[str, list[str]]


def check(lab: Lab, connected: Callable[[], "LabConnection"]) -> list[Finding]:
    """Connect and look; the findings in the order in which they have to be mended."""
    began = time.monotonic()
    try:
        connection = connected()
    except DlwaError as error:
        return [_not_connected(lab, error)]
    took_s = time.monotonic() - began
    with connection:
        findings = [
            Finding("reachable", "ok", f"{connection.line.target} answers ({took_s:.1f} s)"),
            _host_key(lab, connection.line.host_key),
            Finding("login", "ok", f"logged in as {connection.user}"),
        ]
        try:
            asked_at = time.time()
            done = connection.collect(shell_line(_probe(lab)), timeout_s=30.0)
            answered_at = time.time()
        except NetworkError as error:
            return [*findings, Finding("reachable", "fail", error.message, error.hint)]
    facts: dict[str, list[str]] = {}
    for line in done.out.splitlines():
        key, _, value = line.partition("=")
        facts.setdefault(key, []).append(value)
    return [*findings, *_judge(lab, facts, (asked_at + answered_at) / 2)]


def _probe(lab: Lab) -> str:
    script = _PROBE.replace("PYTHONS", " ".join(_RIGHT_PYTHONS))
    return script.replace("ROOT", quote(lab.root or ".")).replace("VERSION", VERSION_OF)


def _not_connected(lab: Lab, error: DlwaError) -> Finding:
    if isinstance(error, AccessError):
        about = "host-key" if "host key" in error.message else "login"
        return Finding(about, "fail", error.message, error.hint)
    return Finding("reachable", "fail", error.message, error.hint)


def _host_key(lab: Lab, shown: str) -> Finding:
    if lab.host_keys:
        return Finding("host-key", "ok", f"{shown}, as the lab file pins it")
    return Finding("host-key", "ok", f"{shown}, as known_hosts has it")


def _judge(lab: Lab, facts: Facts, now_s: float) -> Iterator[Finding]:
    yield _clock(facts, now_s)
    yield _folder(lab, facts)
    if "root" in facts:
        yield _disk(facts)
        yield _version(lab, facts)
        yield _environment(lab, facts)
    yield _python(facts)
    yield _screen(facts)
    yield _gpu(facts)
    if facts.get("logins") == ["no"]:
        text = "runs may end at logout where KillUserProcesses is on"
        yield Finding("logout", "warn", text, "there: sudo loginctl enable-linger $USER")
    yield _shutdown(lab, facts, now_s)


def _clock(facts: Facts, now_s: float) -> Finding:
    off_s = _number(facts, "clock") - now_s
    if abs(off_s) > _CLOCK_SLACK_S:
        text = f"its clock is {abs(off_s):.0f} s {'ahead of' if off_s > 0 else 'behind'} this one"
        return Finding("clock", "warn", text, "on the one that is wrong: timedatectl set-ntp true")
    return Finding("clock", "ok", "agrees with this machine's")


def _folder(lab: Lab, facts: Facts) -> Finding:
    mend = f"./dlwa.py lab setup {lab.name}"
    if "root" not in facts:
        return Finding("folder", "fail", f"there is no folder {lab.root}", mend)
    if "write" not in facts:
        text = f"{lab.root} cannot be written to"
        return Finding("folder", "fail", text, f"there: sudo chown $USER {quote(lab.root or '.')}")
    return Finding("folder", "ok", f"{lab.root}")


def _disk(facts: Facts) -> Finding:
    free_gb = _number(facts, "disk") * 1024 / _GB
    inodes = facts.get("inodes", [""])[0]
    text = f"{free_gb:.0f} GB free"
    mend = "./dlwa.py user usage shows who fills it"
    if inodes.isdigit() and 0 < int(inodes) < 1000:
        return Finding("disk", "fail", f"room for {inodes} files only", mend)
    if free_gb < _TOO_LITTLE_GB:
        return Finding("disk", "fail", f"{free_gb:.1f} GB free", mend)
    return Finding("disk", "warn" if free_gb < _LITTLE_GB else "ok", text, mend)


def _version(lab: Lab, facts: Facts) -> Finding:
    mend = f"./dlwa.py lab setup {lab.name}"
    there = facts.get("version", [""])[0]
    if "code" not in facts:
        return Finding("dlwa", "fail", f"there is no dlwa in {lab.root}", mend)
    if there == __version__:
        return Finding("dlwa", "ok", f"version {there}")
    same = there.rpartition(".")[0] == __version__.rpartition(".")[0]
    text = f"version {there or 'unknown'}, this is {__version__}"
    return Finding("dlwa", "warn" if same else "fail", text, mend)


def _environment(lab: Lab, facts: Facts) -> Finding:
    if "venv" not in facts:
        text = ".venv is not made yet"
        return Finding("environment", "warn", text, f"./dlwa.py lab setup {lab.name}")
    if "ddsp" not in facts:
        text = "the DDSP half is not installed yet"
        return Finding("environment", "warn", text, f"./dlwa.py lab setup {lab.name}")
    return Finding("environment", "ok", f".venv with {facts['ddsp'][0]}")


def _python(facts: Facts) -> Finding:
    found = facts.get("python", [])
    right = [version for version in found if version in _RIGHT_PYTHONS]
    if right:
        return Finding("python", "ok", f"Python {right[0]}")
    text = f"Python {found[0] if found else ''} is too old" if found else "no Python 3"
    return Finding("python", "fail", text, "there: sudo apt install python3.11 python3.11-venv")


def _screen(facts: Facts) -> Finding:
    if any(facts.get("screen", [])):
        return Finding("screen", "ok", facts["screen"][0])
    return Finding("screen", "fail", "GNU screen is missing", "there: sudo apt install screen")


def _gpu(facts: Facts) -> Finding:
    if "smi" not in facts:
        text = "no nvidia-smi: trainings would use the CPU"
        return Finding("gpu", "warn", text, "there: sudo ubuntu-drivers install, then reboot")
    said = facts["smi"][0].strip(";")
    if "driver" not in facts:
        text = f"the GPU driver does not answer: {said[:120]}"
        return Finding("gpu", "fail", text, "there: sudo reboot; then reinstall the driver")
    return Finding("gpu", "ok", said.replace(";", ", "))


def _shutdown(lab: Lab, facts: Facts, now_s: float) -> Finding:
    planned_s = _number(facts, "shutdown") / 1e6
    if planned_s > now_s:
        clock = time.strftime("%Y-%m-%d %H:%M", time.localtime(planned_s))
        level: Level = "warn" if planned_s - now_s < _SOON_S else "ok"
        return Finding("shutdown", level, f"shuts down at {clock}", "there: sudo shutdown -c")
    if lab.stops_at:
        return Finding("shutdown", "ok", f"stops at {lab.stops_at} each day (lab file)")
    return Finding("shutdown", "ok", "none planned that is known")


def _number(facts: Facts, key: str) -> float:
    try:
        return float(facts.get(key, ["0"])[0])
    except ValueError:
        return 0.0
