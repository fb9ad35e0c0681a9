"""From frames of controls to harmonic sound."""

from ._checks import (
    check_agree,
    check_hz,
    check_layout,
    check_positive,
    check_whole,
    check_whole_frames,
)
from ._harmonic_frames import harmonic_frames
from ._helpers import tf_float32
from ._oscillators import (
    get_harmonic_frequencies,
    harmonic_oscillator_bank,
    normalize_harmonics,
    oscillator_bank,
)
from ._resampling import resample


def _n_harmonics(harmonic_distribution, harmonic_shifts):
    for control in (harmonic_distribution, harmonic_shifts):
        if control is not None:
            return int(control.shape[-1])
    return 1


def _whole_hop(frequencies, amplitudes, n_samples, method):
    """Whether every frame is known to have the same whole number of samples."""
    n_frames = amplitudes.shape[1]
    if method not in ("window", "linear") or frequencies.shape[1] not in (1, n_frames):
        return False
    if n_frames is None or not isinstance(n_samples, int):
        return method == "window"  # which demands whole frames anyway
    return n_frames < n_samples and n_samples % n_frames == 0


def _check_controls(frequencies, amplitudes, more, n_samples, sample_rate, method):
    check_whole("n_samples", n_samples)
    check_positive("sample_rate", sample_rate)
    check_layout("frequencies", frequencies, "[batch, n_frames, 1]")
    for name, control in {"amplitudes": amplitudes, **more}.items():
        if control is not None:
            check_layout(name, control, "[batch, n_frames, channels]")
    check_agree(["batch"], frequencies=frequencies, amplitudes=amplitudes, **more)
    check_agree(["batch", "n_frames"], amplitudes=amplitudes, **more)
    check_agree(["batch", "n_frames", "n_harmonics"], **more)
    check_hz("frequencies", frequencies)
    if method == "window":
        check_whole_frames(n_samples, amplitudes)


def harmonic_synthesis(
    frequencies,
    amplitudes,
    harmonic_shifts=None,
    harmonic_distribution=None,
    n_samples=64000,
    sample_rate=16000,
    amp_resample_method="window",
    use_angular_cumsum=False,
):
    """Play a harmonic series from frame-wise controls.

    Args:
        frequencies: f0 `[batch, n_frames, 1]` in Hz.
        amplitudes: `[batch, n_frames, 1]`.
        harmonic_shifts: `[batch, n_frames, n_harmonics]`, harmonic k sounds at f0 k (1 + shift).
        harmonic_distribution: `[batch, n_frames, n_harmonics]`, each harmonic's share.
        n_samples: length of the sound.
        sample_rate: in Hz.
        amp_resample_method: see resample.
        use_angular_cumsum: see oscillator_bank; the phase is exact either way.

    Returns:
        Audio `[batch, n_samples]`.

    Raises:
        ValueError: if shapes do not fit each other or frequencies are negative or not finite.

    Example:
        >>> f0_hz, amplitudes = tf.fill([1, 10, 1], 440.0), tf.ones([1, 10, 1])
        >>> harmonic_synthesis(f0_hz, amplitudes, n_samples=640).shape
        TensorShape([1, 640])
    """
    frequencies, amplitudes = tf_float32(frequencies), tf_float32(amplitudes)
    shifts = None if harmonic_shifts is None else tf_float32(harmonic_shifts)
    shares = None if harmonic_distribution is None else tf_float32(harmonic_distribution)
    more = {"harmonic_shifts": shifts, "harmonic_distribution": shares}
    _check_controls(frequencies, amplitudes, more, n_samples, sample_rate, amp_resample_method)
    if shares is not None:
        amplitudes = amplitudes * shares
    if shifts is None and _whole_hop(frequencies, amplitudes, n_samples, amp_resample_method):
        return harmonic_frames(frequencies, amplitudes, n_samples, sample_rate, amp_resample_method)
    freqs = get_harmonic_frequencies(frequencies, _n_harmonics(shares, shifts))
    if shifts is not None:
        freqs *= 1.0 + shifts
    return oscillator_bank(
        resample(freqs, n_samples),
        resample(amplitudes, n_samples, method=amp_resample_method),
        sample_rate=sample_rate,
        use_angular_cumsum=use_angular_cumsum,
    )


def streaming_harmonic_synthesis(
    frequencies,
    amplitudes,
    harmonic_distribution=None,
    initial_phase=None,
    n_samples=64000,
    sample_rate=16000,
    amp_resample_method="linear",
):
    """Play one block of a longer harmonic sound.

    Args:
        frequencies: f0 `[batch, n_frames, 1]` in Hz.
        amplitudes: `[batch, n_frames, 1]`.
        harmonic_distribution: `[batch, n_frames, n_harmonics]`; masked at Nyquist and made to add
            up to one, frame by frame.
        initial_phase: `[batch, 1, 1]` in radians, what the block before ended with.
        n_samples: length of the block.
        sample_rate: in Hz.
        amp_resample_method: see resample.

    Returns:
        Audio `[batch, n_samples]` and the phase to begin the next block with `[batch, 1, 1]`.
    """
    frequencies, amplitudes = tf_float32(frequencies), tf_float32(amplitudes)
    shares = None if harmonic_distribution is None else tf_float32(harmonic_distribution)
    more = {"harmonic_distribution": shares}
    _check_controls(frequencies, amplitudes, more, n_samples, sample_rate, amp_resample_method)
    if shares is not None:
        amplitudes = amplitudes * normalize_harmonics(shares, frequencies, sample_rate)
    return harmonic_oscillator_bank(
        resample(frequencies, n_samples),
        resample(amplitudes, n_samples, method=amp_resample_method),
        initial_phase,
        sample_rate=sample_rate,
    )
