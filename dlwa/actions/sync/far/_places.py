"""Which folder a request means, and how what goes wrong there is told."""

import errno
from pathlib import Path
from typing import Any

from dlwa.actions.sync.files import of_the_system
from dlwa.errors import DlwaError, UsageError
from dlwa.names import Name, parse_name
from dlwa.workspace import Workspace

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


def folder_of(request: dict[str, Any], workspace: Workspace) -> tuple[Name, Path]:
    name = parse_name(str(request["name"]))
    homes = workspace.homes()
    if request["home"] not in homes:
        raise UsageError(f"home={request['home']!r} must be one of {', '.join(homes)}")
    return name, homes[str(request["home"])] / name.path


def told_of(error: Exception) -> dict[str, Any]:
    if isinstance(error, DlwaError):
        return {"message": error.message, "hint": error.hint, "code": int(error.exit_code)}
    told = str(error)
    if isinstance(error, OSError) and error.filename:
        told = f"{error.strerror}: {error.filename}"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room: ./dlwa.py user usage shows who fills it"
        return {"message": f"the disk of the lab is full ({told})", "hint": hint, "code": 1}
    if isinstance(error, OSError) and error.errno in _NOT_ALLOWED:
        message = f"the lab: its login may not write there ({told})"
        return {"message": message, "hint": "ask who looks after the lab", "code": 4}
    return {"message": f"the lab: {told}", "hint": "", "code": 1}


def reason_of(error: Exception) -> str:
    return of_the_system(error, "the lab") if isinstance(error, OSError) else str(error)
