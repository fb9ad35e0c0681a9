"""Batches cut into parts, and what a trainer hears in the sounds of a batch."""

import tensorflow as tf


def cut_batch(batch, n):
    """(part, its share of the whole) of a batch cut into at most n parts."""
    if n == 1:
        return [(batch, 1.0)]
    leaves = tf.nest.flatten(batch)
    cuts = [_cut(leaf, n) for leaf in leaves]
    sizes = [max(part.shape[0] for part in parts) for parts in zip(*cuts, strict=True)]
    packed = [tf.nest.pack_sequence_as(batch, list(parts)) for parts in zip(*cuts, strict=True)]
    return [(part, size / sum(sizes)) for part, size in zip(packed, sizes, strict=True)]


def _cut(tensor, n):
    size = int(tensor.shape[0])
    n = min(n, size)
    return tf.split(tensor, [size // n + (i < size % n) for i in range(n)])


def add_gradients(one, other):
    """Their sum; None counts as nothing."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


def energies_of(model, batch, outputs):
    """Mean squares of the target, of what is heard and of the synthesizers' signals."""
    if not isinstance(batch, dict) or "audio" not in batch:
        return {}
    sounds = {"target": batch["audio"], "sound": model.get_audio_from_outputs(outputs)}
    for name in ("harmonic", "filtered_noise"):
        part = outputs.get(name)
        if isinstance(part, dict) and "signal" in part:
            sounds[name] = part["signal"]
    return {name: tf.reduce_mean(tf.square(sound)) for name, sound in sounds.items()}
