"""Reading and writing audio files: any format, any rate, streamed, mono.

    audio, rate = read_audio("take.WAV", sample_rate=16000)
    for block in stream_audio("two_hours.flac", 16000): ...
    write_audio("out.wav", audio, 16000)

Every problem of a file is an ``AudioFileError`` whose ``reason`` a musician understands.
"""

from dlwa.ddsp.audio_io._errors import AudioFileError
from dlwa.ddsp.audio_io._files import (
    AUDIO_SUFFIXES,
    NoRecordingsError,
    find_audio_files,
    is_audio_name,
    recordings_in,
    told_name,
)
from dlwa.ddsp.audio_io._probe import CHANGED, AudioInfo, file_state, probe
from dlwa.ddsp.audio_io._read import read_audio, stream_audio
from dlwa.ddsp.audio_io._resample import resample
from dlwa.ddsp.audio_io._write import write_audio

__all__ = [
    "AUDIO_SUFFIXES",
    "CHANGED",
    "AudioFileError",
    "AudioInfo",
    "NoRecordingsError",
    "file_state",
    "find_audio_files",
    "is_audio_name",
    "probe",
    "read_audio",
    "recordings_in",
    "resample",
    "stream_audio",
    "told_name",
    "write_audio",
]
