"""How loud a sound is, frame by frame."""

import gin
import numpy as np
import tensorflow as tf

from dlwa.ddsp import core
from dlwa.ddsp.core import DB_RANGE

from ._framing import frame_at_rate

LD_RANGE = DB_RANGE


def a_weighting_db(frequencies_hz):
    """Sensitivity of the ear at moderate levels in dB (IEC 61672 curve A), at least -80 dB.

    Example:
        >>> print(a_weighting_db([100.0, 1000.0, 10000.0]).round(1))
        [-19.1   0.   -2.5]
    """
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

    Raises:
        ValueError: if the audio is empty or of another rank, or a rate is impossible.

    Example:
        >>> silence_then_step = tf.concat([tf.zeros([8000]), tf.ones([8000])], axis=0)
        >>> loudness_db = compute_loudness(silence_then_step)
        >>> loudness_db.shape, float(loudness_db[50])
        (TensorShape([251]), -80.0)
    """
    frames = frame_at_rate(audio, sample_rate, frame_rate, n_fft, padding)
    return loudness_of_frames(frames, sample_rate, range_db, ref_db, use_tf)


def loudness_of_frames(frames, sample_rate=16000, range_db=DB_RANGE, ref_db=0.0, use_tf=True):
    """Loudness in dB of sound that is cut into frames already; arguments as compute_loudness.

    Args:
        frames: `[..., n_fft]`.

    Returns:
        `[...]`.
    """
    n_fft = frames.shape[-1]
    frequencies_hz = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    weights = (10.0 ** (a_weighting_db(frequencies_hz) / 10.0)).astype(np.float32)
    if use_tf:
        spectrum = tf.signal.rfft(frames * tf.signal.hann_window(n_fft), [n_fft])
        power = tf.abs(spectrum) ** 2.0 * weights
        average = tf.reduce_mean(power, axis=-1)
    else:
        window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft)
        power = np.abs(np.fft.rfft(np.asarray(frames) * window)) ** 2.0 * weights
        average = np.mean(power, axis=-1).astype(np.float32)
    return core.power_to_db(average, ref_db=ref_db, range_db=range_db, use_tf=use_tf)


def compute_rms_energy(audio, sample_rate=16000, frame_rate=250, frame_size=512, padding="center"):
    """Root mean square of each frame, `[batch, n_frames]`; arguments as compute_loudness.

    Example:
        >>> rms = compute_rms_energy(tf.fill([1, 1600], 0.5))
        >>> float(rms[0, 10])
        0.5
    """
    frames = frame_at_rate(audio, sample_rate, frame_rate, frame_size, padding)
    power = tf.reduce_mean(frames**2.0, axis=-1)
    # The root has no slope in silence; 0 is what the sound's own slope there amounts to.
    sounding = power > 0.0
    return tf.where(sounding, tf.sqrt(tf.where(sounding, power, 1.0)), 0.0)


def compute_power(
    audio,
    sample_rate=16000,
    frame_rate=250,
    frame_size=512,
    ref_db=0.0,
    range_db=DB_RANGE,
    padding="center",
):
    """Unweighted level of each frame in dB, `[batch, n_frames]`; arguments as compute_loudness.

    Example:
        >>> round(float(compute_power(tf.fill([1, 1600], 0.1))[0, 10]), 3)
        -20.0
    """
    rms = compute_rms_energy(audio, sample_rate, frame_rate, frame_size, padding)
    return core.amplitude_to_db(rms, ref_db=ref_db, range_db=range_db)
