"""Playing: controls in, blocks of sound out, of any length and without a seam."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from dlwa.ddsp import core, processors, synths
from dlwa.ddsp.timbre_transfer._decoding import Decoding
from dlwa.ddsp.timbre_transfer._sources import Sources
from dlwa.ddsp.timbre_transfer._streams import Adder, NoiseTail, Room


@dataclass(frozen=True)
class Controls:
    """What to play, at the model's frames, `[n_frames]` each.

    `tone` is a factor for the harmonics, 1 everywhere unless the pitch is uncertain. `z` is an
    encoder's latent `[n_frames, z_dims]`, for models that have one.
    """

    f0_hz: np.ndarray
    loudness_db: np.ndarray
    tone: np.ndarray | None = None
    z: np.ndarray | None = None

    def __len__(self):
        return len(self.f0_hz)


class Player:
    """Plays controls with a model, block by block.

    Args:
        played: a PlayableModel.
        block_frames: frames decoded and played at a time; the sound does not depend on it.
        harmonics_db: volume of the tone.
        noise_db: volume of the noise.
        reverb: the learned room, 0 none, 1 as learned.
        seed: which noise is drawn.
    """

    def __init__(
        self, played, block_frames=500, harmonics_db=0.0, noise_db=0.0, reverb=1.0, seed=0
    ):
        if int(block_frames) < 1:
            raise ValueError(f"block_frames={block_frames} must be a positive integer")
        self._hop = played.hop_size
        self._block = int(block_frames)
        self._gains = tf.constant([10.0 ** (db / 20.0) for db in (harmonics_db, noise_db)])
        self._reverb = reverb
        self._seed = seed
        self._group = played.model.processor_group
        if self._block not in played.traced:
            sources = Sources(self._group, self._block, self._hop)
            played.traced[self._block] = Decoding(played), sources
        self._decoding, self._sources = played.traced[self._block]
        self._needs_latent = played.model.encoder is not None

    def play(self, controls):
        """Yield the sound in blocks, `len(controls) * hop_size` samples in all."""
        left = len(controls) * self._hop
        performance = Performance(self)
        for frames, valid in self._decoding.blocks(controls, self._block):
            ready = performance.push(frames, valid)[:left]
            left -= len(ready)
            if len(ready):
                yield ready

    def rehearse(self):
        """Play a frame that nobody hears: what TensorFlow does once is then done."""
        if not self._needs_latent:  # whose size is known when the recording is
            list(self.play(Controls(np.full(1, 440.0), np.full(1, -80.0))))

    def live(self):
        """A performance that goes on for ever: give it a block of controls, get a block of sound.

        Returns:
            function (Controls of block_frames) -> samples; the first call returns up to a frame
            (and half a noise filter) less than the others.

        Raises:
            ValueError: if the decoder cannot go on from frame to frame.
        """
        performance, decode = Performance(self), self._decoding.live(self._block)
        return lambda controls: performance.push(decode(controls), self._block)

    def _sample_rate(self):
        rates = [p.sample_rate for p in self._group.processors if hasattr(p, "sample_rate")]
        return rates[0]

    def _nodes(self):
        """The parts of the synthesizer in order: (name, what it remembers, input names)."""
        nodes = []
        for node in self._group.dag:
            name, module = node[0], getattr(self._group, node[0])
            if isinstance(module, synths.Harmonic):
                keeper = None
            elif isinstance(module, synths.FilteredNoise):
                keeper = NoiseTail(self._block * self._hop)
            elif isinstance(module, processors.Add | processors.Crop):
                keeper = Adder()  # a Crop takes off frames that are not made here
            else:
                keeper = Room(_impulse_response(module, self._seed), self._reverb)
            nodes.append((name, keeper, [key.split("/")[0] for key in node[1]]))
        return nodes


class Performance:
    """One sound on its way: the phase, the noise and the room go on from block to block."""

    def __init__(self, player):
        self._player = player
        self._nodes = player._nodes()
        self._generator = np.random.Generator(np.random.Philox(key=player._seed))
        self._carried = None

    def push(self, frames, valid):
        """Play a block of decoded frames, the first `valid` of it; returns what is ready.

        Fewer than a block's frames end the performance: what still rings comes with them.
        """
        player, is_first = self._player, self._carried is None
        noise = self._noise(is_first, valid)
        if is_first:  # a frame before the first, which nobody hears, ending at phase 0
            step = frames["f0_hz"][:, 0, 0].numpy().astype(np.float64) * player._hop
            cycles = -step / player._sample_rate() % 1.0
            self._carried = {k: v[:, :1] for k, v in frames.items()}, tf.constant(cycles)
        signals, *self._carried = player._sources.play(
            frames, tf.constant(valid), noise, player._gains, *self._carried
        )
        skip = player._hop if is_first else 0
        ready = _mix(self._nodes, {k: v.numpy()[0] for k, v in signals.items()}, skip)
        if valid < player._block:
            ready = np.concatenate([ready, _mix(self._nodes, None, 0)])
        return ready

    def _noise(self, is_first, valid):
        """White noise `[1, block, hop]`; zero in the frame before the first and after the last."""
        block, hop = self._player._block, self._player._hop
        noise = np.zeros([block, hop], np.float32)
        low, high = int(is_first), min(block, valid + 1)
        noise[low:high] = 2.0 * self._generator.random([high - low, hop], np.float32) - 1.0
        return tf.constant(noise[np.newaxis])


def _impulse_response(module, seed):
    with core.noise_seed(seed):  # some rooms are made of noise
        controls = module.get_controls(tf.zeros([1, 1]))
    response = np.array(controls["ir"][0], np.float32)
    response[0] = 0.0
    return response, module._add_dry


def _mix(nodes, signals, skip):
    """Pass blocks of the sources through the other parts; returns what is ready of the last.

    Without `signals` everything gives out what it still holds.
    """
    ready = {}
    for name, keeper, inputs in nodes:
        if isinstance(keeper, NoiseTail):
            ready[name] = keeper.push(signals[name], skip) if signals else keeper.finish()
        elif keeper is None:
            ready[name] = signals[name][skip:] if signals else np.zeros(0, np.float32)
        else:
            ready[name] = keeper.push([ready[key] for key in inputs])
    return ready[nodes[-1][0]]
