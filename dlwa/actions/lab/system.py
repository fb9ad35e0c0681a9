"""What a lab's system lacks for dlwa, and bringing it by sudo. Nothing happens without a yes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlwa.actions.lab.far import collect
from dlwa.errors import DlwaError
from dlwa.labs import Lab
from dlwa.shell import join, quote

if TYPE_CHECKING:
    from dlwa.hosts.ssh import LabConnection

_LOOK = r"""
command -v screen >/dev/null || echo screen
right='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
found=
for p in python3.13 python3.12 python3.11 python3; do
  if $p -I -c "$right" 2>/dev/null; then found=$p; break; fi
done
if [ -z "$found" ]; then echo python3.11; echo python3.11-venv
elif ! $found -I -c 'import ensurepip, venv' 2>/dev/null; then
  $found -I -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
fi
command -v apt-get >/dev/null && echo apt-get
true
"""


@dataclass(frozen=True)
class Lacking:
    """Packages that are missing there, and whether `apt-get` could bring them."""

    packages: tuple[str, ...]
    has_apt: bool

    @property
    def fix(self) -> str:
        """What the machine's administrator would type."""
        return f"there: sudo apt-get install {join(self.packages)}   (or your system's packages)"


def lacking(connection: "LabConnection", lab: Lab) -> Lacking:
    """Look which of the system's packages are missing."""
    said = collect(connection, lab, _LOOK).out.split()
    unneeded = {"apt-get"} | ({"screen"} if lab.scheduler == "slurm" else set())
    return Lacking(tuple(word for word in said if word not in unneeded), "apt-get" in said)


def bring(connection: "LabConnection", packages: tuple[str, ...]) -> None:
    """Install packages by `sudo apt-get`; raises `DlwaError` with its last words if it fails."""
    names = join(packages)
    _as_root(
        connection,
        "export DEBIAN_FRONTEND=noninteractive; exec </dev/null; apt-get -q update; "
        f"apt-get -q -y --no-install-recommends install {names}",
        f"{names} could not be installed",
    )


def make_root(connection: "LabConnection", lab: Lab) -> None:
    """Make the workspace's folder by sudo and give it to the login."""
    root = quote(lab.root or ".")
    ids = collect(connection, lab, 'echo "$(id -u):$(id -g)"').out.strip()
    _as_root(connection, f"mkdir -p {root} && chown {ids} {root}", f"{root} could not be made")


def _as_root(connection: "LabConnection", script: str, failed: str) -> None:
    done = connection.collect_as_root(script)
    if not done.ok:
        last = "; ".join(done.said.splitlines()[-3:]) or f"it ended with {done.code}"
        raise DlwaError(f"{failed}: {last}", "ask who runs the machine")
