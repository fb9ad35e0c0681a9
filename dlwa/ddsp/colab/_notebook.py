"""Sound in and out of a notebook."""

import io

import numpy as np
import soundfile

from dlwa.ddsp.audio_io import resample

DEFAULT_SAMPLE_RATE = 16000


def audio_bytes_to_np(
    wav_data: bytes,
    sample_rate: int = DEFAULT_SAMPLE_RATE,
    normalize_db: float | None = 0.1,
    mono: bool = True,
) -> np.ndarray:
    """Decode the bytes of an audio file to float32 samples `[n]` (`[channels, n]` if not mono).

    With ``normalize_db`` the loudest sample is brought to that many dB below full scale.
    """
    samples, rate = soundfile.read(io.BytesIO(wav_data), dtype="float32", always_2d=True)
    channels = [samples.mean(axis=1)] if mono else list(samples.T)
    audio = np.stack([resample(channel, rate, sample_rate) for channel in channels])
    peak = np.abs(audio).max(initial=0.0)
    if normalize_db is not None and peak > 0:
        audio = audio * (10.0 ** (-abs(normalize_db) / 20.0) / peak)
    return audio[0] if mono else audio


def play(
    array_of_floats,
    sample_rate: int = DEFAULT_SAMPLE_RATE,
    ephemeral: bool = True,
    autoplay: bool = False,
) -> None:
    """Show a player for samples `[n]` or `[batch, n]` (the first is played) in a notebook.

    ``ephemeral`` is accepted for notebooks that pass it; players always stay in the output.
    """
    from IPython import display

    samples = np.asarray(array_of_floats, np.float32)
    samples = samples[0] if samples.ndim == 2 else samples
    display.display(display.Audio(samples, rate=sample_rate, autoplay=autoplay, normalize=False))


def record(
    seconds: int = 3, sample_rate: int = DEFAULT_SAMPLE_RATE, normalize_db: float = 0.1
) -> np.ndarray:
    """Record from the microphone; works only inside Google Colab."""
    raise NotImplementedError(
        "recording needs a browser that Google Colab talks to: record with any program and read "
        "the file with dlwa.ddsp.audio_io.read_audio"
    )


def upload(sample_rate: int = DEFAULT_SAMPLE_RATE, normalize_db: float | None = None):
    """Ask for audio files in Google Colab: their names and their samples."""
    try:
        from google.colab import files
    except ImportError:
        raise NotImplementedError(
            "uploading works only inside Google Colab: read the file with "
            "dlwa.ddsp.audio_io.read_audio"
        ) from None
    chosen = files.upload()
    return list(chosen), [
        audio_bytes_to_np(data, sample_rate, normalize_db) for data in chosen.values()
    ]
