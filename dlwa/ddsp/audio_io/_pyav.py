"""Sound decoded by PyAV, ffmpeg's libraries as a Python package: where no program is installed."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlwa.ddsp.audio_io._errors import BREAKS_OFF, LOCKED, NO_SOUND, AudioFileError, lacks_decoder


def describe(path: Path) -> tuple[float, int, int, str]:
    """Seconds, sample rate, channels and codec of the first audio stream."""
    import av

    with _opened(path) as (file, sound):
        codec = sound.codec_context
        seconds = float(file.duration or 0) / av.time_base
        about = codec.sample_rate, codec.channels, codec.name
        if min(about[:2]) < 1:
            raise AudioFileError(path, lacks_decoder(codec.name, "PyAV"))
    # as browsers and phones write them: the length may be nowhere stated
    return seconds or sum(map(len, stream(path))) / about[0], *about


def stream(path: Path, block_frames: int = 0) -> Iterator[np.ndarray]:
    """Blocks of samples `[frames, channels]`, float32, at the file's own rate.

    They are as long as the file's packets, whatever ``block_frames`` asks for. Where rate or
    channels change on the way (files put together), what follows is made like the beginning.
    """
    import av

    with _opened(path) as (file, sound):
        try:
            for part in _alike(file.decode(sound), sound.codec_context):
                samples = part.to_ndarray()
                yield samples.reshape(-1, len(part.layout.channels)).astype(np.float32)
        except (av.FFmpegError, ValueError):
            raise AudioFileError(path, BREAKS_OFF) from None


def _alike(frames, codec):
    """The frames as float32, all at the rate and in the layout that the file announced."""
    import av

    layout, rate = codec.layout, codec.sample_rate  # now: the decoder changes them on its way
    kind, convert = None, None
    for frame in frames:
        now = frame.format.name, frame.layout.name, frame.sample_rate
        if now != kind:
            yield from convert.resample(None) if convert else ()
            kind = now
            convert = av.AudioResampler(format="flt", layout=layout, rate=rate)
        yield from convert.resample(frame)
    yield from convert.resample(None) if convert else ()


@contextlib.contextmanager
def _opened(path: Path):
    """The file and its first audio stream, which has a decoder."""
    import av

    with contextlib.ExitStack() as opened:
        try:
            # opened here: PyAV takes only names in UTF-8, and those with a colon for addresses
            stream = opened.enter_context(path.open("rb"))
            file = opened.enter_context(av.open(stream, metadata_errors="replace"))
        except av.FFmpegError as error:
            raise AudioFileError(path, f"is not readable audio ({error.strerror})") from None
        if not file.streams.audio:
            raise AudioFileError(path, NO_SOUND)
        sound = file.streams.audio[0]
        if sound.codec_context is None:
            raise AudioFileError(path, lacks_decoder("unknown", "PyAV"))
        if sound.codec_context.codec_tag == "drms":
            raise AudioFileError(path, LOCKED)
        yield file, sound
