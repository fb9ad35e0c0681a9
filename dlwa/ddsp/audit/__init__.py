"""Are these recordings worth training on? A table by file, a verdict, and what to do about it.

    from dlwa.ddsp import audit
    found = audit.audit_files(paths)
    print(found.verdict, found.missing, found.advice)

Needs NumPy, soundfile and soxr only, no TensorFlow, so that a laptop can ask before anything is
sent anywhere: ``python -m dlwa.ddsp.audit FOLDER``. The parts are imported when first used, so that
the command can say which of the three is missing.
"""

import importlib

_PARTS = {
    "CANCELLED_DB": "_verdict",
    "Coverage": "_coverage",
    "coverage": "_coverage",
    "FileAudit": "_file",
    "FileAuditor": "_file",
    "audit_file": "_folder",
    "audit_files": "_folder",
    "file_audit": "_folder",
    "find_twins": "_twins",
    "SetAudit": "_verdict",
    "judge": "_verdict",
    "remarks_on": "_verdict",
}
__all__ = sorted(_PARTS)


def __getattr__(name):
    if name not in _PARTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PARTS[name]}"), name)


def __dir__():
    return sorted([*globals(), *_PARTS])
