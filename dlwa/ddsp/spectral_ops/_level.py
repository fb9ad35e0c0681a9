"""How loud a sound is, frame by frame."""

import gin
import numpy as np
import tensorflow as tf

from dlwa.ddsp import core
from dlwa.ddsp.core import DB_RANGE

from ._framing import pad

LD_RANGE = DB_RANGE


def _hop(sample_rate, frame_rate):
    if frame_rate <= 0 or sample_rate < frame_rate:
        raise ValueError(
            f"frame_rate={frame_rate} must be positive and at most sample_rate={sample_rate}"
        )
    return sample_rate // frame_rate


def a_weighting_db(frequencies_hz):
    """Sensitivity of the ear at moderate levels in dB (IEC 61672 curve A), at least -80 dB."""
    squared = np.asarray(frequencies_hz, dtype=np.float64) ** 2
    corners = np.array([12194.217, 20.598997, 107.65265, 737.86223]) ** 2
    with np.errstate(divide="ignore"):
        weights = 2.0 + 20.0 * (
            np.log10(corners[0])
            + 2.0 * np.log10(squared)
            - np.log10(squared + corners[0])
            - np.log10(squared + corners[1])
            - 0.5 * np.log10(squared + corners[2])
            - 0.5 * np.log10(squared + corners[3])
        )
    return np.maximum(-80.0, weights)


@gin.register(module="dlwa.ddsp.spectral_ops")
def compute_loudness(
    audio,
    sample_rate=16000,
    frame_rate=250,
    n_fft=512,
    range_db=DB_RANGE,
    ref_db=0.0,
    use_tf=True,
    padding="center",
):
    """Loudness in dB, weighted as the ear hears.

    Args:
        audio: `[batch, n_samples]` or `[n_samples]`.
        sample_rate: in Hz.
        frame_rate: frames a second.
        n_fft: samples a frame.
        range_db: how far down the scale reaches.
        ref_db: level that counts as 0 dB.
        use_tf: TensorFlow (differentiable); NumPy otherwise, with the same numbers.
        padding: see get_framed_lengths.

    Returns:
        `[batch, n_frames]` or `[n_frames]`.
    """
    hop = _hop(sample_rate, frame_rate)
    audio = pad(audio, n_fft, hop, padding=padding)
    frequencies_hz = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    weights = (10.0 ** (a_weighting_db(frequencies_hz) / 10.0)).astype(np.float32)
    if use_tf:
        frames = tf.signal.frame(audio, n_fft, hop) * tf.signal.hann_window(n_fft)
        power = tf.abs(tf.signal.rfft(frames, [n_fft])) ** 2.0 * weights
        average = tf.reduce_mean(power, axis=-1)
    else:
        frames = np.lib.stride_tricks.sliding_window_view(np.asarray(audio), n_fft, axis=-1)
        window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft)
        power = np.abs(np.fft.rfft(frames[..., ::hop, :] * window)) ** 2.0 * weights
        average = np.mean(power, axis=-1).astype(np.float32)
    return core.power_to_db(average, ref_db=ref_db, range_db=range_db, use_tf=use_tf)


def compute_rms_energy(audio, sample_rate=16000, frame_rate=250, frame_size=512, padding="center"):
    """Root mean square of each frame, `[batch, n_frames]`; arguments as compute_loudness."""
    hop = _hop(sample_rate, frame_rate)
    audio = pad(audio, frame_size, hop, padding=padding)
    frames = tf.signal.frame(audio, frame_size, hop)
    return tf.sqrt(tf.reduce_mean(frames**2.0, axis=-1))


def compute_power(
    audio,
    sample_rate=16000,
    frame_rate=250,
    frame_size=512,
    ref_db=0.0,
    range_db=DB_RANGE,
    padding="center",
):
    """Unweighted level of each frame in dB, `[batch, n_frames]`."""
    rms = compute_rms_energy(audio, sample_rate, frame_rate, frame_size, padding)
    return core.amplitude_to_db(rms, ref_db=ref_db, range_db=range_db)
