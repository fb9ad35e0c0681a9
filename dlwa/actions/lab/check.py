"""Is a lab fit for work? Each finding names the command that mends it. Nothing is changed."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dlwa.actions.doctor import Finding
from dlwa.actions.lab._judge import RIGHT_PYTHONS, judge
from dlwa.actions.lab.far import VERSION_OF, collect, filled
from dlwa.errors import AccessError, DlwaError, NetworkError
from dlwa.labs import Lab
from dlwa.shell import quote

if TYPE_CHECKING:
    from dlwa.hosts.ssh import LabConnection

_PROBE = r"""
say() { printf '%s=%s\n' "$1" "$2"; }
say clock "$(date +%s)"
say wall "$(date +%H:%M)"
say screen "$(command -v screen)"
say logins "$(loginctl show-user "$(id -un)" -p Linger --value 2>/dev/null)"
for p in @PYTHONS@; do command -v python$p >/dev/null && say python $p; done
if p=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); then
  say python "$p"; fi
if command -v sbatch >/dev/null; then
  say sbatch "$(command -v sbatch)"
  say partitions "$(timeout 8 sinfo -h -o %P 2>&1 | head -8 | tr '\n' ' ')"
  say gres "$(timeout 8 sinfo -h -o %G 2>/dev/null | sort -u | head -8 | tr '\n' ' ')"
fi
if command -v nvidia-smi >/dev/null; then
  smi="timeout 8 nvidia-smi"
  say smi "$($smi --query-gpu=name --format=csv,noheader 2>&1 | head -16 | tr '\n' ';')"
  $smi >/dev/null 2>&1 && say driver ok
fi
[ -r /run/systemd/shutdown/scheduled ] && . /run/systemd/shutdown/scheduled && say shutdown "$USEC"
if cd @ROOT@ 2>/dev/null; then
  say root yes
  [ -w . ] && say write yes
  say disk "$(df -Pk . | awk 'NR == 2 { print $4 }')"
  say inodes "$(df -Pi . | awk 'NR == 2 { print $4 }')"
  [ -f dlwa.py ] && say code yes
  say version "$(@VERSION@ 2>/dev/null)"
  say scheduler "$(sed -n 's/^scheduler: *//p' labs/local.yaml 2>/dev/null)"
  [ -s .venv/dlwa-installed ] && say venv yes
  [ -x .venv/bin/python ] && ! .venv/bin/python -c "" 2>/dev/null && say broken yes
  [ -e .venv/dlwa-ddsp.installing ] && say cut yes
  [ -f .venv/dlwa-extras ] && say ddsp "$(cat .venv/dlwa-extras)"
else
  near=@ROOT@
  while [ ! -d "${near:-/}" ]; do
    case $near in */*) near=${near%/*} ;; *) near=. ;; esac
  done
  say disk "$(df -Pk "${near:-/}" | awk 'NR == 2 { print $4 }')"
fi
true
"""


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
            done = collect(connection, lab, _probe(lab), timeout_s=30.0)
            answered_at = time.time()
        except (AccessError, NetworkError) as error:
            return [*findings, _not_connected(lab, error)]
    facts: dict[str, list[str]] = {}
    for line in done.out.splitlines():
        key, _, value = line.partition("=")
        facts.setdefault(key, []).append(value)
    return [*findings, *judge(lab, facts, (asked_at + answered_at) / 2)]


def _probe(lab: Lab) -> str:
    pythons, root = " ".join(RIGHT_PYTHONS), quote(lab.root or ".")
    return filled(_PROBE, PYTHONS=pythons, ROOT=root, VERSION=VERSION_OF)


def _not_connected(lab: Lab, error: DlwaError) -> Finding:
    if isinstance(error, AccessError):
        about = "host-key" if "host key" in error.message else "login"
        return Finding(about, "fail", error.message, error.hint)
    return Finding("reachable", "fail", error.message, error.hint)


def _host_key(lab: Lab, shown: str) -> Finding:
    if lab.host_keys:
        return Finding("host-key", "ok", f"{shown}, as the lab file pins it")
    return Finding("host-key", "ok", f"{shown}, as known_hosts has it")
