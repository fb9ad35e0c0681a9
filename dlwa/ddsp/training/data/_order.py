"""In which order examples are dealt."""

import tensorflow as tf

# An epoch number is never near this; it stands for "endless".
_ENDLESS_EPOCHS = 2**31


def example_numbers(n_examples, seed, shuffle, start=0, epochs=-1):
    """Which examples come, from any place of the deal on, as a dataset of integers.

    Epoch e is a permutation of all examples drawn from (seed, e), so any place can be begun at
    without dealing the ones before. No Python runs while it deals: a thread of TensorFlow that
    calls Python while the interpreter ends would abort a training that is done.

    Args:
        n_examples: how many examples there are.
        seed: of the order.
        shuffle: without, every epoch runs from the first to the last.
        start: how many examples to leave out.
        epochs: how many; -1 is endless.
    """
    first, place = divmod(start, n_examples)
    last = _ENDLESS_EPOCHS if epochs is None or epochs < 0 else epochs

    def deal(epoch):
        numbers = tf.range(n_examples, dtype=tf.int64)
        if shuffle:
            key = tf.stack([tf.constant(seed, tf.int64), epoch])
            numbers = tf.random.experimental.stateless_shuffle(numbers, seed=key)
        begin = tf.where(epoch == first, tf.constant(place, tf.int64), 0)
        return tf.data.Dataset.from_tensor_slices(numbers[begin:])

    return tf.data.Dataset.range(first, max(first, last)).flat_map(deal)
