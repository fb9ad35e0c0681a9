"""The parts of a synthesizer that remember something between blocks."""

import numpy as np
from scipy import fft


class NoiseTail:
    """Overlaps the ringing filters of one block with the next, and undoes their delay.

    Args:
        block_size: samples a block of noise goes on, the ringing not counted.
    """

    def __init__(self, block_size):
        self._size = block_size
        self._tail = np.zeros(0, np.float32)
        self._delay = None

    def push(self, filtered, skip=0):
        """Take a block with its ringing `[block_size + taps - 1]`; return what is final.

        `skip` samples at the start are dropped: the frame before the first.
        """
        filtered = np.array(filtered)
        filtered[: len(self._tail)] += self._tail
        final, self._tail = filtered[skip : self._size], filtered[self._size :]
        if self._delay is None:
            self._delay = max(0, len(self._tail) // 2 - 1)
        dropped = min(self._delay, len(final))
        self._delay -= dropped
        return final[dropped:]

    def finish(self):
        """The last ringing."""
        return self._tail


class Adder:
    """Adds signals that arrive in pieces of different lengths."""

    def __init__(self):
        self._waiting = None

    def push(self, pieces):
        """Take the next piece of every signal; return the sum as far as all are there."""
        if self._waiting is None:
            self._waiting = [np.zeros(0, np.float32) for _ in pieces]
        self._waiting = [np.concatenate(both) for both in zip(self._waiting, pieces, strict=True)]
        ready = min(map(len, self._waiting))
        total = np.sum([signal[:ready] for signal in self._waiting], axis=0)
        self._waiting = [signal[ready:] for signal in self._waiting]
        return total.astype(np.float32)


class Room:
    """Convolution with a long impulse response, piece by piece (overlap-add).

    Args:
        response: (impulse response `[n]`, whether the dry sound is added).
        wet: volume of the room.
    """

    def __init__(self, response, wet=1.0):
        self._response, self._dry = response[0] * np.float32(wet), response[1]
        self._tail = np.zeros(len(self._response) - 1, np.float32)
        self._spectra = {}

    def push(self, pieces):
        """Take the next piece of sound; return it in the room, of the same length."""
        (sound,) = pieces
        if not len(sound):
            return sound
        size = fft.next_fast_len(len(sound) + len(self._response) - 1, real=True)
        if size not in self._spectra:
            self._spectra = {size: fft.rfft(self._response, size)}
        wet = fft.irfft(fft.rfft(sound, size) * self._spectra[size], size)
        wet = wet[: len(sound) + len(self._tail)]
        wet[: len(self._tail)] += self._tail
        self._tail = wet[len(sound) :]
        out = wet[: len(sound)]
        return (out + sound if self._dry else out).astype(np.float32)
