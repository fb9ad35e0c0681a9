"""In which order examples are dealt."""

import functools

import numpy as np


def example_numbers(positions, n_examples, seed, shuffle):
    """Which examples come at these positions of an endless deal.

    Epoch e is a permutation of all examples drawn from (seed, e), so any position can be asked for
    without dealing the ones before.

    Args:
        positions: integers from 0 on.
        n_examples: how many examples there are.
        seed: of the order.
        shuffle: without, every epoch runs from the first to the last.

    Returns:
        Integer array like positions.
    """
    positions = np.asarray(positions, np.int64)
    epochs, places = np.divmod(positions, n_examples)
    if not shuffle:
        return places
    numbers = np.empty_like(places)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        numbers[here] = _permutation(n_examples, int(seed), int(epoch))[places[here]]
    return numbers


@functools.lru_cache(maxsize=4)
def _permutation(n_examples, seed, epoch):
    generator = np.random.Generator(np.random.PCG64([abs(seed), int(seed < 0), epoch]))
    return generator.permutation(n_examples)
