"""One recording, judged: from its samples to the numbers of the table."""

import itertools
from collections import Counter
from dataclasses import asdict, dataclass, field

import numpy as np

from dlwa.ddsp.audit._level import FRAME_S, LevelMeter
from dlwa.ddsp.audit._pitch import FRAMES_A_SECOND, HOP, RATE, LightTracker

CLEAR = 0.8
_NO_NOISE = 0.5  # below it nothing repeats, so nothing is a chord either
LEVEL_STEP_DB = 3.0
_A4_HZ, _A4 = 440.0, 69
_FEW_FRAMES = 5
_PARTS = 64
_MOST = 0.8


@dataclass(frozen=True)
class FileAudit:
    """What there is to know of a recording before training on it.

    Shares are 0...1; what cannot be measured (the noise beneath one held note) is None.
    ``cancelled_db`` is what the channels take from each other when they are averaged.
    ``heard`` says how long which note sounded how loud: (MIDI pitch, level in steps of 3 dB below
    full scale, seconds).
    """

    file: str
    seconds: float
    sample_rate: int
    channels: int
    format: str
    sha256: str = ""
    peak_db: float | None = None
    clipped_places: int = 0
    cancelled_db: float = 0.0
    noise_floor_db: float | None = None
    level_db: float | None = None
    silent_share: float = 1.0
    sounding_seconds: float = 0.0
    voiced_share: float = 0.0
    f0_hz: list[float] = field(default_factory=list)
    pitch_confidence: float | None = None
    chord_share: float = 0.0
    heard: list[list[float]] = field(default_factory=list)
    envelope: list[int] = field(default_factory=list)

    def as_dict(self) -> dict:
        """As plain values."""
        return asdict(self)


class FileAuditor:
    """Listens to a recording twice at once: every channel as it is, and mono at 16000 Hz."""

    def __init__(self, sample_rate: int):
        self._meter = LevelMeter(sample_rate)
        self._tracker = LightTracker()

    def push_original(self, block: np.ndarray) -> None:
        """Take the next samples `[frames, channels]` at the recording's own rate."""
        self._meter.push(block)

    def push_16k(self, block: np.ndarray) -> None:
        """Take the next samples `[n]`, mono at 16000 Hz."""
        self._tracker.push(block)

    def finish(self) -> dict:
        """The measured fields of a FileAudit, as plain values."""
        levels, track = self._meter.finish(), self._tracker.finish()
        if levels.peak <= 0.0:
            return {"peak_db": None}
        measured = {
            "peak_db": round(20.0 * float(np.log10(levels.peak)), 1),
            "clipped_places": levels.flat_tops if levels.flat_tops > 2 else 0,
            "cancelled_db": round(levels.cancelled_db, 1),
            "level_db": round(levels.top_db, 1),
            "silent_share": round(float(levels.silent.mean()), 3),
            "sounding_seconds": round(float((~levels.silent).sum()) * FRAME_S, 2),
            "envelope": _envelope(levels.frames_db),
        }
        found = {**measured, **_pitch(levels, track)}
        if track.noise_db is not None and _varied(found.get("heard", []), track.noise_s):
            found["noise_floor_db"] = round(track.noise_db, 1)
        return found


def _pitch(levels, track) -> dict:
    """Voiced share, range, clarity, chords and which notes sound how loud."""
    times = (np.arange(len(track.f0_hz)) * HOP / RATE / FRAME_S).astype(int)
    times = np.minimum(times, len(levels.frames_db) - 1)
    sounds = ~levels.silent[times]
    if sounds.sum() < _FEW_FRAMES:
        return {}
    clear = sounds & (track.clarity > CLEAR)
    chord = track.chord & sounds & (track.clarity > _NO_NOISE)
    found = {
        "voiced_share": round(float(clear.sum() / sounds.sum()), 3),
        "pitch_confidence": round(float(np.median(track.clarity[sounds])), 3),
        "chord_share": round(float(chord.sum() / sounds.sum()), 3),
    }
    clear &= ~chord  # of a chord the tracker hears a note that nobody played
    if clear.sum() < _FEW_FRAMES:
        return found
    f0_hz = track.f0_hz[clear]
    low, high = np.percentile(f0_hz, [2, 98])
    midi = np.round(_A4 + 12.0 * np.log2(f0_hz / _A4_HZ)).astype(int)
    steps = np.floor(levels.frames_db[times][clear] / LEVEL_STEP_DB).astype(int)
    counts = Counter(zip(midi.tolist(), steps.tolist(), strict=True))
    heard = [[m, s, round(n / FRAMES_A_SECOND, 2)] for (m, s), n in sorted(counts.items())]
    return {**found, "f0_hz": [round(float(low), 1), round(float(high), 1)], "heard": heard}


def _varied(heard: list[list[float]], seconds: float) -> bool:
    """Whether no note is held nearly all the time, so that what stays is noise."""
    by_note: Counter = Counter()
    for midi, _, held_s in heard:
        by_note[midi] += held_s
    return all(
        by_note[m - 1] + by_note[m] + by_note[m + 1] < _MOST * seconds for m in list(by_note)
    )


def _envelope(frames_db: np.ndarray) -> list[int]:
    """64 levels in dB from the beginning to the end: the same take looks the same in any format."""
    places = np.linspace(0, len(frames_db), _PARTS + 1).astype(int)
    return [
        round(float(frames_db[start : max(stop, start + 1)].max()))
        for start, stop in itertools.pairwise(places)
        if start < len(frames_db)
    ]
