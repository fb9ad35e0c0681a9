"""One device or several that share each batch."""

import tensorflow as tf


class Devices:
    """The devices of a tf.distribute strategy; with one there is nothing to share.

    Args:
        strategy: tf.distribute strategy.
    """

    def __init__(self, strategy):
        self._strategy = strategy
        self._one = strategy.num_replicas_in_sync == 1

    def first(self, values):
        """What the first device has of values that lie on all of them."""
        if self._one:
            return values

        def local(value):
            return self._strategy.experimental_local_results(value)[0]

        return tf.nest.map_structure(local, values)

    def mean(self, values):
        """Means over the devices: {name: scalar}."""
        if self._one:
            return values
        mean = tf.distribute.ReduceOp.MEAN
        return {k: self._strategy.reduce(mean, v, axis=None) for k, v in values.items()}

    def spread(self, dataset):
        """A dataset of which each device gets its share."""
        if self._one:
            return dataset
        return self._strategy.experimental_distribute_dataset(dataset)

    def total_here(self, value):
        """On a device: the sum of a value over all of them."""
        if self._one:
            return value
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, value)

    def mean_gradients_here(self, gradients, variables):
        """On a device: gradients averaged over all of them."""
        if self._one:
            return gradients
        pairs = zip(gradients, variables, strict=True)
        filled = [tf.zeros_like(v) if g is None else g for g, v in pairs]
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.MEAN, filled)
