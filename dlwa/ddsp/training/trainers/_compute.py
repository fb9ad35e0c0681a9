"""What is computed of a batch on one device, part after part."""

import tensorflow as tf

from ._heard import heard
from ._parts import add_gradients, add_means, cut_batch, one_by_one


def losses_and_gradients(model, variables, parts, seed):
    """Losses of a batch by name, and gradients of their total in the order of the variables.

    Args:
        model: called as `model(batch, return_losses=True, training=True)`.
        variables: to learn.
        parts: list of Part.
        seed: of the noise.
    """

    def compute(part):
        with tf.GradientTape() as tape, part.noise_seed(seed):
            _, losses = model(part.batch, return_losses=True, training=True)
        gradients = tape.gradient(losses["total_loss"], variables)
        return losses, [None if g is None else tf.convert_to_tensor(g) for g in gradients]

    def add(total, part, result):
        losses, gradients = total or (None, None)
        return add_means(losses, part, result[0]), add_gradients(gradients, part, result[1])

    return one_by_one(parts, compute, add)


def losses_and_sounds(model, parts, seed):
    """Losses of a batch by name, and what is heard, see `heard`; nothing is learned."""

    def compute(part):
        with part.noise_seed(seed):
            outputs, losses = model(part.batch, return_losses=True, training=False)
        return losses, heard(model, part.batch, outputs)

    def add(total, part, result):
        losses, sounds = total or (None, None)
        return add_means(losses, part, result[0]), add_means(sounds, part, result[1])

    return one_by_one(parts, compute, add)


def run_once(model, batch, seed):
    """Run a model on a batch, or on as much of it as the memory allows, to make its variables."""
    n = 1
    while True:
        first = cut_batch(batch, n)[0]
        try:
            with first.noise_seed(seed):
                return model(first.batch, training=True)
        except tf.errors.ResourceExhaustedError:
            if n >= first.of:
                raise
            n *= 2
