"""From pitch and loudness to the synthesizer's controls, block by block."""

import numpy as np
import tensorflow as tf

from dlwa.ddsp import core


def scaled_features(f0_hz, level_db, z):
    """Everything a decoder may ask for, from features `[1, n_frames, 1]`."""
    scaled = level_db / core.DB_RANGE + 1.0
    features = {"f0_hz": f0_hz, "loudness_db": level_db, "pw_db": level_db}
    features.update(f0_scaled=core.hz_to_midi(f0_hz) / 127.0, ld_scaled=scaled, pw_scaled=scaled)
    return features if z is None else {**features, "z": z}


class Decoding:
    """Decodes in blocks, handing the recurrent state on.

    A decoder without a state to hand on (convolutions) sees everything at once, because its frames
    depend on later ones too.
    """

    def __init__(self, played):
        self._decoder = played.model.decoder
        self._state_size = played.state_size
        self._step = tf.function(self._decode, autograph=False, reduce_retracing=True)

    def _decode(self, f0_hz, level_db, z, state):
        features = scaled_features(f0_hz, level_db, z)
        decoded = dict(self._decoder({**features, "state": state}))
        return decoded, decoded.pop("state", state)

    def blocks(self, controls, size):
        """Yield (frames, valid): dictionaries of `[1, size, channels]`, the first `valid` given.

        There is always room for one frame more than there are, so the last block may have none.
        """
        state = tf.zeros([1, max(1, self._state_size)])
        whole = None
        if not self._state_size:
            whole, _ = self._decode(*_features(controls, 0, len(controls), 0), state)
        for start in range(0, len(controls) + 1, size):
            stop = min(start + size, len(controls))
            padding = size - (stop - start)
            given = _features(controls, start, stop, padding)
            if whole is None:
                decoded, state = self._step(*given, state)
            else:
                decoded = {
                    k: tf.pad(v[:, start:stop], [[0, 0], [0, padding], [0, 0]])
                    for k, v in whole.items()
                }
            yield {**_sounding(controls, start, stop, given, padding), **decoded}, stop - start

    def live(self, size):
        """A function from Controls of `size` frames to decoded frames; the state stays inside.

        Raises:
            ValueError: if the decoder has no state to go on from.
        """
        if not self._state_size:
            raise ValueError(
                "this model's decoder looks ahead, so it plays recordings but not live; "
                "train one of models/solo_instrument.gin"
            )
        state = tf.zeros([1, self._state_size])

        def decode(controls):
            nonlocal state
            given = _features(controls, 0, size, 0)
            decoded, state = self._step(*given, state)
            return {**_sounding(controls, 0, size, given, 0), **decoded}

        return decode


def _sounding(controls, start, stop, given, padding):
    """What the synthesizer takes as it is: the pitch, and how much of the tone sounds."""
    tone = np.ones(len(controls)) if controls.tone is None else controls.tone
    return {"f0_hz": given[0], "tone": _frames(tone[start:stop], padding)}


def _features(controls, start, stop, padding):
    z = None if controls.z is None else _frames(controls.z[start:stop], padding)
    series = (controls.f0_hz, controls.loudness_db)
    return [*(_frames(x[start:stop], padding) for x in series), z]


def _frames(x, padding):
    """`[n]` or `[n, channels]` -> `[1, n + padding, channels]`."""
    x = np.asarray(x, np.float32)
    x = x[:, np.newaxis] if x.ndim == 1 else x
    return tf.constant(np.pad(x, [(0, padding), (0, 0)])[np.newaxis])
