"""Sound decoded by the programs ffprobe and ffmpeg."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlwa.ddsp.audio_io._errors import BREAKS_OFF, LOCKED, NO_SOUND, AudioFileError, lacks_decoder

_BYTES_PER_SAMPLE = 4
_BLOCK_FRAMES = 1 << 16
_NO_DECODER = re.compile(r"decoder.*not found|unknown decoder|no decoder|decoding requested", re.I)


def describe(path: Path) -> tuple[float, int, int, str]:
    """Seconds, sample rate, channels and codec of the first audio stream."""
    seconds, rate, channels, codec = _ask(path)
    if seconds is None:  # as browsers and phones write them: the length is nowhere stated
        blocks = _decoded(path, channels, _BLOCK_FRAMES, codec)
        seconds = sum(map(len, blocks)) / rate
    return seconds, rate, channels, codec


def stream(path: Path, block_frames: int) -> Iterator[np.ndarray]:
    """Blocks of samples `[frames, channels]`, float32, at the file's own rate."""
    _, _, channels, codec = _ask(path)
    yield from _decoded(path, channels, block_frames, codec)


def _ask(path: Path) -> tuple[float | None, int, int, str]:
    ask = "stream=sample_rate,channels,codec_name,codec_tag_string:format=duration"
    argv = ["ffprobe", "-v", "error", "-select_streams", "a:0", "-of", "json"]
    done = subprocess.run(
        [*argv, "-show_entries", ask, f"file:{path}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    try:
        answer = json.loads(done.stdout)
        sound = answer["streams"][0]
    except (ValueError, KeyError, IndexError):
        said = done.stderr.strip().splitlines()
        why = f"is not readable audio ({_without_name(said[-1])})" if said else NO_SOUND
        raise AudioFileError(path, why) from None
    if sound.get("codec_tag_string") == "drms":
        raise AudioFileError(path, LOCKED)
    codec = sound.get("codec_name") or sound.get("codec_tag_string") or "unknown"
    try:
        rate, channels = int(sound["sample_rate"]), int(sound["channels"])
        if rate < 1 or channels < 1:
            raise ValueError(sound)
    except (ValueError, KeyError):
        raise AudioFileError(path, lacks_decoder(codec, "ffmpeg")) from None
    try:
        seconds = float(answer["format"]["duration"])
    except (ValueError, KeyError):
        seconds = None
    return seconds, rate, channels, codec


def _decoded(path: Path, channels: int, block_frames: int, codec: str) -> Iterator[np.ndarray]:
    argv = ["ffmpeg", "-v", "error", "-nostdin", "-xerror", "-i", f"file:{path}"]
    argv += ["-map", "0:a:0", "-f", "f32le", "-"]
    size = block_frames * channels * _BYTES_PER_SAMPLE
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=complaints) as job,
    ):
        ended = False
        try:
            while data := job.stdout.read(size):
                whole = len(data) - len(data) % (channels * _BYTES_PER_SAMPLE)
                yield np.frombuffer(data[:whole], "<f4").reshape(-1, channels)
            ended = True
        finally:
            job.stdout.close()
            code = job.wait()
        complaints.seek(0)
        said = complaints.read(10_000).decode(errors="replace")
    if ended and code:
        known = not _NO_DECODER.search(said)
        raise AudioFileError(path, BREAKS_OFF if known else lacks_decoder(codec, "ffmpeg"))


def _without_name(said: str) -> str:
    """What ffprobe says, without the path it puts before."""
    return said.rsplit(": ", 1)[-1]
