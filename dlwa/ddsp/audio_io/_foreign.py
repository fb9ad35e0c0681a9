"""Formats that libsndfile does not know (m4a, mp4, aac, wma ...), through ffmpeg or PyAV."""

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlwa.ddsp.audio_io._errors import AudioFileError
from dlwa.ddsp.audio_io._files import FOREIGN_SUFFIXES

_BYTES_PER_SAMPLE = 4


def is_foreign(path: Path) -> bool:
    """Whether the file needs ffmpeg or PyAV."""
    return path.suffix.lower() in FOREIGN_SUFFIXES


def describe(path: Path) -> tuple[float, int, int, str]:
    """Seconds, sample rate, channels and codec of the first audio stream."""
    if shutil.which("ffprobe") and shutil.which("ffmpeg"):
        return _describe_with_ffprobe(path)
    if importlib.util.find_spec("av"):
        return _describe_with_av(path)
    raise AudioFileError(
        path,
        f"needs a decoder for {path.suffix.lower()} files, which is not installed: "
        "pip install av, or install ffmpeg, or save the recording as wav or flac",
    )


def stream(path: Path, block_frames: int) -> Iterator[np.ndarray]:
    """Blocks of samples `[frames, channels]`, float32, at the file's own rate."""
    _, _, channels, _ = describe(path)
    if shutil.which("ffprobe") and shutil.which("ffmpeg"):
        yield from _stream_with_ffmpeg(path, channels, block_frames)
    else:
        yield from _stream_with_av(path)


def _describe_with_ffprobe(path: Path) -> tuple[float, int, int, str]:
    ask = "stream=sample_rate,channels,codec_name:format=duration"
    argv = ["ffprobe", "-v", "error", "-select_streams", "a:0", "-of", "json"]
    done = subprocess.run([*argv, "-show_entries", ask, str(path)], capture_output=True, text=True)
    try:
        answer = json.loads(done.stdout)
        sound = answer["streams"][0]
        seconds = float(answer["format"]["duration"])
        return seconds, int(sound["sample_rate"]), int(sound["channels"]), sound["codec_name"]
    except (ValueError, KeyError, IndexError):
        said = (done.stderr.strip().splitlines() or ["it has no sound"])[-1]
        raise AudioFileError(path, f"is not readable audio ({said})") from None


def _stream_with_ffmpeg(path: Path, channels: int, block_frames: int) -> Iterator[np.ndarray]:
    argv = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a:0", "-f", "f32le"]
    size = block_frames * channels * _BYTES_PER_SAMPLE
    with subprocess.Popen([*argv, "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as job:
        try:
            while data := job.stdout.read(size):
                whole = len(data) - len(data) % (channels * _BYTES_PER_SAMPLE)
                yield np.frombuffer(data[:whole], "<f4").reshape(-1, channels)
        finally:
            job.stdout.close()
            code = job.wait()
    if code:
        raise AudioFileError(path, "cannot be decoded to its end (it is damaged or protected)")


def _describe_with_av(path: Path) -> tuple[float, int, int, str]:
    import av

    try:
        with av.open(str(path)) as file:
            sound = file.streams.audio[0]
            seconds = float(file.duration or 0) / av.time_base
            codec = sound.codec_context
            return seconds, codec.sample_rate, codec.channels, codec.name
    except IndexError:
        raise AudioFileError(path, "holds no sound") from None
    except av.FFmpegError as error:
        raise AudioFileError(path, f"is not readable audio ({error.strerror})") from None


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
