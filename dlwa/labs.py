"""A lab: a machine that computes, described by `labs/NAME.yaml`.

The file is checked as a whole when it is read: a misspelt key is an error that names the right
one, and a password is refused, because the file is shared.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from dlwa.errors import NotFoundError, UsageError
from dlwa.names import parse_name
from dlwa.settings import nearest, read_yaml

Scheduler = Literal["screen", "slurm"]
LOCAL = "local"
_Check = Callable[[str, Any, str], Any]
_SECRETS = ("password", "passwd", "passphrase", "secret", "token", "private_key")


@dataclass(frozen=True)
class Limits:
    """How much one may take; None means as much as there is."""

    runs_per_owner: int | None = None
    gpus_per_run: int = 1
    hours_per_run: float | None = None
    disk_gb_per_owner: float | None = None
    cpu_runs: int = 1


@dataclass(frozen=True)
class SlurmOptions:
    """What every job asks of Slurm; None leaves it to the cluster."""

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    gres: str = "gpu"  # what one GPU is called there: gpu, gpu:a100
    time: str | None = None
    mem: str | None = None
    cpus_per_task: int | None = None
    requeues: int = 10  # how often a training whose time is over is put back into the line
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lab:
    """One machine: how to reach it, where its workspace is, what may be taken."""

    name: str
    host: str | None = None
    port: int | None = None
    user: str | None = None
    root: str | None = None
    scheduler: Scheduler = "screen"
    slurm: SlurmOptions = field(default_factory=SlurmOptions)
    limits: Limits = field(default_factory=Limits)
    stops_at: str | None = None
    host_keys: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether the lab is this very machine."""
        return self.host is None


def read_lab(folder: Path, name: str) -> Lab:
    """Read `NAME.yaml` in the folder of labs; `local` needs no file.

    Raises `NotFoundError` when there is none, `UsageError` when it cannot be right.
    """
    parse_name(name, "lab")
    path = folder / f"{name}.yaml"
    document = read_yaml(path)
    if document is None:
        if name == LOCAL:
            return Lab(LOCAL)
        hint = nearest(name, lab_names(folder))
        if not hint.startswith("did you mean"):
            hint += f"   (a new one: ./dlwa.py lab add {name} USER@HOST --root-there DIR)"
        raise NotFoundError(f"lab={name}: there is no {path}", hint)
    return lab_from(document, name, str(path))


def lab_names(folder: Path) -> list[str]:
    """The labs one can name: the files of the folder that are not examples, and `local`."""
    files = {path.stem for path in folder.glob("*.yaml") if not path.stem.endswith(".example")}
    return sorted(files | {LOCAL})


def lab_from(document: Mapping[str, Any], name: str, where: str) -> Lab:
    """Check a whole description and make a `Lab` of it; `where` is named in errors."""
    _refuse_secrets(document, where)
    known = [item.name for item in fields(Lab) if item.name != "name"]
    _refuse_unknown(document, known, where)
    values = {key: value for key, value in document.items() if value is not None}
    checked = {key: _checked(key, value, where) for key, value in values.items()}
    lab = Lab(name, **checked)
    if lab.host is None and name != LOCAL:
        raise UsageError(f"{where} names no host", hint="add a line: host: vm.example.org")
    if lab.host is not None and lab.root is None:
        raise UsageError(
            f"{where} names no root, the workspace on that machine",
            hint="add a line: root: /data/dlwa",
        )
    return lab


def _checked(key: str, value: Any, where: str) -> Any:
    check: _Check = _CHECKS.get(key, _text)
    return check(key, value, where)


def _refuse_secrets(document: Mapping[str, Any], where: str) -> None:
    for key in document:
        if any(secret in key.lower().replace("-", "_") for secret in _SECRETS):
            raise UsageError(
                f"{key} in {where}: a lab file is shared and must hold no secret",
                hint="use an SSH key: ssh-copy-id, or IdentityFile in ~/.ssh/config",
            )


def _refuse_unknown(document: Mapping[str, Any], known: list[str], where: str) -> None:
    for key, value in document.items():
        if key not in known:
            raise UsageError(f"{key}={value!r} in {where} is not known", nearest(key, known))


def _wrong(key: str, value: Any, where: str, expected: str) -> UsageError:
    return UsageError(f"{key}={value!r} in {where} must be {expected}")


def _no_number(key: str, value: Any, where: str, expected: str) -> UsageError:
    told = _wrong(key, value, where, expected)
    if isinstance(value, str) and value.strip().isdecimal():
        told.hint = f"without quotes:   {key}: {value.strip()}"
    return told


def _text(key: str, value: Any, where: str) -> str:
    printable = isinstance(value, str) and value.strip() == value and value.isprintable()
    if not printable or value == "" or value.startswith("-"):
        raise _wrong(key, value, where, "text without line breaks, not beginning with -")
    return str(value)


def _host(key: str, value: Any, where: str) -> str:
    host = _text(key, value, where)
    if re.search(r"[\s/]", host) or re.fullmatch(r"[^:]*:\d+", host):
        raise _wrong(
            key, value, where, "a name or address alone (its port: --port N, or a line   port: N)"
        )
    return host


def _root(key: str, value: Any, where: str) -> str:
    """A path; what is relative begins at the login's home, as all commands there do."""
    path = _text(key, value, where).removeprefix("~/")
    if path.startswith("~"):
        raise _wrong(key, value, where, "a path such as /data/dlwa, or dlwa in the login's home")
    return path


def _port(key: str, value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
        raise _no_number(key, value, where, "a port, 1 to 65535")
    return value


def _scheduler(key: str, value: Any, where: str) -> str:
    if value not in get_args(Scheduler):
        raise _wrong(key, value, where, " or ".join(get_args(Scheduler)))
    return str(value)


def _clock(key: str, value: Any, where: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        # YAML 1.1 reads an unquoted 22:00 as 22 * 60
        value = f"{value // 60:02d}:{value % 60:02d}"
    hours, _, minutes = str(value).partition(":")
    if not (hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60):
        raise _wrong(key, value, where, 'a time of day such as "22:00"')
    return f"{int(hours):02d}:{int(minutes):02d}"


def _host_keys(key: str, value: Any, where: str) -> tuple[str, ...]:
    keys = value if isinstance(value, list) else [value]
    for item in keys:
        if not isinstance(item, str) or not _is_public_key(item):
            raise _wrong(
                key,
                item,
                where,
                "a list of whole public keys such as ssh-ed25519 AAAA... "
                "(ssh-keyscan -t ed25519 HOST prints it after the host's name)",
            )
    return tuple(keys)


def _is_public_key(text: str) -> bool:
    """Whether it is `TYPE BASE64`, the base64 naming the type once more."""
    kind, _, data = text.partition(" ")
    try:
        raw = base64.b64decode(data.split(" ")[0], validate=True)
    except ValueError:
        return False
    return raw[4 : 4 + int.from_bytes(raw[:4])] == kind.encode() != b""


def _limits(key: str, value: Any, where: str) -> Limits:
    if not isinstance(value, dict):
        raise _wrong(key, value, where, "a mapping such as {runs_per_owner: 1}")
    _refuse_unknown(value, [item.name for item in fields(Limits)], f"limits of {where}")
    for name, number in value.items():
        whole = name in ("runs_per_owner", "gpus_per_run", "cpu_runs")
        least = 0 if name == "gpus_per_run" else 1 if whole else 0.01
        kind = int if whole else (int, float)
        if number is None and name not in ("gpus_per_run", "cpu_runs"):
            continue
        if isinstance(number, bool) or not isinstance(number, kind) or not number >= least:
            what = "a whole number" if whole else "a number"
            raise _no_number(name, number, f"limits of {where}", f"{what}, at least {least}")
    return Limits(**value)


def _slurm(key: str, value: Any, where: str) -> SlurmOptions:
    if not isinstance(value, dict):
        raise _wrong(key, value, where, "a mapping such as {partition: gpu}")
    place = f"slurm of {where}"
    _refuse_unknown(value, [item.name for item in fields(SlurmOptions)], place)
    given = {name: one for name, one in value.items() if one is not None}
    for name, one in given.items():
        if name in ("cpus_per_task", "requeues"):
            least = 1 if name == "cpus_per_task" else 0
            if isinstance(one, bool) or not isinstance(one, int) or one < least:
                raise _no_number(name, one, place, f"a whole number, at least {least}")
        elif name != "options":
            pattern, expected = _SLURM_FORMS.get(name, _SLURM_NAME)
            if not isinstance(one, str) or not re.fullmatch(pattern, one):
                raise _wrong(name, one, place, expected)
    if "options" in given:
        given["options"] = _slurm_options(given["options"], place)
    return SlurmOptions(**given)


def _slurm_options(value: Any, place: str) -> tuple[str, ...]:
    words = value if isinstance(value, list) else [value]
    for word in words:
        if not isinstance(word, str) or not word.isprintable() or word[:2] != "--" or word == "--":
            raise _wrong("options", word, place, "a list of words such as --nice=100")
        name = word[2:].partition("=")[0]
        if any(taken.startswith(name) for taken in _SET_BY_DLWA.split()):
            raise UsageError(f"options={word!r} in {place}: dlwa itself sets --{name}")
    return tuple(words)


_SLURM_NAME = (r"[A-Za-z0-9_\[(][A-Za-z0-9_.,|&*:\[\]()-]*", "a name Slurm knows")
_SLURM_FORMS = {
    "gres": (r"\w[\w.-]*(:[\w.-]+)?", 'what a GPU is called there, such as "gpu:a100"'),
    "time": (r"(\d+-)?\d+:\d\d:\d\d", 'text in quotes such as "12:00:00" or "1-00:00:00"'),
    "mem": (r"\d+[KMGT]?", 'text such as "16G"'),
}
# options of sbatch, also shortened, that would take a run away from its record
_SET_BY_DLWA = """
array chdir cluster-constraint clusters container error export export-file gid gres help input
job-name no-requeue nodes open-mode output parsable quiet requeue signal test-only time uid usage
version wait wrap"""


_CHECKS: dict[str, _Check] = {
    "host": _host,
    "root": _root,
    "port": _port,
    "scheduler": _scheduler,
    "slurm": _slurm,
    "limits": _limits,
    "stops_at": _clock,
    "host_keys": _host_keys,
}
