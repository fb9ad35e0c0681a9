"""A file in the place of the microphone, and one in the place of the speakers."""

import time

import numpy as np

from dlwa.ddsp.audio_io import stream_audio
from dlwa.ddsp.timbre_transfer import SoundWriter, check_output


def play_file(engine, source, target, pace=True, stopped=lambda: False, tell=lambda seconds: None):
    """Play a recording through an engine as if it came from a microphone.

    Args:
        engine: an Engine.
        source: the recording, of any format and rate.
        target: the file to write.
        pace: whether blocks come at the pace of the sound; otherwise as fast as they are played.
        stopped: asked before each block.
        tell: called with the seconds played.

    Returns:
        How many blocks came late.
    """
    check_output(target, None, source)
    late, begun = 0, time.monotonic()
    with SoundWriter(target, engine.rate_out) as writer:
        for number, block in enumerate(_blocks(stream_audio(source, engine.rate_in), engine)):
            if stopped():
                break
            due = begun + (number + 1) * engine.block_s  # when a microphone would have given it
            if pace:
                time.sleep(max(0.0, due - time.monotonic()))
            writer.add(engine.push(block))
            late += pace and time.monotonic() > due + engine.block_s
            tell((number + 1) * engine.block_s)
    return late


def _blocks(pieces, engine):
    """Cut a stream into blocks, the last one filled up with silence."""
    kept = np.zeros(0, np.float32)
    for piece in pieces:
        kept = np.concatenate([kept, np.asarray(piece, np.float32)])
        while len(kept) >= engine.block_in:
            yield kept[: engine.block_in]
            kept = kept[engine.block_in :]
    if len(kept):
        yield np.pad(kept, (0, engine.block_in - len(kept)))
