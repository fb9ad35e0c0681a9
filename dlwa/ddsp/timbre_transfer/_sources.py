"""The sources of a synthesizer, tone and noise, for one block of frames."""

import tensorflow as tf

from dlwa.ddsp import core, effects, processors, synths


class Sources:
    """Plays a block of decoded frames; what rings on or mixes comes after.

    TensorFlow traces it once, whatever the knobs, so one is kept for each model and block size.

    Args:
        group: the ProcessorGroup.
        block_frames: frames of a block.
        hop_size: samples a frame.

    Raises:
        ValueError: if the group holds what cannot be played in blocks.
    """

    def __init__(self, group, block_frames, hop_size):
        self._group, self._block, self._hop = group, block_frames, hop_size
        self._inputs = _sources(group)
        self.play = tf.function(self._play, autograph=False, reduce_retracing=True)

    def _play(self, frames, valid, noise, gains, last, cycles):
        """Signals of the sources, the block's last frame, and the phase to go on with.

        Of the block's frames the first `valid` are given, after them the last one is held. The
        sound lies one frame behind, because a frame is played towards its successor.
        """
        which = tf.minimum(tf.range(self._block + 1), valid)
        frames = {
            k: tf.gather(tf.concat([last[k], v], axis=1), which, axis=1) for k, v in frames.items()
        }
        signals = {}
        begin = cycles
        for name, keys in self._inputs.items():
            module = getattr(self._group, name)
            controls = module.get_controls(*[frames[key] for key in keys])
            if isinstance(module, synths.Harmonic):
                amplitudes = controls["amplitudes"] * controls["harmonic_distribution"]
                signals[name], cycles = core.harmonic_block(
                    controls["f0_hz"],
                    amplitudes * frames["tone"] * gains[0],
                    self._hop,
                    module.sample_rate,
                    module.amp_resample_method,
                    begin,
                )
            else:
                magnitudes = controls["magnitudes"][:, :-1] * gains[1]
                signals[name] = _filter_frames(noise, magnitudes, module.window_size)
        return signals, {k: v[:, -1:] for k, v in frames.items()}, cycles


def _sources(group):
    """Names and input keys of the oscillators and noises of a group.

    Raises:
        ValueError: if the group holds what cannot be played in blocks.
    """
    found = {}
    for node in group.dag:
        name, keys = node[0], [key.removeprefix("inputs/") for key in node[1]]
        module = getattr(group, name)
        if isinstance(module, synths.Harmonic | synths.FilteredNoise):
            found[name] = keys
        elif not isinstance(module, processors.Add | processors.Crop | effects.Reverb):
            raise ValueError(
                f"processor {name!r} ({type(module).__name__}) cannot be played in blocks; it must "
                "be Harmonic, FilteredNoise, Add, Crop or a Reverb"
            )
        elif isinstance(module, effects.Reverb) and not module.trainable:
            raise ValueError(f"reverb {name!r} must be trainable to be played")
    return found


def _filter_frames(noise, magnitudes, window_size):
    """Filter `[1, frames, hop]` noise by `[1, frames, bands]`: `[1, frames * hop + taps - 1]`."""
    hop = noise.shape[2]
    response = core.frequency_impulse_response(magnitudes, window_size)
    taps = response.shape[2]
    size = [core.get_fft_size(hop, taps)]
    spectrum = tf.signal.rfft(noise, size) * tf.signal.rfft(response, size)
    added = tf.signal.overlap_and_add(tf.signal.irfft(spectrum, size), hop)
    length = noise.shape[1] * hop + taps - 1
    return tf.pad(added, [[0, 0], [0, max(0, length - added.shape[1])]])[:, :length]
