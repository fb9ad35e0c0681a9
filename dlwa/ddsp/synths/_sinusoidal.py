"""Sinusoids that are all free."""

import gin

from dlwa.ddsp import core, processors

from ._checks import FRAMES, check_setting

_register = gin.register(module="dlwa.ddsp.synths")


@_register
class Sinusoidal(processors.Processor):
    """A bank of oscillators whose frequencies are all free.

    Args:
        n_samples: length of the sound.
        sample_rate: in Hz.
        amp_scale_fn: turns outputs into amplitudes; None if they are already.
        amp_resample_method: how amplitudes change between frames, see core.resample.
        freq_scale_fn: turns outputs into frequencies in Hz; None if they are already.
        use_angular_cumsum: wrap the phase, so that long sounds stay in tune; None leaves it to
            core.oscillator_bank and its gin binding (False unless bound).

    Example:
        >>> synth = Sinusoidal(n_samples=640, amp_scale_fn=None, freq_scale_fn=None)
        >>> bell = np.tile([[[500.0, 1190.0, 1650.0]]], [1, 10, 1])
        >>> synth(np.full([1, 10, 3], 0.3), bell).shape
        TensorShape([1, 640])
    """

    def __init__(
        self,
        n_samples=64000,
        sample_rate=16000,
        amp_scale_fn=core.exp_sigmoid,
        amp_resample_method="window",
        freq_scale_fn=core.frequencies_sigmoid,
        name="sinusoidal",
        use_angular_cumsum=None,
    ):
        super().__init__(name=name)
        check_setting(n_samples, sample_rate, amp_resample_method)
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.amp_scale_fn = amp_scale_fn
        self.amp_resample_method = amp_resample_method
        self.freq_scale_fn = freq_scale_fn
        self.use_angular_cumsum = use_angular_cumsum

    def get_controls(self, amplitudes, frequencies):
        """Shape network outputs.

        Args:
            amplitudes: `[batch, n_frames, n_sinusoids]`.
            frequencies: `[batch, n_frames, n_sinusoids]`, times the depth of freq_scale_fn.
        """
        amplitudes, frequencies = core.tf_float32(amplitudes), core.tf_float32(frequencies)
        core.check_layout("amplitudes", amplitudes, "[batch, n_frames, n_sinusoids]")
        core.check_agree(FRAMES, amplitudes=amplitudes, frequencies=frequencies)
        if self.amp_scale_fn is not None:
            amplitudes = self.amp_scale_fn(amplitudes)
        if self.freq_scale_fn is not None:
            frequencies = self.freq_scale_fn(frequencies)
            amplitudes = core.remove_above_nyquist(frequencies, amplitudes, self.sample_rate)
        return {"amplitudes": amplitudes, "frequencies": frequencies}

    def get_signal(self, amplitudes, frequencies):
        """Play the controls: audio `[batch, n_samples]`."""
        wrap = self.use_angular_cumsum
        return core.oscillator_bank(
            frequency_envelopes=core.resample(frequencies, self.n_samples),
            amplitude_envelopes=core.resample(
                amplitudes, self.n_samples, method=self.amp_resample_method
            ),
            sample_rate=self.sample_rate,
            **({} if wrap is None else {"use_angular_cumsum": wrap}),
        )
