"""Vector quantisation with a codebook that follows its inputs."""

import gin
import tensorflow as tf

from ._base import Layer

__all__ = ["VectorQuantization"]


@gin.register(module="dlwa.ddsp.training.nn")
class VectorQuantization(Layer):
    """Replaces each vector by the nearest of k learnt ones (van den Oord et al. 2017).

    The codebook is a moving average of the inputs; gradients pass straight through.

    Args:
        k: number of centroids.
        gamma: how much of the old averages a training step keeps.
        restart_threshold: in training, centroids used less than this share of an even use restart
            from random inputs.
        num_heads: the vector is cut into so many parts, quantised with the same codebook.
        commitment_loss_weight: weight of committment_loss().
    """

    def __init__(
        self,
        k,
        gamma=0.99,
        restart_threshold=0.0,
        num_heads=1,
        commitment_loss_weight=0.2,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.k = k
        self.gamma = gamma
        self.restart_threshold = restart_threshold
        self.num_heads = num_heads
        self.commitment_loss_weight = commitment_loss_weight

    def build(self, x_shape):
        """Create counts `[k]` and sums `[k, depth / heads]`."""
        self.depth = x_shape[-1]
        if self.depth % self.num_heads:
            raise ValueError(f"num_heads={self.num_heads} must divide the depth {self.depth}")
        head = self.depth // self.num_heads
        make = {"initializer": "zeros", "trainable": False}
        self.counts = self.add_weight(name="counts", shape=(self.k,), **make)
        self.sums = self.add_weight(name="sums", shape=(self.k, head), **make)
        self.built = True

    def call(self, x, training=False):
        """`[..., depth]` -> (quantised `[..., depth]`, indices `[..., heads]`)."""
        lead = tf.shape(x)[:-1]
        rows = tf.reshape(x, [-1, self.depth // self.num_heads])
        if training:
            self._restart_idle(rows)
        indices = self._nearest(rows)
        if training:
            self._follow(rows, indices)
        indices = tf.reshape(indices, tf.concat([lead, [self.num_heads]], axis=0))
        quantized = self.unquantize(indices)
        return x + tf.stop_gradient(quantized - x), indices

    def unquantize(self, c):
        """Indices `[..., heads]` -> their centroids side by side, `[..., depth]`."""
        shape = tf.concat([tf.shape(c)[:-1], [self.depth]], axis=0)
        return tf.reshape(tf.gather(self._centroids(), c), shape)

    def committment_loss(self, z, z_q):
        """How far the inputs are from their centroids: weight * mean (z - z_q)^2."""
        return self.commitment_loss_weight * tf.reduce_mean((z - tf.stop_gradient(z_q)) ** 2)

    def get_losses_dict(self, z, z_q):
        """{'<name>_commitment_loss': committment_loss()}."""
        return {self.name + "_commitment_loss": self.committment_loss(z, z_q)}

    def _centroids(self):
        counts = tf.convert_to_tensor(self.counts)[:, tf.newaxis]
        return tf.math.divide_no_nan(tf.convert_to_tensor(self.sums), counts)

    def _nearest(self, rows):
        centroids = self._centroids()
        distance = tf.reduce_sum((rows[:, tf.newaxis] - centroids) ** 2, axis=-1)
        return tf.argmin(distance, axis=-1)

    def _restart_idle(self, rows):
        counts = tf.convert_to_tensor(self.counts)
        idle = counts * self.k <= self.restart_threshold * tf.reduce_sum(counts)
        picks = tf.random.uniform([self.k], maxval=tf.shape(rows)[0], dtype=tf.int32)
        fresh = tf.stop_gradient(tf.gather(rows, picks))
        self.sums.assign(tf.where(idle[:, tf.newaxis], fresh, tf.convert_to_tensor(self.sums)))
        self.counts.assign(tf.where(idle, 1.0, counts))

    def _follow(self, rows, indices):
        chosen = tf.one_hot(indices, self.k)
        new_counts = tf.reduce_sum(chosen, axis=0)
        new_sums = tf.stop_gradient(tf.matmul(chosen, rows, transpose_a=True))
        keep = self.gamma
        self.counts.assign(keep * self.counts + (1.0 - keep) * new_counts)
        self.sums.assign(keep * self.sums + (1.0 - keep) * new_sums)
