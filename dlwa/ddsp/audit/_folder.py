"""Auditing files: each is read once, in blocks, so a two-hour recording needs no more memory."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from dlwa.ddsp.audio_io import AudioFileError, AudioInfo, probe, stream_audio, told_name
from dlwa.ddsp.audit._file import FileAudit, FileAuditor
from dlwa.ddsp.audit._pitch import RATE
from dlwa.ddsp.audit._verdict import SetAudit, judge

SHORTEST_S = 0.05
Tell = Callable[[float, str], None]


def audit_files(paths: Sequence[Path], folder=None, tell: Tell | None = None) -> SetAudit:
    """Judge recordings, named relative to ``folder``.

    ``tell`` is called with the seconds of audio done since the last call and the name of the file.
    Files that cannot be read are listed in ``refused``, never raised.
    """
    files, refused = [], []
    for path in paths:
        name = told_name(path, folder or path.parent)
        try:
            files.append(audit_file(path, name, tell))
        except AudioFileError as error:
            refused.append({"file": name, "reason": error.reason})
    return judge(files, refused)


def audit_file(path: Path, name: str, tell: Tell | None = None) -> FileAudit:
    """Judge one recording. Raises AudioFileError, also for one too short to be of use."""
    info = probe(path)
    if info.seconds < SHORTEST_S:
        raise AudioFileError(path, f"is too short ({info.seconds:.3f} s)")
    auditor = FileAuditor(info.sample_rate)
    for block in stream_audio(path, RATE, watch=auditor.push_original):
        auditor.push_16k(block)
        if tell:
            tell(len(block) / RATE, name)
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise AudioFileError(path, f"cannot be read ({error.strerror})") from None
    return file_audit(info, name, digest, auditor.finish())


def file_audit(info: AudioInfo, name: str, sha256: str, measured: dict) -> FileAudit:
    """The judgement of a recording from its header and what a FileAuditor measured."""
    return FileAudit(
        file=name,
        seconds=round(info.seconds, 3),
        sample_rate=info.sample_rate,
        channels=info.channels,
        format=info.format,
        sha256=sha256,
        **measured,
    )
