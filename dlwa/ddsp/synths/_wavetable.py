"""One period of a wave, at any pitch."""

import gin

from dlwa.ddsp import core, processors

from ._checks import FRAMES, check_setting

_register = gin.register(module="dlwa.ddsp.synths")


@_register
class Wavetable(processors.Processor):
    """Plays one period of a wave, drawn by the network, at any pitch.

    Args:
        n_samples: length of the sound.
        sample_rate: in Hz.
        scale_fn: applied to amplitudes and wavetables; None for none.

    Example:
        >>> table = np.sin(2.0 * np.pi * np.arange(512) / 512)[np.newaxis]
        >>> frames = np.ones([1, 10, 1])
        >>> audio = Wavetable(n_samples=640, scale_fn=None)(frames, table, 1000.0 * frames)
        >>> audio[0, :5].numpy().round(3)
        array([0.   , 0.383, 0.707, 0.924, 1.   ], dtype=float32)
    """

    def __init__(
        self, n_samples=64000, sample_rate=16000, scale_fn=core.exp_sigmoid, name="wavetable"
    ):
        super().__init__(name=name)
        check_setting(n_samples, sample_rate)
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.scale_fn = scale_fn

    def get_controls(self, amplitudes, wavetables, f0_hz):
        """Shape network outputs.

        Args:
            amplitudes: `[batch, n_frames, 1]`.
            wavetables: `[batch, n_frames, n_wavetable]` or `[batch, n_wavetable]`.
            f0_hz: `[batch, n_frames, 1]`.
        """
        amplitudes, wavetables = core.tf_float32(amplitudes), core.tf_float32(wavetables)
        f0_hz = core.tf_float32(f0_hz)
        core.check_layout("amplitudes", amplitudes, "[batch, n_frames, 1]")
        core.check_layout("f0_hz", f0_hz, "[batch, n_frames, 1]")
        core.check_agree(FRAMES, amplitudes=amplitudes, f0_hz=f0_hz)
        core.check_hz("f0_hz", f0_hz)
        if self.scale_fn is not None:
            amplitudes = self.scale_fn(amplitudes)
            wavetables = self.scale_fn(wavetables)
        return {"amplitudes": amplitudes, "wavetables": wavetables, "f0_hz": f0_hz}

    def get_signal(self, amplitudes, wavetables, f0_hz):
        """Play the controls: audio `[batch, n_samples]`."""
        return core.wavetable_synthesis(
            frequencies=f0_hz,
            amplitudes=amplitudes,
            wavetables=wavetables,
            n_samples=self.n_samples,
            sample_rate=self.sample_rate,
        )
