"""Wrong arguments end with the name, the value and what was expected, before any work."""

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp
NAN = float("nan")


def _ones(*shape):
    return np.ones(shape, np.float32)


F0, AMP, AUDIO = _ones(2, 10, 1), _ones(2, 10, 1), _ones(2, 100)
EMPTY = "with something in it"

# (function, positional arguments, keywords, parts of the message)
CASES = [
    # synthesis: rank, batch, frames, frequencies, lengths
    ("harmonic_synthesis", [F0[0], AMP], {}, "frequencies.shape=(10, 1) must be [batch, n_frames"),
    ("harmonic_synthesis", [_ones(2, 10, 3), AMP], {}, "frequencies.shape=(2, 10, 3) must be"),
    ("harmonic_synthesis", [F0, AMP[0]], {}, "amplitudes.shape=(10, 1) must be"),
    ("harmonic_synthesis", [F0, _ones(3, 10, 1)], {}, "must agree in axis 0, batch"),
    ("harmonic_synthesis", [F0, AMP, None, _ones(2, 5, 3)], {}, "must agree in axis 1, n_frames"),
    ("harmonic_synthesis", [F0, AMP, _ones(2, 10, 4), _ones(2, 10, 3)], {}, "2, n_harmonics"),
    ("harmonic_synthesis", [F0[:, :0], AMP], {}, EMPTY),
    ("harmonic_synthesis", [F0 * -3, AMP], {}, "frequencies=-3 (the lowest value of shape (2, 10"),
    ("harmonic_synthesis", [F0 * NAN, AMP], {}, "frequencies=nan (somewhere in shape (2, 10, 1))"),
    ("harmonic_synthesis", [F0 * np.inf, AMP], {}, "frequencies=inf"),
    ("harmonic_synthesis", [F0, AMP], {"n_samples": 645}, "n_samples=645 must be a multiple"),
    ("harmonic_synthesis", [F0, AMP], {"n_samples": 10}, "n_samples=10 must be a multiple"),
    ("harmonic_synthesis", [F0, AMP], {"n_samples": 0}, "n_samples=0 must be a whole number of at"),
    ("harmonic_synthesis", [F0, AMP], {"n_samples": 64.5}, "n_samples=64.5 must be a whole number"),
    ("harmonic_synthesis", [F0, AMP], {"sample_rate": 0}, "sample_rate=0 must be positive"),
    ("harmonic_synthesis", [F0, AMP], {"amp_resample_method": "x"}, "method='x' must be one of"),
    ("streaming_harmonic_synthesis", [F0, _ones(3, 10, 1)], {}, "must agree in axis 0, batch"),
    ("streaming_harmonic_synthesis", [F0 * NAN, AMP], {}, "frequencies=nan"),
    ("oscillator_bank", [AUDIO, AUDIO], {}, "frequency_envelopes.shape=(2, 100) must be"),
    ("oscillator_bank", [F0, _ones(2, 11, 1)], {}, "must agree in axis 1, n_samples"),
    ("oscillator_bank", [F0, _ones(2, 10, 3)[..., :0]], {}, EMPTY),
    ("oscillator_bank", [F0 * NAN, AMP], {}, "frequency_envelopes=nan"),
    ("oscillator_bank", [F0, AMP, -1], {}, "sample_rate=-1 must be positive"),
    ("harmonic_oscillator_bank", [_ones(2, 10, 2), AMP], {}, "frequency.shape=(2, 10, 2) must be"),
    ("harmonic_oscillator_bank", [F0, _ones(2, 11, 1)], {}, "must agree in axis 1, n_samples"),
    ("angular_cumsum", [_ones(9)], {}, "angular_frequency.shape=(9,) must be"),
    ("angular_cumsum", [AUDIO], {"chunk_size": 0}, "chunk_size=0 must be a whole number"),
    ("remove_above_nyquist", [F0, _ones(2, 11, 1)], {}, "must be equal, or 1 where they differ"),
    ("remove_above_nyquist", [F0, F0, 0], {}, "sample_rate=0 must be positive"),
    ("normalize_harmonics", [_ones(2, 9, 3), F0, 16000], {}, "must be equal, or 1 where"),
    ("get_harmonic_frequencies", [F0, 0], {}, "n_harmonics=0 must be a whole number of at least 1"),
    ("sinusoidal_to_harmonic", [_ones(2, 9, 3), _ones(2, 9, 4), F0], {}, "must agree in axis 2, k"),
    ("sinusoidal_to_harmonic", [F0, F0, F0], {"harmonic_width": 0.0}, "harmonic_width=0.0 must be"),
    ("harmonic_to_sinusoidal", [F0, _ones(2, 9, 3), F0], {}, "must agree in axis 1, n_frames"),
    # resampling
    (
        "resample",
        [F0, 645, "window"],
        {},
        "n_timesteps=645 must be a multiple of n_frames - 1 = 10",
    ),
    ("resample", [F0, 9, "window"], {}, "n_timesteps=9 must be more than"),
    ("resample", [F0, 0], {}, "n_timesteps=0 must be a whole number of at least 1"),
    ("resample", [F0, NAN], {}, "n_timesteps=nan must be a whole number"),
    ("resample", [F0, 20, "spline"], {}, "method='spline' must be one of"),
    ("resample", [F0[:, :0], 20], {}, "inputs.shape=(2, 0, 1) must have one frame at least"),
    ("resample", [_ones(1, 1, 1, 1, 1), 20], {}, "must have 1 to 4 axes"),
    ("upsample_with_windows", [AUDIO, 200], {}, "inputs.shape=(2, 100) must be [batch, n_frames,"),
    ("upsample_with_windows", [F0[:, :1], 8, False], {}, "must have two frames at least"),
    ("center_crop", [AUDIO, 100], {}, "must have more than frame_size=100 samples"),
    # tables and delays
    ("linear_lookup", [_ones(2, 10, 2), _ones(2, 64)], {}, "phase.shape=(2, 10, 2) must be"),
    ("linear_lookup", [F0, _ones(3, 64)], {}, "must agree in axis 0, batch"),
    ("harmonic_distribution_to_wavetable", [_ones(5), 9], {}, "n_wavetable=9 must be at least 10"),
    ("wavetable_synthesis", [F0 * NAN, AMP, _ones(2, 64)], {}, "frequencies=nan"),
    ("wavetable_synthesis", [-F0, AMP, _ones(2, 64)], {}, "must be 0 Hz or above"),
    ("wavetable_synthesis", [F0, AMP, _ones(64)], {}, "wavetables.shape=(64,) must be"),
    ("wavetable_synthesis", [F0, AMP, _ones(2, 64), 645], {}, "n_samples=645 must be a multiple"),
    ("variable_length_delay", [F0, AUDIO], {}, "must agree in axis 1, n_samples"),
    ("variable_length_delay", [AUDIO, AUDIO, 0], {}, "max_length=0 must be a whole number"),
    # filters
    ("fft_convolve", [_ones(2, 0), _ones(2, 5)], {}, EMPTY),
    (
        "fft_convolve",
        [_ones(100), _ones(2, 5)],
        {},
        "audio.shape=(100,) must be [batch, n_samples]",
    ),
    ("fft_convolve", [AUDIO, _ones(3, 5)], {}, "must agree in axis 0, batch"),
    (
        "fft_convolve",
        [AUDIO, _ones(2, 70, 5)],
        {},
        "must have n_frames=50, since n_samples=100 make that many blocks of 2",
    ),
    ("fft_convolve", [AUDIO, _ones(2, 5), "full"], {}, "padding='full' must be 'same' or 'valid'"),
    ("frequency_filter", [AUDIO, _ones(10)], {}, "magnitudes.shape=(10,) must be"),
    ("frequency_impulse_response", [_ones(2, 1)], {}, "must have two frequencies at least"),
    ("sinc_filter", [AUDIO, 0.5], {}, "cutoff_frequency.shape=() must be [batch, 1] or"),
    ("sinc_impulse_response", [F0 * NAN], {}, "cutoff_frequency=nan"),
    ("sinc_impulse_response", [F0, 1], {}, "window_size=1 must be a whole number of at least 2"),
    ("get_fft_size", [-1, 5], {}, "frame_size=-1 must be a whole number of at least 0"),
    # scalings and units
    ("frequencies_sigmoid", [F0], {"depth": 0}, "depth=0 must be a whole number of at least 1"),
    (
        "frequencies_softmax",
        [_ones(2, 9, 4)],
        {"depth": 3},
        "depth=3 must divide freqs.shape[-1]=4",
    ),
    ("frequencies_softmax", [AUDIO], {}, "freqs.shape=(2, 100) must be [batch, time, k * depth]"),
    ("frequencies_critical_bands", [F0], {"scale": "erb"}, "scale='erb' must be one of"),
    ("exp_sigmoid", [F0], {"exponent": -1.0}, "exponent=-1.0 must be positive"),
    ("midi_to_unit", [F0, 20.0, 20.0], {}, "midi_min=20.0 must differ from midi_max=20.0"),
    ("hz_to_unit", [F0, 200.0, 200.0], {}, "must differ from"),
    ("power_to_db", [F0], {"range_db": -80.0}, "range_db=-80.0 must be positive"),
    ("diff", [F0], {"axis": 3}, "axis=3 must be below the rank of x, shape (2, 10, 1)"),
    ("to_dict", [[1, 2], ["a"]], {}, "must be as many as the values: 2"),
]


@pytest.mark.parametrize(
    ("name", "args", "keywords", "message"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)]
)
def test_refused_by_name_and_value(name, args, keywords, message):
    from dlwa.ddsp import core

    if name == "harmonic_synthesis":
        keywords = {"n_samples": 640, **keywords}
    with pytest.raises(ValueError) as caught:
        getattr(core, name)(*args, **keywords)
    assert message in str(caught.value)
    assert "must" in str(caught.value).splitlines()[0]


@pytest.mark.parametrize("wrong", ["640", None, True])
def test_what_is_no_number(wrong):
    from dlwa.ddsp import core

    with pytest.raises(TypeError, match=f"n_samples={wrong!r} must be a whole number"):
        core.harmonic_synthesis(F0, AMP, n_samples=wrong)
    with pytest.raises(TypeError, match=f"sample_rate={wrong!r} must be a number"):
        core.harmonic_synthesis(F0, AMP, n_samples=640, sample_rate=wrong)


def test_one_bad_value_among_many_is_found():
    from dlwa.ddsp import core

    f0_hz = np.full((2, 50, 1), 440, np.float32)
    f0_hz[1, 33] = NAN
    with pytest.raises(ValueError, match="frequencies=nan"):
        core.harmonic_synthesis(f0_hz, _ones(2, 50, 1), n_samples=500)


def test_shapes_are_refused_while_a_graph_is_built():
    import tensorflow as tf

    from dlwa.ddsp import core

    graph = tf.function(lambda a, b: core.fft_convolve(a, b))
    with pytest.raises(ValueError, match="must agree in axis 0, batch"):
        graph.get_concrete_function(tf.TensorSpec([2, 100]), tf.TensorSpec([3, 5]))
    f0_hz = tf.function(lambda f0, a: core.harmonic_synthesis(f0, a, n_samples=645))
    with pytest.raises(ValueError, match="n_samples=645 must be a multiple"):
        f0_hz.get_concrete_function(tf.TensorSpec([None, 10, 1]), tf.TensorSpec([None, 10, 1]))


@pytest.mark.parametrize("inside", [False, True])
def test_frequencies_a_graph_holds_as_constants_are_checked_too(inside):
    import tensorflow as tf

    from dlwa.ddsp import core

    def playing(hz):
        outside = tf.fill([1, 10, 1], hz)

        @tf.function
        def play(amplitudes):
            f0_hz = tf.constant(np.full((1, 10, 1), hz, np.float32)) if inside else outside
            return core.harmonic_synthesis(f0_hz, amplitudes, n_samples=640)

        return play

    assert playing(440.0)(_ones(1, 10, 1)).shape == (1, 640)
    with pytest.raises(ValueError, match=r"frequencies=-1 .* must be 0 Hz or above"):
        playing(-1.0)(_ones(1, 10, 1))


def test_lengths_known_only_at_run_time_are_checked_then():
    import tensorflow as tf

    from dlwa.ddsp import core

    spec = [tf.TensorSpec([None, None, 1])] * 2
    play = tf.function(
        lambda f0, a: core.harmonic_synthesis(f0, a, n_samples=640), input_signature=spec
    )
    assert play(F0, AMP).shape == (2, 640)
    with pytest.raises(tf.errors.InvalidArgumentError, match="n_samples=640 must be a multiple"):
        play(_ones(2, 9, 1), _ones(2, 9, 1))
    spec = [tf.TensorSpec([None, None]), tf.TensorSpec([None, None, None])]
    convolve = tf.function(core.fft_convolve, input_signature=spec)
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many blocks as"):
        convolve(AUDIO, _ones(2, 70, 5))
