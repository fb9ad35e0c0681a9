"""Made-up notes whose controls are known, to learn transcription from.

Drawn with NumPy's global random generator in a fixed order, so that a seed gives the notes the
reference gives.
"""

import gin
import numpy as np
import tensorflow as tf

from dlwa.ddsp import core

_configurable = gin.configurable(module="dlwa.ddsp.training.data_preparation.synthetic_data")


def flip(p=0.5):
    """True with probability p."""
    return np.random.uniform() <= p


def uniform_int(minval=0, maxval=10):
    """A whole number from minval to maxval, both included."""
    return np.random.randint(int(minval), int(maxval) + 1)


def uniform_float(minval=0.0, maxval=10.0):
    """A number from minval to maxval."""
    return np.random.uniform(float(minval), float(maxval))


def uniform_generator(sample_shape, n_timesteps, minval, maxval, method="linear"):
    """Uniform numbers of a shape `[batch, n, channels]`, stretched to n_timesteps."""
    signal = np.random.uniform(minval, maxval, sample_shape)
    return core.resample(signal, n_timesteps, method=method)


def normal_generator(sample_shape, n_timesteps, mean, stddev, method="linear"):
    """Normal numbers of a shape `[batch, n, channels]`, stretched to n_timesteps."""
    signal = np.random.normal(mean, stddev, sample_shape)
    return core.resample(signal, n_timesteps, method=method)


def modulate(signal, maxval=0.5, n_t=10, method="linear"):
    """Multiply a signal `[batch, n_timesteps, channels]` by slow random changes around one."""
    n_batch, n_timesteps, _ = signal.shape
    changes = []
    for _ in range(n_batch):
        spread = uniform_float(0.0, maxval)
        change = np.abs(np.random.normal(1.0, spread, [1, n_t, 1]))
        changes.append(core.resample(change, n_timesteps, method=method))
    return signal * tf.concat(changes, axis=0)


def random_blend(length, env_start=1.0, env_end=0.0, exp_max=2.0):
    """A curve from env_start to env_end, bent at random, `[length]`."""
    exponent = uniform_float(-exp_max, exp_max)
    v = np.linspace(1.0, 0.0, length) ** (2.0**exponent)
    return env_start * v + env_end * (1.0 - v)


def random_harm_dist(n_harmonics=100, low_pass=True, rand_phase=0.0):
    """A random, smooth harmonic distribution before its softmax, `[n_harmonics]`.

    Args:
        n_harmonics: number of harmonics.
        low_pass: let high harmonics be weaker.
        rand_phase: how far the waves it is made of may be shifted, in turns.
    """
    n_components = uniform_int(1, 20)
    smoothness = uniform_float(1.0, 10.0)
    coefficients = np.random.rand(n_components)
    frequencies = np.random.rand(n_components) * n_harmonics / smoothness
    total = np.zeros(n_harmonics)
    waves = []
    for coefficient, frequency in zip(coefficients, frequencies, strict=True):
        phase = uniform_float(0.0, np.pi * 2.0 * rand_phase)
        angle = np.linspace(0.0, 2.0 * np.pi * frequency, n_harmonics)
        waves.append(coefficient * np.cos(angle + phase))
    for wave in waves:
        if low_pass:
            end = uniform_float(0.0, 0.5)
            wave = wave * np.linspace(1.0, end, n_harmonics) ** uniform_float(0.5, 2.0)
        total += wave
    return total


def _mask_and_normalize(harm_dist, freqs):
    # As in the reference the whole distribution goes where f0 itself is too high.
    harm_dist = core.remove_above_nyquist(freqs * tf.ones_like(harm_dist), harm_dist, 16000)
    return core.safe_divide(harm_dist, tf.reduce_sum(harm_dist, axis=-1, keepdims=True))


def _with_sinusoids(harm_amp, harm_dist, f0_hz, mags):
    sin_amps, sin_freqs = core.harmonic_to_sinusoidal(harm_amp, harm_dist, f0_hz)
    return {
        "harm_amp": harm_amp,
        "harm_dist": harm_dist,
        "f0_hz": f0_hz,
        "sin_amps": sin_amps,
        "sin_freqs": sin_freqs,
        "noise_magnitudes": mags,
    }


def _spectral_lines(n_batch, n_notes, n_timesteps, n_lines, n_points, method):
    """Random mixes of falling lines over harmonics or bands, `[batch, n_timesteps, n_points]`."""
    exponents = [uniform_float(1.0, 6.0) for _ in range(n_lines)]
    lines = np.stack([-(np.linspace(0.0, i, n_points) ** exponents[i]) for i in range(n_lines)])
    weights = uniform_generator([n_batch, n_notes, n_lines], n_timesteps, 0.0, 1.0, method)
    lines = core.tf_float32(lines)[tf.newaxis, tf.newaxis]
    return tf.reduce_sum(weights[..., tf.newaxis] * lines, axis=-2)


def _method():
    return "nearest" if flip() else "linear"


@_configurable
def generate_notes(n_batch, n_timesteps, n_harmonics=100, n_mags=65, get_controls=True):
    """Random sequences of notes of equal length.

    Args:
        n_batch: number of sequences.
        n_timesteps: frames.
        n_harmonics: number of harmonics.
        n_mags: number of noise bands.
        get_controls: shape everything into controls; otherwise network-like numbers.

    Returns:
        Dictionary harm_amp, f0_hz `[batch, n_timesteps, 1]`, harm_dist, sin_amps, sin_freqs
        `[batch, n_timesteps, n_harmonics]`, noise_magnitudes `[batch, n_timesteps, n_mags]`.
    """
    n_notes = uniform_int(1, 20)
    harm_amp = uniform_generator([n_batch, n_notes, 1], n_timesteps, -2.0, 2.0, _method())
    midi = uniform_generator([n_batch, n_notes, 1], n_timesteps, 24.0, 84.0, "nearest")
    f0_hz = core.midi_to_hz(midi)
    harm_dist = _spectral_lines(n_batch, n_notes, n_timesteps, 10, n_harmonics, _method())
    method = _method()
    upper = uniform_float(-4.0, 0.0)
    mags = uniform_generator([n_batch, n_notes, n_mags], n_timesteps, -6.0, upper, method)
    if get_controls:
        harm_amp = core.exp_sigmoid(harm_amp)
        harm_dist = _mask_and_normalize(core.exp_sigmoid(harm_dist), f0_hz)
        mags = core.exp_sigmoid(mags)
    return _with_sinusoids(harm_amp, harm_dist, f0_hz, mags)


def _note_amplitude(length):
    start, end = uniform_float(-1.0, 3.0), uniform_float(-1.0, 3.0)
    curve = random_blend(length, start, end)
    return curve + uniform_float(0.0, 0.1) * np.random.randn(length)


def _note_distribution(length, n_harmonics):
    dist = _moving_timbre(length, n_harmonics)
    return dist + uniform_float(0.0, 0.5) * np.random.randn(length, n_harmonics)


def _note_pitch(length, min_note_length, p_vibrato):
    midi = uniform_float(24.0, 84.0) * np.ones(length)
    if flip(p_vibrato):
        start, end = uniform_float(0.0, 1.0), uniform_float(0.0, 1.0)
        periods = uniform_float(0.0, length * 2.0 / min_note_length)
        depth = random_blend(length, start, end)
        midi = midi + depth * np.sin(np.linspace(0.0, 2.0 * np.pi * periods, length))
    return midi + uniform_float(0.0, 0.1) * np.random.randn(length)


def _note_noise(length, n_mags):
    mags = _moving_timbre(length, n_mags)
    mags = mags + uniform_float(0.0, 0.2) * np.random.randn(length, n_mags)
    return mags - uniform_float(1.0, 10.0)


def _moving_timbre(length, size):
    """From one random spectrum to another, `[length, size]`."""
    low_pass, rand_phase = flip(0.8), uniform_float(0.0, 0.4)
    start, end = (random_harm_dist(size, low_pass, rand_phase) for _ in range(2))
    blend = random_blend(length, 1.0, 0.0)[:, np.newaxis]
    return blend * start + (1.0 - blend) * end


@_configurable
def generate_notes_v2(
    n_batch=1,
    n_timesteps=125,
    n_harmonics=100,
    n_mags=65,
    min_note_length=5,
    max_note_length=25,
    p_silent=0.1,
    p_vibrato=0.5,
    get_controls=True,
):
    """Random sequences of notes of different lengths, with silence, vibrato and moving timbre.

    Args:
        n_batch: number of sequences.
        n_timesteps: frames.
        n_harmonics: number of harmonics.
        n_mags: number of noise bands.
        min_note_length: frames of the shortest note.
        max_note_length: frames of the longest note.
        p_silent: share of silent notes.
        p_vibrato: share of notes with vibrato.
        get_controls: shape everything into controls; otherwise network-like numbers.

    Returns:
        As generate_notes.
    """
    amps = np.zeros([n_batch, n_timesteps, 1])
    dists = np.zeros([n_batch, n_timesteps, n_harmonics])
    midi = np.zeros([n_batch, n_timesteps, 1])
    mags = np.zeros([n_batch, n_timesteps, n_mags])
    for b in range(n_batch):
        t = 0
        while t < n_timesteps:
            length = min(uniform_int(min_note_length, max_note_length), n_timesteps - t)
            note = slice(t, t + length)
            if flip(p_silent):
                amps[b, note] = -10.0
            else:
                amps[b, note, 0] = _note_amplitude(length)
                dists[b, note] = _note_distribution(length, n_harmonics)
                midi[b, note, 0] = _note_pitch(length, min_note_length, p_vibrato)
            mags[b, note] = _note_noise(length, n_mags)
            t += length
    harm_amp, harm_dist = core.tf_float32(amps), core.tf_float32(dists)
    f0_hz, mags = core.midi_to_hz(midi), core.tf_float32(mags)
    if get_controls:
        largest = uniform_float(2.0, 10.0)
        quieter = uniform_float(1.0, largest if flip(0.2) else 2.0)
        harm_amp = core.exp_sigmoid(harm_amp) / quieter
        harm_dist = _mask_and_normalize(tf.nn.softmax(harm_dist), f0_hz)
        mags = core.exp_sigmoid(mags)
    return _with_sinusoids(harm_amp, harm_dist, f0_hz, mags)
