"""Decibels, MIDI pitch and the perceptual frequency scales."""

import numpy as np
import tensorflow as tf

from ._checks import check_positive
from ._helpers import tf_float32

DB_RANGE = 80.0


def nan_to_num(x, value=0.0):
    """Replace NaN by `value`."""
    return tf.where(tf.math.is_nan(x), value * tf.ones_like(x), x)


def _number(x):
    """Tensors and arrays as they are, plain numbers and lists as float32."""
    return x if hasattr(x, "dtype") else tf_float32(x)


def safe_divide(numerator, denominator, eps=1e-7):
    """Divide, with `eps` in place of a denominator that is exactly zero.

    Example:
        >>> float(safe_divide(0.0, 0.0))
        0.0
    """
    denominator = _number(denominator)
    safe = tf.where(denominator == 0.0, tf.cast(eps, denominator.dtype), denominator)
    return numerator / safe


def safe_log(x, eps=1e-5):
    """Natural logarithm, with `eps` in place of what is not positive."""
    x = _number(x)
    return tf.math.log(tf.where(x <= 0.0, tf.cast(eps, x.dtype), x))


def logb(x, base=2.0, eps=1e-5):
    """Logarithm to any base, guarded like safe_log."""
    x = _number(x)
    base = tf.cast(base, x.dtype) if tf.is_tensor(x) else tf_float32(base)
    return safe_divide(safe_log(x, eps), safe_log(base, eps), eps)


def log10(x, eps=1e-5):
    """Decimal logarithm, guarded like safe_log."""
    return logb(x, base=10.0, eps=eps)


def log_scale(x, min_x, max_x):
    """Map -1...1 to min_x...max_x with equal ratios for equal steps."""
    u = (x + 1.0) / 2.0
    return tf.exp((1.0 - u) * tf.math.log(min_x) + u * tf.math.log(max_x))


def soft_limit(x, x_min=0.0, x_max=1.0):
    """Bend a value smoothly into x_min...x_max (shifted: 0 maps near x_min + ln 2)."""
    return tf.nn.softplus(x) + x_min - tf.nn.softplus(x - (x_max - x_min))


def gradient_reversal(x):
    """Pass a value on, and its gradient with the opposite sign."""
    # custom_gradient does not see arguments given by keyword, so the wrapped part takes none.
    return tf.custom_gradient(lambda value: (tf.identity(value), lambda upstream: -upstream))(x)


def power_to_db(power, ref_db=0.0, range_db=DB_RANGE, use_tf=True):
    """Power in decibels, never below -range_db.

    Args:
        power: of any shape.
        ref_db: level that counts as 0 dB.
        range_db: how far down the scale reaches.
        use_tf: TensorFlow; NumPy otherwise.
    """
    check_positive("range_db", range_db)
    floor = 10.0 ** -(range_db / 10.0)
    if use_tf:
        power = tf_float32(power)
        db = 10.0 * log10(tf.maximum(floor, power))
        return tf.maximum(db - ref_db, -range_db)
    db = 10.0 * np.log10(np.maximum(floor, power))
    return np.maximum(db - ref_db, -range_db)


def amplitude_to_db(amplitude, ref_db=0.0, range_db=DB_RANGE, use_tf=True):
    """Amplitude in decibels, see power_to_db."""
    return power_to_db(amplitude**2.0, ref_db=ref_db, range_db=range_db, use_tf=use_tf)


def db_to_power(db):
    """Power of a level in decibels."""
    return 10.0 ** (db / 10.0)


def db_to_amplitude(db):
    """Amplitude of a level in decibels.

    Example:
        >>> db_to_amplitude(-20.0)
        0.1
    """
    return db_to_power(db / 2.0)


def midi_to_hz(notes, midi_zero_silence=False):
    """Frequency of a MIDI pitch, 69 being 440 Hz; with midi_zero_silence pitch 0 is 0 Hz.

    Example:
        >>> midi_to_hz([69.0, 57.0]).numpy().tolist()
        [440.0, 220.0]
    """
    notes = tf_float32(notes)
    hz = 440.0 * (2.0 ** ((notes - 69.0) / 12.0))
    return tf.where(tf.equal(notes, 0.0), 0.0, hz) if midi_zero_silence else hz


def hz_to_midi(frequencies):
    """MIDI pitch of a frequency; 0 Hz and below is pitch 0.

    Example:
        >>> hz_to_midi([440.0, 0.0]).numpy().round(3).tolist()
        [69.0, 0.0]
    """
    frequencies = tf_float32(frequencies)
    notes = 12.0 * (logb(frequencies, 2.0) - logb(tf.constant(440.0), 2.0)) + 69.0
    return tf.where(tf.less_equal(frequencies, 0.0), 0.0, notes)


def unit_to_midi(unit, midi_min=20.0, midi_max=90.0, clip=False):
    """Map 0...1 to midi_min...midi_max."""
    unit = tf.clip_by_value(unit, 0.0, 1.0) if clip else unit
    return midi_min + (midi_max - midi_min) * unit


def midi_to_unit(midi, midi_min=20.0, midi_max=90.0, clip=False):
    """Map midi_min...midi_max to 0...1."""
    span = tf.get_static_value(midi_max - midi_min)
    if span is not None and not np.all(span):
        raise ValueError(f"midi_min={midi_min} must differ from midi_max={midi_max}")
    unit = (midi - midi_min) / (midi_max - midi_min)
    return tf.clip_by_value(unit, 0.0, 1.0) if clip else unit


def unit_to_hz(unit, hz_min, hz_max, clip=False):
    """Map 0...1 to frequencies with equal steps of pitch; a limit of 0 Hz acts as MIDI 0."""
    midi = unit_to_midi(unit, hz_to_midi(hz_min), hz_to_midi(hz_max), clip)
    return midi_to_hz(midi)


def hz_to_unit(hz, hz_min, hz_max, clip=False):
    """Map frequencies to 0...1 with equal steps of pitch."""
    return midi_to_unit(hz_to_midi(hz), hz_to_midi(hz_min), hz_to_midi(hz_max), clip)


def hz_to_bark(hz):
    """Critical band number of a frequency (Traunmüller 1990)."""
    return 26.81 * hz / (1960.0 + hz) - 0.53


def bark_to_hz(bark):
    """Frequency of a critical band number."""
    return 1960.0 * (bark + 0.53) / (26.28 - bark)


def hz_to_mel(hz):
    """Mel of a frequency (O'Shaughnessy 1987)."""
    return 2595.0 * log10(1.0 + hz / 700.0)


def mel_to_hz(mel):
    """Frequency of a mel value."""
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def hz_to_erb(hz):
    """Equivalent rectangular bandwidth at a frequency (Glasberg and Moore 1990)."""
    return 0.108 * hz + 24.7
