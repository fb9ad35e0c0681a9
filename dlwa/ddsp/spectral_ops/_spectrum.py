"""Short-time spectra: magnitude, mel, cepstrum."""

import gin
import numpy as np
import tensorflow as tf

from dlwa.ddsp import core

from ._framing import pad

_register = gin.register(module="dlwa.ddsp.spectral_ops")


def _hop_size(frame_size, overlap):
    core.check_whole("frame_size", frame_size)
    if not 0.0 <= overlap < 1.0:
        raise ValueError(f"overlap={overlap} must be at least 0 and below 1")
    hop = int(frame_size * (1.0 - overlap))
    if hop < 1:
        raise ValueError(
            f"overlap={overlap} must leave a hop of at least one of frame_size={frame_size} samples"
        )
    return hop


def _mono(audio):
    """`[..., n_samples]` from audio that may have a channel axis of 1."""
    audio = core.tf_float32(audio)
    core.check_layout("audio", audio, "[batch, n_samples]", "[n_samples]", "[batch, n_samples, 1]")
    return audio[..., 0] if len(audio.shape) == 3 else audio


def _check_length(audio, frame_size, pad_end):
    if not pad_end and (audio.shape[-1] or frame_size) < frame_size:
        raise ValueError(
            f"audio.shape={tuple(audio.shape)} must have at least frame_size={frame_size} samples "
            "unless pad_end is True"
        )


def stft(audio, frame_size=2048, overlap=0.75, pad_end=True):
    """Short-time Fourier transform.

    Args:
        audio: `[batch, n_samples]`, `[n_samples]` or `[batch, n_samples, 1]`.
        frame_size: samples a frame; the FFT is as long, or the next power of two.
        overlap: share of a frame that the next one repeats.
        pad_end: pad with zeros so that no sample is left out.

    Returns:
        Complex `[batch, n_frames, n_frequencies]`.

    Raises:
        ValueError: if the audio is empty, too short or of another rank, or the overlap impossible.

    Example:
        >>> stft(tf.zeros([1, 16000])).shape
        TensorShape([1, 32, 1025])
    """
    hop, audio = _hop_size(frame_size, overlap), _mono(audio)
    _check_length(audio, frame_size, pad_end)
    return tf.signal.stft(
        signals=audio,
        frame_length=int(frame_size),
        frame_step=hop,
        fft_length=None,
        pad_end=pad_end,
    )


def stft_np(audio, frame_size=2048, overlap=0.75, pad_end=True):
    """Short-time Fourier transform in NumPy.

    Shapes as stft, `[batch, n_frames, n_frequencies]`, but the FFT is exactly frame_size long.
    """
    from scipy import signal

    hop, audio = _hop_size(frame_size, overlap), np.asarray(_mono(audio))
    _check_length(audio, frame_size, pad_end)
    if pad_end:
        audio = np.asarray(pad(audio, frame_size, hop, padding="same"))
    frames = np.lib.stride_tricks.sliding_window_view(audio, frame_size, axis=-1)[..., ::hop, :]
    window = signal.get_window("hann", frame_size)
    return np.fft.rfft(frames * window).astype(np.complex64)


@_register
def compute_mag(audio, size=2048, overlap=0.75, pad_end=True):
    """Magnitudes `[batch, n_frames, n_frequencies]` of the short-time spectrum, see stft.

    Example:
        >>> turning = tf.sin(2.0 * np.pi * 1000.0 * tf.range(16000.0) / 16000.0)
        >>> int(tf.argmax(compute_mag(turning, size=512)[4]))  # 1000 Hz is bin 1000 / 31.25
        32
    """
    return core.tf_float32(tf.abs(stft(audio, frame_size=size, overlap=overlap, pad_end=pad_end)))


@_register
def compute_mel(
    audio,
    lo_hz=0.0,
    hi_hz=8000.0,
    bins=64,
    fft_size=2048,
    overlap=0.75,
    pad_end=True,
    sample_rate=16000,
):
    """Magnitudes in mel bands, `[batch, n_frames, bins]`.

    Args:
        audio: see stft.
        lo_hz: lower edge of the lowest band.
        hi_hz: upper edge of the highest band.
        bins: number of bands.
        fft_size: samples a frame.
        overlap: see stft.
        pad_end: see stft.
        sample_rate: in Hz.

    Raises:
        ValueError: if the edges do not lie between 0 and half the sample rate.
    """
    core.check_whole("bins", bins)
    core.check_positive("sample_rate", sample_rate)
    hi_hz = hi_hz or sample_rate / 2
    if not 0.0 <= lo_hz < hi_hz <= sample_rate / 2:
        raise ValueError(
            f"lo_hz={lo_hz} and hi_hz={hi_hz} must rise from 0 to half of sample_rate={sample_rate}"
        )
    mag = compute_mag(audio, fft_size, overlap, pad_end)
    n_frequencies = int(mag.shape[-1])
    matrix = tf.signal.linear_to_mel_weight_matrix(
        bins, n_frequencies, sample_rate, float(lo_hz), float(hi_hz)
    )
    return tf.tensordot(mag, matrix, 1)


@_register
def compute_logmag(audio, size=2048, overlap=0.75, pad_end=True):
    """Natural logarithm of the magnitudes, see compute_mag."""
    return core.safe_log(compute_mag(audio, size, overlap, pad_end))


@_register
def compute_logmel(
    audio,
    lo_hz=80.0,
    hi_hz=7600.0,
    bins=64,
    fft_size=2048,
    overlap=0.75,
    pad_end=True,
    sample_rate=16000,
):
    """Natural logarithm of the mel bands, see compute_mel."""
    return core.safe_log(
        compute_mel(audio, lo_hz, hi_hz, bins, fft_size, overlap, pad_end, sample_rate)
    )


@_register
def compute_mfcc(
    audio,
    lo_hz=20.0,
    hi_hz=8000.0,
    fft_size=1024,
    mel_bins=128,
    mfcc_bins=13,
    overlap=0.75,
    pad_end=True,
    sample_rate=16000,
):
    """Mel cepstrum, a description of timbre without pitch: `[batch, n_frames, mfcc_bins]`.

    Example:
        >>> compute_mfcc(tf.ones([2, 4096])).shape
        TensorShape([2, 16, 13])
    """
    core.check_whole("mfcc_bins", mfcc_bins)
    if mfcc_bins > mel_bins:
        raise ValueError(f"mfcc_bins={mfcc_bins} must be at most mel_bins={mel_bins}")
    logmel = compute_logmel(audio, lo_hz, hi_hz, mel_bins, fft_size, overlap, pad_end, sample_rate)
    return tf.signal.mfccs_from_log_mel_spectrograms(logmel)[..., :mfcc_bins]
