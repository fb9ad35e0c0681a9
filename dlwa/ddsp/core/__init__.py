"""The operations all synthesizers, effects and losses are made of.

Audio is `[batch, n_samples]`, controls are `[batch, n_frames, channels]`, frequencies are in Hz,
levels in dB, pitches in MIDI numbers (69 is 440 Hz).
"""

from ._convert import harmonic_to_sinusoidal, sinusoidal_to_harmonic
from ._filters import (
    apply_window_to_impulse_response,
    crop_and_compensate_delay,
    fft_convolve,
    frequency_filter,
    frequency_impulse_response,
    get_fft_size,
    sinc,
    sinc_filter,
    sinc_impulse_response,
)
from ._harmonic_blocks import harmonic_block
from ._helpers import (
    batch_size,
    copy_if_tf_function,
    diff,
    leaf_key,
    make_iterable,
    map_shape,
    nested_keys,
    nested_lookup,
    pad_axis,
    tf_float32,
    to_dict,
)
from ._noise import noise_seed, uniform_noise
from ._oscillators import (
    angular_cumsum,
    get_harmonic_frequencies,
    harmonic_oscillator_bank,
    normalize_harmonics,
    oscillator_bank,
    remove_above_nyquist,
)
from ._resampling import center_crop, resample, upsample_with_windows
from ._scaling import (
    exp_sigmoid,
    frequencies_critical_bands,
    frequencies_sigmoid,
    frequencies_softmax,
    sym_exp_sigmoid,
)
from ._synthesis import harmonic_synthesis, streaming_harmonic_synthesis
from ._units import (
    DB_RANGE,
    amplitude_to_db,
    bark_to_hz,
    db_to_amplitude,
    db_to_power,
    gradient_reversal,
    hz_to_bark,
    hz_to_erb,
    hz_to_mel,
    hz_to_midi,
    hz_to_unit,
    log10,
    log_scale,
    logb,
    mel_to_hz,
    midi_to_hz,
    midi_to_unit,
    nan_to_num,
    power_to_db,
    safe_divide,
    safe_log,
    soft_limit,
    unit_to_hz,
    unit_to_midi,
)
from ._wavetables import (
    harmonic_distribution_to_wavetable,
    linear_lookup,
    variable_length_delay,
    wavetable_synthesis,
)

__all__ = [name for name in dir() if not name.startswith("_")]
