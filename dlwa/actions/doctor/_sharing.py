"""Checks of the workspace's folders: may this login write, and may several logins."""

import os
import shlex
from pathlib import Path

from dlwa.actions.doctor._base import Finding, Surroundings
from dlwa.hosts import processes
from dlwa.workspace import Workspace, is_groups

_A_GROUP = "students"


def write(around: Surroundings) -> Finding:
    """May this login write into the workspace?"""
    for folder in _common(around.root):
        if not os.access(folder, os.W_OK | os.X_OK):
            several = is_groups(around.root) or len(_logins(around.root)) > 1
            mend = f"sudo chown -R {processes.login()} {shlex.quote(str(folder))}"
            fix = _to_the_group(around.root) if several else mend
            return Finding("write", "fail", f"{folder} cannot be written to", fix)
    return Finding("write", "ok", f"{around.root} can be written to")


def sharing(around: Surroundings) -> Finding:
    """Where several logins work in one workspace: may each write what all need?"""
    if os.name != "posix":
        return Finding("sharing", "ok", "one login works here")
    logins, root = _logins(around.root), around.root
    if len(logins) < 2 and not is_groups(root):
        return Finding("sharing", "ok", "one login works here; who is who is courtesy")
    gid = root.stat().st_gid
    closed = [folder for folder in _common(root) if not _is_open(folder, gid)]
    if closed:
        shown = ", ".join(Workspace(root).shown(folder) for folder in closed[:3])
        text = f"{len(logins)} logins work here, but not all may write into {shown}"
        return Finding("sharing", "fail", text, _to_the_group(root))
    if os.geteuid() != 0 and gid not in {os.getegid(), *os.getgroups()}:
        text = f"this login is not in the group {_name(gid)} of the workspace"
        fix = f"sudo usermod -aG {_name(gid)} {processes.login()}   (then log in anew)"
        return Finding("sharing", "fail", text, fix)
    return Finding("sharing", "ok", f"the group {_name(gid)} shares it")


def _common(root: Path) -> list[Path]:
    """The folders in which everybody makes things."""
    space = Workspace(root)
    homes = {folder for home in space.homes().values() for folder in (home.parent, home)}
    own = [space.state, *(path for path in space.state.glob("*") if not path.is_symlink())]
    own = [folder for folder in own if folder.name != "locks"]  # open to all by themselves
    return [folder for folder in sorted({root, *homes, *own}) if folder.is_dir()]


def _is_open(folder: Path, gid: int) -> bool:
    return is_groups(folder) and folder.stat().st_gid == gid


def _logins(root: Path) -> set[int]:
    """The numbers of the logins to whom things in the workspace belong."""
    inside = [path for home in Workspace(root).homes().values() for path in home.glob("*")]
    return {path.lstat().st_uid for path in (*_common(root), *inside)}


def _to_the_group(root: Path) -> str:
    group = _name(root.stat().st_gid) if is_groups(root) else _A_GROUP
    words = shlex.join(str(folder.relative_to(root)) for folder in _common(root))
    place = shlex.quote(str(root))
    return f"cd {place} && sudo chgrp -R {group} . && sudo chmod 2775 {words}"


def _name(gid: int) -> str:
    try:
        import grp

        return grp.getgrgid(gid).gr_name
    except (ImportError, KeyError):
        return str(gid)
