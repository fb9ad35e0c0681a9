"""Bringing dlwa into a lab: folders, the code of this very version. May be repeated safely.

The code goes there as one archive, is unpacked aside and then takes its place at once; what was
there is kept in `.dlwa/previous`. A folder that is a git checkout is left alone.
"""

import gzip
import hashlib
import io
import secrets
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

import dlwa
from dlwa.actions.lab.far import VERSION_OF, collect, filled
from dlwa.errors import AccessError, BusyError, DlwaError
from dlwa.labs import Lab
from dlwa.shell import quote
from dlwa.words import size
from dlwa.workspace import LAUNCHER

if TYPE_CHECKING:
    from dlwa.hosts.ssh import LabConnection

TOP = ("dlwa", LAUNCHER, "pyproject.toml", "README.md", "LICENSE", "NOTICE")
_NEEDED_BYTES = 150_000_000  # the code twice, and .venv without the DDSP half
_LEFT_OUT = {"__pycache__", ".DS_Store"}
_FOLDERS = "inputs datasets/ddsp models/ddsp outputs labs .dlwa"

_LOOK = r"""
umask 0002
root=@ROOT@
mkdir -p -- "$root" && cd -- "$root" || exit 1
[ -w . ] || { echo "it cannot be written to" >&2; exit 1; }
mkdir -p @FOLDERS@
[ -e .git ] && echo git
[ -s .venv/dlwa-installed ] && echo venv
echo "free $(df -Pk . | awk 'NR == 2 { print $4 }')"
echo "version $(@VERSION@ 2>/dev/null)"
cat .dlwa/code 2>/dev/null
@WHOLE@ && echo whole
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
goes_on() {  # unless it ran on this machine and has died with nobody to say so
  grep -q "\"host\": \"$(uname -n)\"" "$1" || return 0
  grep -q "\"boot_id\": \"$boot\"" "$1" || return 1
  pids=$(sed -n 's/^ "\(child_\)*pid": \([0-9]*\),*$/\2/p' "$1")
  [ -z "$pids" ] && return 0
  for pid in $pids; do [ -e "/proc/$pid" ] && return 0; done
  return 1
}
find models/ddsp .dlwa/runs -name run.json \
  -exec grep -ls '"state": "\(running\|starting\|queued\)"' {} + 2>/dev/null |
  while read -r run; do if goes_on "$run"; then echo "live $run"; fi; done | head -3
true
"""
# nothing of the code was changed or lost since it was brought (where there is sha256sum)
_WHOLE = """[ -s .dlwa/sums ] && { ! command -v sha256sum >/dev/null ||
  sha256sum -c .dlwa/sums >/dev/null 2>&1; }"""
_UNPACK = r"""
set -e
umask 0002
cd @ROOT@
new=.dlwa/incoming.$$
trap 'rm -rf "$new" @PACKED@' EXIT
exec 9>.dlwa/setup.lock
flock 9 2>/dev/null || true  # one after the other, where there is flock
if [ "$(cat .dlwa/code 2>/dev/null)" = @MARK@ ] && @WHOLE@; then exit 0; fi
find .dlwa -maxdepth 1 -name 'incoming*' -mmin +60 -exec rm -rf {} + || true
mkdir -p $new
tar xzf @PACKED@ -C $new
[ "$(sed -n 1p $new/dlwa-code)" = @MARK@ ]
rm -rf .dlwa/previous
mkdir .dlwa/previous
for name in @TOP@; do
  if [ -e "$new/$name" ]; then
    if [ -e "$name" ]; then mv "$name" .dlwa/previous/; fi
    mv "$new/$name" "$name"
  fi
done
chmod +x dlwa.py
mv $new/dlwa-sums .dlwa/sums
mv $new/dlwa-code .dlwa/code
"""


@dataclass(frozen=True)
class Standing:
    """What is in the lab's folder before anything is brought."""

    is_checkout: bool
    mark: str
    is_whole: bool
    live: tuple[str, ...]
    has_environment: bool
    version: str
    free_bytes: int | None


def look(connection: "LabConnection", lab: Lab) -> Standing:
    """Make the folders and see what is there; raises `AccessError` if they cannot be made."""
    values = {"FOLDERS": _FOLDERS, "VERSION": VERSION_OF, "WHOLE": _WHOLE}
    script = filled(_LOOK, ROOT=quote(lab.root or "."), **values)
    done = collect(connection, lab, script)
    if not done.ok:
        raise AccessError(
            f"lab={lab.name}: {lab.root} cannot be made: {done.err.strip()}",
            hint=f"there: sudo mkdir -p {quote(lab.root or '.')} && sudo chown $USER "
            f"{quote(lab.root or '.')}",
        )
    lines = done.out.split("\n")
    live = tuple(line.removeprefix("live ") for line in lines if line.startswith("live "))
    mark = next((line for line in lines if len(line) == 64), "")
    said = {key: value for key, _, value in (line.partition(" ") for line in lines)}
    free = said.get("free", "")
    return Standing(
        is_checkout="git" in lines,
        mark=mark,
        is_whole="whole" in lines,
        live=live,
        has_environment="venv" in lines,
        version=said.get("version", ""),
        free_bytes=int(free) * 1024 if free.isdigit() else None,
    )


def bring(connection: "LabConnection", lab: Lab, archive: bytes, mark: str) -> None:
    """Put the code into its place; raises `DlwaError` if the lab could not unpack it."""
    place = f".dlwa/incoming-{secrets.token_hex(8)}.tar.gz"
    values = {"ROOT": quote(lab.root or "."), "TOP": " ".join(TOP), "MARK": mark, "PACKED": place}
    values["WHOLE"] = _WHOLE
    connection.send_file(archive, f"{lab.root or '.'}/{place}")
    done = collect(connection, lab, filled(_UNPACK, **values), timeout_s=300.0)
    if not done.ok:
        reason = (done.err.strip().splitlines() or [str(done.code)])[0]
        raise DlwaError(
            f"lab={lab.name}: the code could not be unpacked: {reason}",
            f"./dlwa.py lab check {lab.name}",
        )


def require_room(standing: Standing, lab: Lab) -> None:
    """Raise `BusyError` where not even the code and its environment would fit."""
    if standing.free_bytes is not None and standing.free_bytes < _NEEDED_BYTES:
        raise BusyError(
            f"lab={lab.name}: {size(standing.free_bytes)} are free in {lab.root}, "
            f"{size(_NEEDED_BYTES)} are needed",
            hint=f"./dlwa.py user usage --lab {lab.name} shows who fills it; there: df -h"
            if standing.version
            else f"there: df -h {quote(lab.root or '.')}   then make room",
        )


def refuse_checkout(standing: Standing, lab: Lab) -> None:
    """Raise `BusyError` where the lab's dlwa is looked after by git."""
    if standing.is_checkout:
        raise BusyError(
            f"lab={lab.name}: {lab.root} is a git checkout, which is left alone",
            hint=f"there: git -C {quote(lab.root or '.')} pull",
        )


def archive() -> tuple[bytes, str]:
    """This dlwa as a tar.gz, and a mark that changes with its content."""
    project = Path(dlwa.__file__).resolve().parent.parent
    if not (project / LAUNCHER).is_file():
        raise DlwaError(
            "this dlwa was installed by pip; a lab is set up from its folder",
            hint="download dlwa and run ./dlwa.py lab setup there",
        )
    paths = sorted(path for name in TOP for path in _files(project / name))
    sums = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(project).as_posix()}\n"
        for path in paths
    )
    mark = hashlib.sha256(sums.encode()).hexdigest()
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w|") as tar,
    ):
        for path in paths:
            info = tarfile.TarInfo(path.relative_to(project).as_posix())
            info.size, info.mode = path.stat().st_size, 0o664
            info.mtime = int(path.stat().st_mtime)
            with path.open("rb") as stream:
                tar.addfile(info, stream)
        for name, text in (("dlwa-sums", sums), ("dlwa-code", f"{mark}\n")):
            note = tarfile.TarInfo(name)
            note.size = len(text.encode())
            tar.addfile(note, io.BytesIO(text.encode()))
    return packed.getvalue(), mark


def local_lab_file(lab: Lab) -> str:
    """What the lab itself has to know of its lab file: who may take how much, by what."""
    limits = {key: value for key, value in vars(lab.limits).items() if value is not None}
    document: dict[str, object] = {"scheduler": lab.scheduler, "limits": limits}
    if lab.scheduler == "slurm":
        asked = {key: value for key, value in vars(lab.slurm).items() if value not in (None, ())}
        document["slurm"] = {**asked, "options": list(lab.slurm.options)}
    if lab.stops_at:
        document["stops_at"] = lab.stops_at
    return "# Written by `dlwa lab setup`, from the lab file.\n" + yaml.safe_dump(
        document, sort_keys=False
    )


def write_lab_file(connection: "LabConnection", lab: Lab) -> bool:
    """Write the lab's own file unless somebody wrote one there by hand; whether it was written."""
    script = (
        f"cd {quote(lab.root or '.')} && "
        "if [ -e labs/local.yaml ] && ! grep -q 'Written by `dlwa lab setup`' labs/local.yaml; "
        f"then exit 3; fi; printf %s {quote(local_lab_file(lab))} > labs/.local.yaml.new && "
        "mv labs/.local.yaml.new labs/local.yaml"
    )
    done = collect(connection, lab, script)
    if not done.ok and done.code != 3:
        raise DlwaError(f"lab={lab.name}: labs/local.yaml: {done.err.strip()}")
    return done.ok


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [
        one
        for one in path.rglob("*")
        if one.is_file() and not _LEFT_OUT & set(one.parts) and one.suffix != ".pyc"
    ]
