"""Random numbers that can be repeated."""

import contextlib
import threading

import tensorflow as tf

_state = threading.local()


@contextlib.contextmanager
def noise_seed(seed, rows=None):
    """Make every noise drawn inside the block a function of a seed.

    The same seed gives the same noise, in the same process or another one; the draws inside a block
    differ from each other.

    Args:
        seed: an integer, or an integer tensor `[2]`, e.g. (seed of the run, step).
        rows: (first, n, of) where the block computes n rows of a batch of `of`, from `first` on:
            noise of n rows is then what these rows have in the whole batch.

    Example:
        >>> from dlwa.ddsp import core
        >>> with core.noise_seed(7):
        ...     a = core.uniform_noise([3])
        >>> with core.noise_seed(7):
        ...     b = core.uniform_noise([3])
        >>> bool((a == b).numpy().all())
        True
    """
    seed = tf.convert_to_tensor(seed)
    if seed.shape.rank == 0:
        seed = tf.stack([seed, tf.zeros_like(seed)])
    if seed.shape != [2] or not seed.dtype.is_integer:
        raise ValueError(f"seed={seed} must be an integer or an integer tensor of shape [2]")
    names = ("seed", "count", "rows")
    before = {name: getattr(_state, name, None) for name in names}
    _state.seed, _state.count, _state.rows = seed, 0, rows
    try:
        yield
    finally:
        for name in names:
            setattr(_state, name, before[name])


def uniform_noise(shape, minval=-1.0, maxval=1.0):
    """Draw white noise of the given shape, uniform from minval to maxval, float32."""
    seed = getattr(_state, "seed", None)
    if seed is None:
        return tf.random.uniform(shape, minval, maxval)
    _state.count += 1
    # Named, because XLA and other devices would choose another generator by themselves.
    folded = tf.random.experimental.stateless_fold_in(seed, _state.count, alg="philox")

    def draw(shape):
        return _uniform(shape, folded, minval, maxval)

    known = tf.get_static_value(tf.convert_to_tensor(shape, tf.int32))
    if _state.rows is None or known is None or not len(known) or known[0] != _state.rows[1]:
        return draw(shape)
    first, n, of = _state.rows
    return draw([of, *known[1:]])[first : first + n]


def _uniform(shape, seed, minval, maxval):
    """As tf.random.stateless_uniform, also under XLA, which has numbers of its own."""
    bits = tf.random.stateless_uniform(shape, seed, None, None, dtype=tf.uint32, alg="philox")
    mantissa = tf.bitwise.bitwise_and(bits, tf.constant(0x7FFFFF, tf.uint32))
    unit = tf.cast(tf.cast(mantissa, tf.int32), tf.float32) * 2.0**-23
    return unit * (maxval - minval) + minval
