"""Filtering with impulse responses that may change from frame to frame."""

import math

import tensorflow as tf
from scipy import fft

from ._checks import check_agree, check_hz, check_layout, check_positive, check_whole
from ._helpers import tf_float32


def get_fft_size(frame_size, ir_size, power_of_2=True):
    """Smallest convenient FFT length for convolving a frame with an impulse response.

    Args:
        frame_size: samples a frame.
        ir_size: samples of the impulse response.
        power_of_2: a power of two; otherwise a product of small primes.

    Raises:
        ValueError: if a size is negative.

    Example:
        >>> get_fft_size(64, 257), get_fft_size(64, 257, power_of_2=False)
        (512, 320)
    """
    check_whole("frame_size", frame_size, least=0)
    check_whole("ir_size", ir_size, least=0)
    needed = ir_size + frame_size - 1
    if power_of_2:
        return int(2 ** math.ceil(math.log2(needed)))
    return int(fft.next_fast_len(needed, real=True))


def _check_padding(padding):
    if padding not in ("same", "valid"):
        raise ValueError(f"padding={padding!r} must be 'same' or 'valid'")


def crop_and_compensate_delay(audio, audio_size, ir_size, padding, delay_compensation):
    """Cut the tail of a convolution and undo the delay of the filter.

    Args:
        audio: `[batch, n_samples]`, the full convolution (maybe longer).
        audio_size: samples of the input.
        ir_size: samples of the impulse response.
        padding: 'same' keeps audio_size samples, 'valid' the whole tail.
        delay_compensation: samples to drop at the start; negative: the delay of a linear phase
            filter.

    Returns:
        `[batch, audio_size]`, or `[batch, audio_size + ir_size - 1]` with 'valid'; zeros follow
        where the convolution has ended (the reference returns nothing at all when there is
        nothing to cut, and for responses of one or two samples).

    Raises:
        ValueError: if the padding is unknown.
    """
    _check_padding(padding)
    crop_size = audio_size if padding == "same" else ir_size + audio_size - 1
    start = (ir_size - 1) // 2 - 1 if delay_compensation < 0 else delay_compensation
    start = tf.maximum(start, 0) if tf.is_tensor(start) else max(start, 0)
    missing = start + crop_size - _size(audio, 1)
    if not isinstance(missing, int) or missing > 0:
        audio = tf.pad(audio, [[0, 0], [0, tf.maximum(missing, 0)]])
    audio = audio[:, start : start + crop_size]
    return tf.ensure_shape(audio, [None, crop_size if isinstance(crop_size, int) else None])


def fft_convolve(audio, impulse_response, padding="same", delay_compensation=-1):
    """Filter a sound with an impulse response, or with one a frame.

    Args:
        audio: `[batch, n_samples]`.
        impulse_response: `[batch, ir_size]` or `[batch, n_frames, ir_size]`; a batch of 1 serves
            all. The sound is cut into n_frames blocks, each filtered with its own response, and
            the results overlap.
        padding: 'same' or 'valid', see crop_and_compensate_delay.
        delay_compensation: see crop_and_compensate_delay.

    Returns:
        Audio `[batch, n_samples]`, longer with 'valid'.

    Raises:
        ValueError: if batches differ or the sound cannot be cut into that many blocks.
    """
    _check_padding(padding)
    audio, impulse_response = tf_float32(audio), tf_float32(impulse_response)
    check_layout("audio", audio, "[batch, n_samples]")
    check_layout(
        "impulse_response", impulse_response, "[batch, ir_size]", "[batch, n_frames, ir_size]"
    )
    if len(impulse_response.shape) == 2:
        impulse_response = impulse_response[:, tf.newaxis, :]
    if impulse_response.shape[0] != 1:
        check_agree(["batch"], audio=audio, impulse_response=impulse_response)
    audio_size, ir_size = _size(audio, 1), _size(impulse_response, 2)
    frame_size = _block_size(audio_size, impulse_response)
    blocks = tf.signal.frame(audio, frame_size, frame_size, pad_end=True)
    filtered = _multiply_spectra(blocks, impulse_response, frame_size, ir_size)
    filtered = tf.signal.overlap_and_add(filtered, frame_size)
    return crop_and_compensate_delay(filtered, audio_size, ir_size, padding, delay_compensation)


def _size(x, axis):
    """A number where it is known, else a tensor."""
    return x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]


def _block_size(audio_size, impulse_response):
    """Samples each response of `[batch, n_frames, ir_size]` filters."""
    n_frames = _size(impulse_response, 1)
    frame_size = -(-audio_size // n_frames)
    n_blocks = -(-audio_size // frame_size)
    if not (isinstance(audio_size, int) and isinstance(n_frames, int)):
        fits = tf.debugging.assert_equal(
            n_blocks, n_frames, "audio must make as many blocks as impulse_response has frames"
        )
        with tf.control_dependencies([] if fits is None else [fits]):
            return tf.identity(frame_size)
    if n_blocks != n_frames:
        raise ValueError(
            f"impulse_response.shape={tuple(impulse_response.shape)} must have n_frames={n_blocks},"
            f" since n_samples={audio_size} make that many blocks of {frame_size}"
        )
    return frame_size


def _multiply_spectra(blocks, impulse_response, frame_size, ir_size):
    if isinstance(frame_size, int) and isinstance(ir_size, int):
        fft_length = [get_fft_size(frame_size, ir_size)]
    else:
        needed = tf.cast(frame_size + ir_size - 1, tf.float64)
        # float64, so that no power of two just above a length is missed.
        exponent = tf.math.ceil(tf.math.log(needed) / math.log(2.0) - 1e-12)
        fft_length = tf.cast(2.0**exponent, tf.int32)[tf.newaxis]
    spectrum = tf.signal.rfft(blocks, fft_length)
    response = tf.signal.rfft(impulse_response, fft_length)
    return tf.signal.irfft(spectrum * response, fft_length)


def apply_window_to_impulse_response(impulse_response, window_size=0, causal=False):
    """Smooth a frequency response by windowing its impulse response, and make it causal.

    Args:
        impulse_response: `[..., ir_size]`, zero-phase (starting with the centre) unless causal.
        window_size: samples of the Hann window; 0 or too large: the length of the response.
        causal: the centre is already in the middle.

    Returns:
        `[..., n]` with the centre in the middle.
    """
    impulse_response = tf_float32(impulse_response)
    if causal:
        impulse_response = tf.signal.fftshift(impulse_response, axes=-1)
    ir_size = int(impulse_response.shape[-1])
    if window_size <= 0 or window_size > ir_size:
        window_size = ir_size
    window = tf.signal.hann_window(window_size)
    padding = ir_size - window_size
    half = (window_size + 1) // 2
    if padding > 0:
        window = tf.concat([window[half:], tf.zeros([padding]), window[:half]], axis=0)
    else:
        window = tf.signal.fftshift(window, axes=-1)
    windowed = window * impulse_response
    if padding > 0:
        first = ir_size - half + 2
        return tf.concat([windowed[..., first:], windowed[..., : half + 1]], axis=-1)
    return tf.signal.fftshift(windowed, axes=-1)


def frequency_impulse_response(magnitudes, window_size=0):
    """Impulse response of a filter given by its magnitudes at equally spaced frequencies.

    Args:
        magnitudes: `[batch, n_frequencies]` or `[batch, n_frames, n_frequencies]`, from 0 Hz to
            half the sample rate.
        window_size: see apply_window_to_impulse_response.

    Returns:
        `[..., n]`, linear phase.

    Raises:
        ValueError: if there are fewer than two frequencies.

    Example:
        >>> frequency_impulse_response([[1.0, 1.0, 1.0, 1.0, 1.0]]).numpy().round(3).tolist()
        [[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]
    """
    magnitudes = tf_float32(magnitudes)
    check_layout(
        "magnitudes", magnitudes, "[batch, n_frequencies]", "[batch, n_frames, n_frequencies]"
    )
    if magnitudes.shape[-1] == 1:
        raise ValueError(
            f"magnitudes.shape={tuple(magnitudes.shape)} must have two frequencies at least"
        )
    response = tf.signal.irfft(tf.complex(magnitudes, 0.0))
    return apply_window_to_impulse_response(response, window_size)


def sinc(x, threshold=1e-20):
    """sin(pi x) / (pi x), with x below the threshold replaced by it."""
    x = tf_float32(x)
    x = tf.where(tf.abs(x) < threshold, tf.cast(threshold, x.dtype), x) * math.pi
    return tf.sin(x) / x


def sinc_impulse_response(cutoff_frequency, window_size=512, sample_rate=None, high_pass=False):
    """Impulse response of a steep low-pass or high-pass filter.

    Args:
        cutoff_frequency: `[..., 1]`, in Hz if sample_rate is given, else as a share of half the
            sample rate.
        window_size: number of taps (made odd).
        sample_rate: in Hz.
        high_pass: keep what is above instead of below.

    Returns:
        `[..., 2 * (window_size // 2) + 1]`.
    """
    check_whole("window_size", window_size, least=2)
    cutoff_frequency = tf_float32(cutoff_frequency)
    check_hz("cutoff_frequency", cutoff_frequency)
    if sample_rate is not None:
        check_positive("sample_rate", sample_rate)
        cutoff_frequency = cutoff_frequency * 2.0 / float(sample_rate)
    half = window_size // 2
    taps = tf.range(-half, half + 1, dtype=tf.float32)
    angle = 2.0 * math.pi * tf.range(2 * half + 1, dtype=tf.float32) / (2.0 * half)
    window = 0.54 - 0.46 * tf.cos(angle)
    response = window * sinc(cutoff_frequency * taps)
    response /= tf.abs(tf.reduce_sum(response, axis=-1, keepdims=True))
    if not high_pass:
        return response
    return tf.one_hot(half, 2 * half + 1) - response


def frequency_filter(audio, magnitudes, window_size=0, padding="same"):
    """Filter a sound with a (changing) magnitude response.

    Args:
        audio: `[batch, n_samples]`.
        magnitudes: see frequency_impulse_response.
        window_size: see apply_window_to_impulse_response.
        padding: 'same' or 'valid'.
    """
    return fft_convolve(audio, frequency_impulse_response(magnitudes, window_size), padding)


def sinc_filter(
    audio,
    cutoff_frequency,
    window_size=512,
    sample_rate=None,
    padding="same",
    high_pass=False,
):
    """Filter a sound with a steep low-pass or high-pass, see sinc_impulse_response."""
    cutoff_frequency = tf_float32(cutoff_frequency)
    check_layout("cutoff_frequency", cutoff_frequency, "[batch, 1]", "[batch, n_frames, 1]")
    response = sinc_impulse_response(cutoff_frequency, window_size, sample_rate, high_pass)
    return fft_convolve(audio, response, padding=padding)
