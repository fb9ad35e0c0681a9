"""Which part of the recordings is held out to judge the model by.

Whole recordings are held out where possible, chosen by their content, so that the choice is the
same on every machine and under any file name. With a single recording (or recordings so unequal
that none fits) the end of the longest one is held out.
"""

import hashlib
from dataclasses import dataclass

from dlwa.ddsp.training.data_preparation._settings import Settings
from dlwa.ddsp.training.data_preparation._strips import Piece, Strip, length

# Holding out by file may miss the wanted share by so much.
_ENOUGH, _AT_MOST = 0.75, 2.0
_SMALLEST_TO_SPLIT = 4  # windows' worth of audio


@dataclass(frozen=True)
class Split:
    """Materials (one strip a recording) to train on and to hold out, and how they were chosen."""

    train: list[Strip]
    heldout: list[Strip]
    how: str


def split(materials: list[Strip], hashes: list[str], settings: Settings) -> Split:
    """Hold out about ``heldout_fraction`` of the sounding audio."""
    total = sum(length(strip) for strip in materials)
    wanted = settings.heldout_fraction * total
    if not wanted:
        return Split(materials, [], "nothing held out")
    if total < _SMALLEST_TO_SPLIT * settings.frames_per_example:
        return Split(materials, [], "nothing held out: too little audio")
    wanted = max(wanted, settings.frames_per_example)
    chosen = _by_file(materials, hashes, settings, wanted)
    if chosen:
        train = [strip for i, strip in enumerate(materials) if i not in chosen]
        return Split(train, [materials[i] for i in sorted(chosen)], "whole recordings")
    return _by_time(materials, int(wanted))


def _by_file(materials, hashes, settings: Settings, wanted: float) -> set[int]:
    def draw(i: int) -> str:
        return hashlib.sha256(f"{settings.seed}:{hashes[i]}".encode()).hexdigest()

    chosen: set[int] = set()
    taken = 0
    for i in sorted(range(len(materials)), key=draw):
        if taken < _ENOUGH * wanted and taken + length(materials[i]) <= _AT_MOST * wanted:
            chosen.add(i)
            taken += length(materials[i])
    enough = taken >= max(settings.frames_per_example, _ENOUGH * wanted)
    return chosen if enough and len(chosen) < len(materials) else set()


def _by_time(materials: list[Strip], wanted: int) -> Split:
    longest = max(range(len(materials)), key=lambda i: length(materials[i]))
    front, back = divide(materials[longest], length(materials[longest]) - wanted)
    train = [strip for i, strip in enumerate(materials) if i != longest]
    train.insert(longest, front)
    return Split(train, [back], "the end of the longest recording")


def divide(strip: Strip, at: int) -> tuple[Strip, Strip]:
    """Cut a strip in two at a frame, so that the parts share no frame."""
    front: Strip = []
    back: Strip = []
    offset = 0
    for piece in strip:
        middle = min(max(at - offset, 0), piece.n_frames) + piece.start
        for part, start, stop in ((front, piece.start, middle), (back, middle, piece.stop)):
            if stop > start:
                part.append(Piece(piece.recording, piece.sounds, start, stop))
        offset += piece.n_frames
    return front, back
