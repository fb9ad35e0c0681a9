"""Filters and delays that change over time."""

import gin
import tensorflow as tf

from dlwa.ddsp import core, processors

_register = gin.register(module="dlwa.ddsp.effects")


@_register
class FIRFilter(processors.Processor):
    """A filter whose frequency response changes over time.

    Args:
        window_size: see synths.FilteredNoise.
        scale_fn: turns outputs into magnitudes; None if they are already.

    Example:
        >>> lows = tf.repeat(tf.constant([[[1.0] * 16 + [0.0] * 49]]), 250, axis=1)
        >>> FIRFilter(scale_fn=None)(tf.ones([1, 16000]), lows).shape
        TensorShape([1, 16000])
    """

    def __init__(self, window_size=257, scale_fn=core.exp_sigmoid, name="fir_filter"):
        super().__init__(name=name)
        self.window_size = window_size
        self.scale_fn = scale_fn

    def get_controls(self, audio, magnitudes):
        """Sound `[batch, n_samples]` and magnitudes `[batch, n_frames, n_bands]`."""
        audio, magnitudes = core.tf_float32(audio), core.tf_float32(magnitudes)
        core.check_layout("audio", audio, "[batch, n_samples]")
        core.check_layout(
            "magnitudes", magnitudes, "[batch, n_frames, n_bands]", "[batch, n_bands]"
        )
        if self.scale_fn is not None:
            magnitudes = self.scale_fn(magnitudes)
        return {"audio": audio, "magnitudes": magnitudes}

    def get_signal(self, audio, magnitudes):
        """The filtered sound, `[batch, n_samples]`."""
        return core.frequency_filter(audio, magnitudes, window_size=self.window_size)


class ModDelay(processors.Processor):
    """A delay that moves: chorus, flanger, vibrato.

    Args:
        center_ms: middle of the delay in milliseconds.
        depth_ms: how far it moves.
        sample_rate: in Hz.
        gain_scale_fn: turns outputs into a gain.
        phase_scale_fn: turns outputs into a position 0...1.
        add_dry: add the sound without delay.

    Example:
        >>> audio, still = tf.ones([1, 1000]), tf.zeros([1, 1000, 1])
        >>> delay = ModDelay(center_ms=15.0, depth_ms=10.0, gain_scale_fn=None)
        >>> bool(tf.reduce_all(delay(audio, still, still) == audio))  # an echo of no strength
        True
    """

    def __init__(
        self,
        center_ms=15.0,
        depth_ms=10.0,
        sample_rate=16000,
        gain_scale_fn=core.exp_sigmoid,
        phase_scale_fn=tf.nn.sigmoid,
        add_dry=True,
        name="mod_delay",
    ):
        super().__init__(name=name)
        core.check_positive("sample_rate", sample_rate)
        _check_delay(center_ms, depth_ms, sample_rate)
        self.center_ms = center_ms
        self.depth_ms = depth_ms
        self.sample_rate = sample_rate
        self.gain_scale_fn = gain_scale_fn
        self.phase_scale_fn = phase_scale_fn
        self.add_dry = add_dry

    def get_controls(self, audio, gain, phase):
        """Sound `[batch, n_samples]`, gain and phase `[batch, n_samples, 1]`."""
        audio, gain, phase = map(core.tf_float32, (audio, gain, phase))
        core.check_layout("audio", audio, "[batch, n_samples]")
        core.check_layout("gain", gain, "[batch, n_samples, 1]")
        core.check_layout("phase", phase, "[batch, n_samples, 1]")
        core.check_agree(("batch", "n_samples"), audio=audio, gain=gain, phase=phase)
        if self.gain_scale_fn is not None:
            gain = self.gain_scale_fn(gain)
        if self.phase_scale_fn is not None:
            phase = self.phase_scale_fn(phase)
        return {"audio": audio, "gain": gain, "phase": phase}

    def get_signal(self, audio, gain, phase):
        """The sound with its moving echo, `[batch, n_samples]`."""
        max_delay_ms = self.center_ms + self.depth_ms
        max_length = int(self.sample_rate / 1000.0 * max_delay_ms)
        depth_phase = self.depth_ms / max_delay_ms
        center_phase = self.center_ms / max_delay_ms
        phase = phase * depth_phase + center_phase
        wet = core.variable_length_delay(phase, audio, max_length) * gain[..., 0]
        return wet + audio if self.add_dry else wet


def _check_delay(center_ms, depth_ms, sample_rate):
    for name, value in {"center_ms": center_ms, "depth_ms": depth_ms}.items():
        if not 0.0 <= value < float("inf"):
            raise ValueError(f"{name}={value} must be 0 or above, and finite")
    if int(sample_rate / 1000.0 * (center_ms + depth_ms)) < 1:
        raise ValueError(
            f"center_ms={center_ms} and depth_ms={depth_ms} must make a sample of delay at "
            f"sample_rate={sample_rate}"
        )
