"""Batches cut into parts, and what is computed from the parts together."""

from typing import NamedTuple

import tensorflow as tf

from dlwa.ddsp import core


class Part(NamedTuple):
    """Some rows of a batch: the features, and which rows of how many."""

    batch: object
    first: int
    n: int
    of: int

    @property
    def share(self):
        """How much it weighs in a mean over the batch."""
        return self.n / self.of

    def noise_seed(self, seed):
        """A block in which these rows have the noise they have in the whole batch."""
        return core.noise_seed(seed, None if self.n == self.of else (self.first, self.n, self.of))


def rows_of(batch):
    """How many rows a batch has; of those of several devices side by side the most."""
    leaf = tf.nest.flatten(batch)[0]
    return max(int(value.shape[0]) for value in getattr(leaf, "values", [leaf]))


def cut_batch(batch, n):
    """The at most n parts of a batch, as equal as can be."""
    leaves = tf.nest.flatten(batch)
    of = int(leaves[0].shape[0])
    n = min(n, of)
    if n <= 1:
        return [Part(batch, 0, of, of)]
    sizes = [of // n + (i < of % n) for i in range(n)]
    cuts = zip(*(tf.split(leaf, sizes) for leaf in leaves), strict=True)
    packed = [tf.nest.pack_sequence_as(batch, list(cut)) for cut in cuts]
    return [Part(cut, sum(sizes[:i]), sizes[i], of) for i, cut in enumerate(packed)]


def one_by_one(parts, compute, add):
    """Sum of compute(part) over parts, in this order: at once they would not save memory.

    Args:
        parts: list of Part.
        compute: function of a Part; returns tensors.
        add: function (sum so far or None, Part, result of compute) -> sum.
    """
    total, before = None, []
    for part in parts:
        with tf.control_dependencies(before):
            part = part._replace(batch=tf.nest.map_structure(tf.identity, part.batch))
        total = add(total, part, compute(part))
        before = [tensor for tensor in tf.nest.flatten(total) if tensor is not None]
    return total


def add_means(total, part, means):
    """Means over a batch from those over its parts: {name: scalar}."""
    total = total or {}
    return {name: total.get(name, 0.0) + part.share * value for name, value in means.items()}


def add_gradients(total, part, gradients):
    """Gradients of a batch's mean loss from those of its parts; None counts as nothing."""
    scaled = [None if g is None else part.share * g for g in gradients]
    if total is None:
        return scaled
    return [_sum(one, other) for one, other in zip(total, scaled, strict=True)]


def _sum(one, other):
    if one is None or other is None:
        return other if one is None else one
    return one + other
