"""A look at recordings before they are sent: how much there is, and what will disappoint."""

import hashlib
import struct
import wave
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dlwa.actions.recordings import AUDIO
from dlwa.actions.sync.files import Entry
from dlwa.words import counted, size, some

USUAL_S = (600.0, 1200.0)
_LOW_RATE_HZ = 16000
_SHOWN = 4  # of what is wrong in the same way


@dataclass(frozen=True)
class Audit:
    """What was seen."""

    summary: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Header:
    """What the beginning of a recording says."""

    seconds: float
    rate_hz: int
    channels: int


def is_audio(path: str) -> bool:
    """Whether a file's name is that of a recording."""
    return PurePosixPath(path).suffix.lower() in AUDIO


def look(folder: Path, entries: Sequence[Entry]) -> Audit:
    """Look at the headers and for doubles; nothing is decoded."""
    recordings = [entry for entry in entries if is_audio(entry.path)]
    headers = {entry.path: header(folder / (entry.source or entry.path)) for entry in recordings}
    known = [one for one in headers.values() if one]
    seconds = sum(one.seconds for one in known)
    total = size(sum(entry.size for entry in entries))
    minutes = f", {seconds / 60:.1f} min" if known else ""
    part = (
        f" ({len(recordings) - len(known)} of unknown length)"
        if known and (len(known) < len(recordings))
        else ""
    )
    empty = [entry.path for entry in recordings if entry.size == 0]
    warnings = (
        [f"{some(empty, _SHOWN)} {'is' if len(empty) == 1 else 'are'} empty"] if empty else []
    )
    if known and len(known) == len(recordings) and seconds < USUAL_S[0]:
        warnings.append(
            f"{seconds / 60:.1f} minutes are little; a good model wants 10 to 20 minutes"
        )
    low = sorted(path for path, one in headers.items() if one and one.rate_hz < _LOW_RATE_HZ)
    if low:
        warnings.append(f"recorded below {_LOW_RATE_HZ} Hz, will sound dull: {some(low, _SHOWN)}")
    doubles = _doubles(folder, recordings)
    warnings += [f"the same recording twice: {some(twins, _SHOWN)}" for twins in doubles[:_SHOWN]]
    if len(doubles) > _SHOWN:
        warnings.append(f"and {counted(len(doubles) - _SHOWN, 'other recording')} more than once")
    summary = f"{counted(len(recordings), 'recording')}{minutes}{part}, {total}"
    return Audit(summary, tuple(warnings))


def header(path: Path) -> Header | None:
    """Length, rate and channels of a wav, flac or aiff file; None where they are not told."""
    try:
        if path.suffix.lower() == ".wav":
            return _wav(path)
        with path.open("rb") as stream:
            begin = stream.read(4096)
    except (OSError, EOFError, wave.Error, struct.error):
        return None
    if begin[:4] == b"fLaC":
        return _flac(begin)
    return _aiff(begin) if begin[:4] == b"FORM" else None


def _wav(path: Path) -> Header | None:
    """Read the chunks; the module wave knows only one of the formats."""
    with path.open("rb") as stream:
        if stream.read(4) not in (b"RIFF", b"RF64") or stream.read(8)[4:] != b"WAVE":
            return None
        rate, channels, per_second = 0, 0, 0
        while len(head := stream.read(8)) == 8:
            kind, length = head[:4], struct.unpack("<I", head[4:])[0]
            if kind == b"fmt ":
                fmt = stream.read(length + length % 2)
                channels, rate, per_second = struct.unpack("<HII", fmt[2:12])
            elif kind == b"data":
                end = path.stat().st_size
                length = min(length, end - stream.tell())
                return Header(length / per_second, rate, channels) if per_second else None
            else:
                stream.seek(length + length % 2, 1)
    return None


def _flac(begin: bytes) -> Header | None:
    if len(begin) < 26 or begin[4] & 0x7F != 0:
        return None
    packed = int.from_bytes(begin[18:26], "big")
    rate, channels = packed >> 44, (packed >> 41 & 7) + 1
    samples = packed & ((1 << 36) - 1)
    return Header(samples / rate, rate, channels) if rate and samples else None


def _aiff(begin: bytes) -> Header | None:
    place = begin.find(b"COMM")
    if place < 0 or len(begin) < place + 26:
        return None
    channels, frames, _bits, exponent, mantissa = struct.unpack(
        ">hIhHQ", begin[place + 8 : place + 26]
    )
    rate = mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63)
    return Header(frames / rate, round(rate), channels) if rate >= 1 else None


def _doubles(folder: Path, entries: Sequence[Entry]) -> list[list[str]]:
    """Files with the same content; only those of equal size are read."""
    by_size: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.size:
            by_size[entry.size].append(entry)
    found: dict[str, list[str]] = defaultdict(list)
    for same in by_size.values():
        if len(same) > 1:
            for entry in same:
                place = folder / (entry.source or entry.path)
                with suppress(OSError), place.open("rb") as stream:  # sending it will say why not
                    found[hashlib.file_digest(stream, "sha256").hexdigest()].append(entry.path)
    return [paths for paths in found.values() if len(paths) > 1]
