"""Formats that libsndfile does not know (m4a, videos, odd codecs ...), through ffmpeg or PyAV."""

import importlib.util
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlwa.ddsp.audio_io._errors import AudioFileError
from dlwa.ddsp.audio_io._files import FOREIGN_SUFFIXES, PROTECTED_SUFFIXES

_BYTES_PER_SAMPLE = 4
_BLOCK_FRAMES = 1 << 16
_INSTALL = "install ffmpeg, or pip install av, or save the recording as wav or flac"
_NO_DECODER = re.compile(r"decoder.*not found|unknown decoder|no decoder|decoding requested", re.I)


def is_foreign(path: Path) -> bool:
    """Whether the file needs ffmpeg or PyAV by its name."""
    return path.suffix.lower() in FOREIGN_SUFFIXES | PROTECTED_SUFFIXES


def is_available() -> bool:
    """Whether ffmpeg or PyAV is there."""
    return _has_ffmpeg() or importlib.util.find_spec("av") is not None


def describe(path: Path) -> tuple[float, int, int, str]:
    """Seconds, sample rate, channels and codec of the first audio stream."""
    if path.suffix.lower() in PROTECTED_SUFFIXES:
        raise AudioFileError(
            path, f"is copy-protected ({path.suffix.lower()}): only its shop's player can read it"
        )
    if _has_ffmpeg():
        return _describe_with_ffprobe(path)
    if is_available():
        return _describe_with_av(path)
    raise AudioFileError(
        path,
        f"needs a decoder for {path.suffix.lower()} files, which is not installed: {_INSTALL}",
    )


def stream(path: Path, block_frames: int) -> Iterator[np.ndarray]:
    """Blocks of samples `[frames, channels]`, float32, at the file's own rate."""
    if _has_ffmpeg():
        _, _, channels, codec = _asked_ffprobe(path)
        yield from _stream_with_ffmpeg(path, channels, block_frames, codec)
    else:
        yield from _stream_with_av(path)


def _has_ffmpeg() -> bool:
    return bool(shutil.which("ffprobe") and shutil.which("ffmpeg"))


def _describe_with_ffprobe(path: Path) -> tuple[float, int, int, str]:
    seconds, rate, channels, codec = _asked_ffprobe(path)
    if seconds is None:  # as browsers and phones write them: the length is nowhere stated
        blocks = _stream_with_ffmpeg(path, channels, _BLOCK_FRAMES, codec)
        seconds = sum(map(len, blocks)) / rate
    return seconds, rate, channels, codec


def _asked_ffprobe(path: Path) -> tuple[float | None, int, int, str]:
    ask = "stream=sample_rate,channels,codec_name,codec_tag_string:format=duration"
    argv = ["ffprobe", "-v", "error", "-select_streams", "a:0", "-of", "json"]
    done = subprocess.run(
        [*argv, "-show_entries", ask, f"file:{path}"], capture_output=True, text=True
    )
    try:
        answer = json.loads(done.stdout)
        sound = answer["streams"][0]
    except (ValueError, KeyError, IndexError):
        said = (done.stderr.strip().splitlines() or ["it has no sound"])[-1]
        raise AudioFileError(path, f"is not readable audio ({_without_name(said)})") from None
    if sound.get("codec_tag_string") == "drms":
        raise AudioFileError(path, "is copy-protected: only its shop's player can read it")
    codec = sound.get("codec_name") or sound.get("codec_tag_string") or "unknown"
    try:
        rate, channels = int(sound["sample_rate"]), int(sound["channels"])
        if rate < 1 or channels < 1:
            raise ValueError(sound)
    except (ValueError, KeyError):
        raise AudioFileError(path, _lacks_decoder(codec)) from None
    try:
        seconds = float(answer["format"]["duration"])
    except (ValueError, KeyError):
        seconds = None
    return seconds, rate, channels, codec


def _stream_with_ffmpeg(
    path: Path, channels: int, block_frames: int, codec: str
) -> Iterator[np.ndarray]:
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
        if _NO_DECODER.search(said):
            raise AudioFileError(path, _lacks_decoder(codec))
        raise AudioFileError(path, "cannot be decoded to its end (it is damaged or protected)")


def _lacks_decoder(codec: str) -> str:
    return f"holds sound of the codec {codec!r}, for which this ffmpeg has no decoder"


def _without_name(said: str) -> str:
    """What ffprobe says, without the path it puts before."""
    return said.rsplit(": ", 1)[-1]


def _describe_with_av(path: Path) -> tuple[float, int, int, str]:
    import av

    try:
        with av.open(str(path)) as file:
            sound = file.streams.audio[0]
            codec = sound.codec_context
            seconds = float(file.duration or 0) / av.time_base
            about = codec.sample_rate, codec.channels, codec.name
    except IndexError:
        raise AudioFileError(path, "holds no sound") from None
    except av.FFmpegError as error:
        raise AudioFileError(path, f"is not readable audio ({error.strerror})") from None
    return seconds or sum(map(len, _stream_with_av(path))) / about[0], *about


def _stream_with_av(path: Path) -> Iterator[np.ndarray]:
    import av

    try:
        with av.open(str(path)) as file:
            convert = av.AudioResampler(format="flt")
            for frame in file.decode(audio=0):
                for part in convert.resample(frame):
                    samples = part.to_ndarray()
                    yield samples.reshape(-1, len(part.layout.channels)).astype(np.float32)
    except av.FFmpegError as error:
        raise AudioFileError(path, f"cannot be decoded to its end ({error.strerror})") from None
