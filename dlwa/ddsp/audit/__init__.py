"""Are these recordings worth training on? A table by file, a verdict, and what to do about it.

    from dlwa.ddsp import audit
    found = audit.audit_files(paths)
    print(found.verdict, found.missing, found.advice)

Needs NumPy, soundfile and soxr only, no TensorFlow, so that a laptop can ask before anything is
sent anywhere: ``python -m dlwa.ddsp.audit FOLDER``.
"""

from dlwa.ddsp.audit._coverage import Coverage, coverage
from dlwa.ddsp.audit._file import FileAudit, FileAuditor
from dlwa.ddsp.audit._folder import audit_file, audit_files, file_audit
from dlwa.ddsp.audit._twins import find_twins
from dlwa.ddsp.audit._verdict import SetAudit, judge, remarks_on

__all__ = [
    "Coverage",
    "FileAudit",
    "FileAuditor",
    "SetAudit",
    "audit_file",
    "audit_files",
    "coverage",
    "file_audit",
    "find_twins",
    "judge",
    "remarks_on",
]
