"""Recordings that are there twice: copies, and one take in two formats or at two levels.

Learned from twice they weigh double; and if one of them is held out, the model is judged by music
it has heard.
"""

from collections import Counter
from collections.abc import Sequence

from dlwa.ddsp.audit._file import FileAudit

_SECONDS_APART = 0.15  # what the padding of encoders adds
_SHORTEST_S = 2.0
_DB_APART = 2.0
_AUDIBLE_DB = -70.0
_SAME_NOTES = 0.85
_LOSSLESS = {"float", "double", "alac", "flac", "ape", "wavpack", "tta", "wmalossless"}
_BITS = {"float": 25, "double": 54}  # of the mantissa


def find_twins(files: Sequence[FileAudit]) -> dict[str, str]:
    """The name of each further copy, to the name of the one to keep: the least damaged."""
    found: dict[str, str] = {}
    best_first = sorted(files, key=fidelity, reverse=True)  # equals stay in their order
    for i, file in enumerate(best_first):
        for other in best_first[:i]:
            if other.file not in found and same_take(file, other):
                found[file.file] = other.file
                break
    return found


def fidelity(file: FileAudit) -> tuple[bool, int, int]:
    """How much of the sound a file keeps: nothing left out by an encoder, rate, bits."""
    words = file.format.replace("_", " ").split()
    lossless = any(word in _LOSSLESS or word.startswith("pcm") for word in words)
    bits = max([int(word) for word in words if word.isdigit()], default=0)
    return lossless, file.sample_rate, _BITS.get(words[-1] if words else "", bits)


def same_take(a: FileAudit, b: FileAudit) -> bool:
    """Whether two recordings are one: the same bytes, or the same notes with the same swells."""
    if a.sha256 and a.sha256 == b.sha256:
        return True
    if abs(a.seconds - b.seconds) > _SECONDS_APART or min(a.seconds, b.seconds) < _SHORTEST_S:
        return False
    return _same_swells(a, b) and _same_notes(a, b)


def _same_swells(a: FileAudit, b: FileAudit) -> bool:
    """Two takes of one piece differ by more than this; one take in two formats does not."""
    if len(a.envelope) != len(b.envelope):
        return False
    shift = (a.level_db or 0.0) - (b.level_db or 0.0)
    pairs = zip(a.envelope, b.envelope, strict=True)
    apart = [abs(x - y - shift) for x, y in pairs if x > _AUDIBLE_DB]
    return bool(apart) and max(apart) <= _DB_APART


def _same_notes(a: FileAudit, b: FileAudit) -> bool:
    """Whether the same notes sound for as long; without clear notes nobody can say."""
    notes_a, notes_b = _notes(a), _notes(b)
    common = sum((notes_a & notes_b).values())
    most = max(sum(notes_a.values()), sum(notes_b.values()))
    return bool(most) and common >= _SAME_NOTES * most


def _notes(file: FileAudit) -> Counter:
    """Hundredths of a second by MIDI pitch."""
    counted: Counter = Counter()
    for midi, _, seconds in file.heard:
        counted[midi] += round(100 * seconds)
    return counted
