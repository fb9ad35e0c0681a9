"""Strips of sounding audio, and the windows cut from them.

A strip is a list of pieces laid end to end. A recording that fills at least one window is a strip
of its own; shorter ones (single notes, say) are laid one after the other until windows fit. At
the seams, which lie in rests, the audio is faded over 5 ms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dlwa.ddsp.training.data_preparation._recording import Recording
from dlwa.ddsp.training.data_preparation._settings import CREPE_RATE, Settings

_FADE_S = 0.005
_LEAST_FILLED = 0.5


@dataclass(frozen=True)
class Piece:
    """Frames [start, stop) of a recording; ``sounds`` is True where the instrument sounds."""

    recording: Recording
    sounds: np.ndarray
    start: int
    stop: int

    @property
    def n_frames(self) -> int:
        """Length in frames."""
        return self.stop - self.start


Strip = list[Piece]


@dataclass(frozen=True)
class Window:
    """One example to be: its strip and its first frame there."""

    strip: Strip
    start: int


def length(strip: Strip) -> int:
    """Length of a strip in frames."""
    return sum(piece.n_frames for piece in strip)


def join(materials: Sequence[Strip], settings: Settings) -> list[Strip]:
    """Strips that each fill a window: long materials alone, short ones joined."""
    need = settings.frames_per_example
    strips = [strip for strip in materials if length(strip) >= need]
    short = [piece for strip in materials if length(strip) < need for piece in strip]
    if short and length(short) < need and strips:
        strips[-1] = strips[-1] + short
    elif short:
        strips.append(short)
    return strips


def cut(strip: Strip, settings: Settings) -> Iterator[Window]:
    """Windows a hop apart; the last one ends with the strip, so that no audio is lost.

    A strip shorter than a window gives one window, filled up with silence, if it fills at least
    half of it, else none.
    """
    need, hop, total = settings.frames_per_example, settings.frames_per_hop, length(strip)
    if total < need:
        if total >= need * _LEAST_FILLED:
            yield Window(strip, 0)
        return
    starts = list(range(0, total - need + 1, hop))
    if total - need - starts[-1] > hop // 2:
        starts.append(total - need)
    for start in starts:
        yield Window(strip, start)


def silent_share(window: Window, settings: Settings) -> float:
    """Share of a window in which nothing sounds, 0...1."""
    need = settings.frames_per_example
    heard = sum(
        int(piece.sounds[piece.start + skip : piece.start + skip + n].sum())
        for piece, skip, _, n in _overlaps(window, need)
    )
    return 1.0 - heard / need


def example(window: Window, settings: Settings) -> dict[str, np.ndarray]:
    """The features of a window as float32 arrays, by their names in the TFRecord."""
    frames = settings.frames_per_example + int(settings.center)
    return {
        "audio": _audio(window, "audio", settings.sample_rate, settings),
        "audio_16k": _audio(window, "audio_16k", CREPE_RATE, settings),
        "f0_hz": _feature(window, "f0_hz", frames),
        "f0_confidence": _feature(window, "f0_confidence", frames),
        "loudness_db": _feature(window, "loudness_db", frames),
    }


def _overlaps(window: Window, n_frames: int) -> Iterator[tuple[Piece, int, int, int]]:
    """Pieces inside the window: (piece, frames skipped in it, place in window, frames taken)."""
    offset = 0
    for piece in window.strip:
        first = max(offset, window.start)
        last = min(offset + piece.n_frames, window.start + n_frames)
        if last > first:
            yield piece, first - offset, first - window.start, last - first
        offset += piece.n_frames


_FILL = {"loudness_db": -80.0}


def _feature(window: Window, name: str, n_frames: int) -> np.ndarray:
    out = np.full(n_frames, _FILL.get(name, 0.0), np.float32)
    end = 0
    for piece, skip, place, n in _overlaps(window, n_frames):
        values = getattr(piece.recording, name)
        out[place : place + n] = values[piece.start + skip : piece.start + skip + n]
        end = place + n
    if end == n_frames - 1 and n_frames > 1:  # the extra centred frame at the end of a strip
        last = window.strip[-1]
        values = getattr(last.recording, name)
        out[end] = values[min(last.stop, len(values) - 1)]
    return out


def _audio(window: Window, name: str, rate: int, settings: Settings) -> np.ndarray:
    samples_per_frame = rate / settings.frame_rate
    out = np.zeros(int(settings.example_secs * rate), np.float32)
    for piece, skip, place, n in _overlaps(window, settings.frames_per_example):
        source = getattr(piece.recording, name)
        begin, end = round(place * samples_per_frame), round((place + n) * samples_per_frame)
        start = round((piece.start + skip) * samples_per_frame)
        part = source[start : start + min(end, len(out)) - begin]
        _fade(part, rate, at_start=skip == 0 and place > 0, at_end=_ends_inside(piece, skip, n))
        out[begin : begin + len(part)] = part
    return out


def _ends_inside(piece: Piece, skip: int, n: int) -> bool:
    """Whether the piece stops here although its recording goes on."""
    return skip + n == piece.n_frames and piece.stop < piece.recording.n_frames


def _fade(part: np.ndarray, rate: int, at_start: bool, at_end: bool) -> None:
    n = min(int(_FADE_S * rate), len(part))
    ramp = np.linspace(0.0, 1.0, n, dtype=np.float32)
    if at_start:
        part[:n] *= ramp
    if at_end:
        part[len(part) - n :] *= ramp[::-1]
