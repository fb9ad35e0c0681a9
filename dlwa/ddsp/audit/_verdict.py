"""What to think of a set of recordings, and what to do: in the words of a musician."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from dlwa.ddsp.audit._coverage import Coverage, coverage, dynamic_range_db, holes
from dlwa.ddsp.audit._file import FileAudit
from dlwa.ddsp.audit._twins import find_twins
from dlwa.words import counted, some

ENOUGH_MIN, PLENTY_MIN, TOO_LITTLE_MIN = 10.0, 20.0, 2.0
CHORDS, PERHAPS_CHORDS = 0.35, 0.25
_SILENT_SHARE, _VOICED_SHARE = 0.5, 0.6
_LOUD_NOISE_BELOW_TOP_DB = 30.0
_SOFT_PEAK_DB = -30.0
_LOW_RATE = 16000
CANCELLED_DB = 6.0
_LEVELS_APART_DB = 12.0


@dataclass(frozen=True)
class SetAudit:
    """The verdict of a set: good, usable or poor, with the reasons and what would help."""

    files: list[FileAudit]
    refused: list[dict[str, str]]
    verdict: str
    summary: str
    minutes: float
    sounding_minutes: float
    dynamic_range_db: float
    coverage: Coverage | None
    missing: list[str]
    advice: list[str]
    remarks: dict[str, list[str]] = field(default_factory=dict)

    def as_dict(self) -> dict:
        """As plain values; the long lists stay out."""
        rows = []
        for file in self.files:
            row = file.as_dict()
            del row["heard"], row["envelope"]
            rows.append({**row, "remarks": self.remarks.get(file.file, [])})
        return {
            "verdict": self.verdict,
            "summary": self.summary,
            "minutes": round(self.minutes, 2),
            "sounding_minutes": round(self.sounding_minutes, 2),
            "dynamic_range_db": round(self.dynamic_range_db, 1),
            "coverage": self.coverage.as_dict() if self.coverage else None,
            "missing": self.missing,
            "advice": self.advice,
            "files": rows,
            "refused": self.refused,
        }


def judge(files: Sequence[FileAudit], refused: Sequence[dict[str, str]] = ()) -> SetAudit:
    """Judge recordings that were measured; those in ``refused`` could not be."""
    twins = find_twins(files)
    single = [file for file in files if file.file not in twins]
    remarks = {file.file: remarks_on(file, twins.get(file.file)) for file in files}
    sounding = sum(file.sounding_seconds for file in single) / 60.0
    clear = [file for file in single if file.chord_share <= CHORDS]
    found = coverage(clear)
    missing = holes(found, clear) if found else []
    advice = [*_advice(single, sounding, remarks), *_to_fill(missing)]
    verdict = _verdict(single, sounding, missing)
    return SetAudit(
        files=list(files),
        refused=list(refused),
        verdict=verdict,
        summary=_summary(verdict, sounding, sum(f.peak_db is not None for f in single)),
        minutes=sum(file.seconds for file in files) / 60.0,
        sounding_minutes=sounding,
        dynamic_range_db=dynamic_range_db(single),
        coverage=found,
        missing=missing,
        advice=advice,
        remarks={name: words for name, words in remarks.items() if words},
    )


def remarks_on(file: FileAudit, twin: str | None = None) -> list[str]:
    """What is remarkable about one recording, shortest first."""
    words = []
    if twin:
        words.append(f"same as {twin}")
    if file.peak_db is None:
        return [*words, "silent"]
    if file.clipped_places:
        words.append(f"clips in {counted(file.clipped_places, 'place')}")
    if file.cancelled_db > CANCELLED_DB:
        words.append("channels cancel each other")
    if file.peak_db < _SOFT_PEAK_DB:
        words.append("very soft")
    if noisy(file):
        words.append("noisy")
    if file.silent_share > _SILENT_SHARE:
        words.append("mostly silence")
    if file.chord_share > CHORDS:
        words.append("several notes at once")
    elif file.voiced_share < _VOICED_SHARE:
        words.append("little clear pitch")
    elif file.chord_share > PERHAPS_CHORDS:
        words.append("perhaps several notes at once")
    if file.sample_rate < _LOW_RATE:
        words.append(f"only {file.sample_rate / 1000:g} kHz")
    return words


def noisy(file: FileAudit) -> bool:
    """Whether hum or hiss is close below the music; where notes are many, nobody can tell."""
    if file.noise_floor_db is None or file.level_db is None or file.chord_share > CHORDS:
        return False
    return file.level_db - file.noise_floor_db < _LOUD_NOISE_BELOW_TOP_DB


def _verdict(files: Sequence[FileAudit], sounding_min: float, missing: list[str]) -> str:
    chords = sum(f.sounding_seconds for f in files if f.chord_share > CHORDS) / 60.0
    unclear = sum(f.sounding_seconds for f in files if f.voiced_share < _VOICED_SHARE) / 60.0
    if sounding_min < TOO_LITTLE_MIN or chords + unclear > 0.5 * sounding_min:
        return "poor"
    flawed = any(f.clipped_places or noisy(f) for f in files)
    if sounding_min < ENOUGH_MIN or missing or flawed or chords + unclear > 0.1 * sounding_min:
        return "usable"
    return "good"


def _summary(verdict: str, minutes: float, count: int) -> str:
    length = f"{minutes:.1f} minutes" if minutes >= 1.0 else counted(round(60 * minutes), "second")
    sound = f"{length} of sound in {counted(count, 'recording')}"
    if minutes < TOO_LITTLE_MIN:
        return f"{sound}: too little to learn an instrument from"
    if verdict == "poor":
        return f"{sound}, but too much of it is not one clear note at a time"
    if minutes < ENOUGH_MIN:
        return f"{sound}: it will learn something; 10 to 20 minutes learn well"
    if verdict == "usable":
        return f"{sound}: enough, with the flaws named below"
    return f"{sound}: enough, and clean"


def _advice(files, minutes: float, remarks: dict[str, list[str]]) -> list[str]:
    def named(word: str) -> list[str]:
        return [name for name, words in remarks.items() if any(word in w for w in words)]

    advice = []
    if minutes < ENOUGH_MIN:
        lacking = counted(math.ceil(ENOUGH_MIN - minutes), "minute")
        advice.append(f"record about {lacking} more of the same instrument")
    cures = (
        ("clips", "record softer or lower the gain, clipping is learned as part of the sound"),
        ("channels cancel", "export one channel as mono, one of them is upside down"),
        ("noisy", "record closer to the instrument in a quiet room, hum and hiss are learned too"),
        ("several notes", "leave out chords, double stops and long reverb: one note at a time"),
        ("little clear pitch", "check these: speech, percussion or breath have no pitch to learn"),
        ("mostly silence", "cut the silence away; what is left is used"),
        ("very soft", "record louder, softness this great buries the sound in noise"),
        ("same as", "one copy is enough, the others are not used"),
        ("only ", "record at 44.1 kHz or more, these lack the highs"),
    )
    for word, cure in cures:
        if names := named(word):
            advice.append(f"{some(names, 3)}: {cure}")
    levels = [f.level_db for f in files if f.level_db is not None and f.sounding_seconds > 10]
    if len(levels) > 1 and max(levels) - min(levels) > _LEVELS_APART_DB:
        advice.append(
            f"the recordings' levels lie {max(levels) - min(levels):.0f} dB apart: if the gain was "
            "changed between them, bring them to one level, loudness is what the model listens to"
        )
    return advice


def _to_fill(missing: list[str]) -> list[str]:
    if not missing:
        return []
    return ["play what is missing too: a model plays only what it has heard"]
