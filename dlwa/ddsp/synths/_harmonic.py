"""The voice of most instruments: harmonics of one pitch."""

import gin

from dlwa.ddsp import core, processors

from ._checks import FRAMES, check_setting

_register = gin.register(module="dlwa.ddsp.synths")


@_register
class Harmonic(processors.Processor):
    """An oscillator bank at the multiples of one pitch: the voice of most instruments.

    Args:
        n_samples: length of the sound.
        sample_rate: in Hz.
        scale_fn: turns network outputs into amplitudes; None if they are already.
        normalize_below_nyquist: harmonics that cannot be played get no share.
        amp_resample_method: how amplitudes change between frames, see core.resample.
        use_angular_cumsum: wrap the phase. With a whole number of samples a frame (and the methods
            'window' and 'linear') the phase is exact either way.

    Example:
        >>> synth = Harmonic(n_samples=16000, scale_fn=None)
        >>> frames = np.ones([1, 250, 1])
        >>> audio = synth(0.5 * frames, np.ones([1, 250, 4]), 440.0 * frames)
        >>> audio.shape
        TensorShape([1, 16000])
        >>> synth.get_controls(frames, np.ones([1, 250, 4]), 3000.0 * frames)[
        ...     "harmonic_distribution"
        ... ][0, 0].numpy().tolist()  # 9 and 12 kHz cannot be played at a rate of 16 kHz
        [0.5, 0.5, 0.0, 0.0]
    """

    def __init__(
        self,
        n_samples=64000,
        sample_rate=16000,
        scale_fn=core.exp_sigmoid,
        normalize_below_nyquist=True,
        amp_resample_method="window",
        use_angular_cumsum=False,
        name="harmonic",
    ):
        super().__init__(name=name)
        check_setting(n_samples, sample_rate, amp_resample_method)
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.scale_fn = scale_fn
        self.normalize_below_nyquist = normalize_below_nyquist
        self.amp_resample_method = amp_resample_method
        self.use_angular_cumsum = use_angular_cumsum

    def get_controls(self, amplitudes, harmonic_distribution, f0_hz):
        """Shape network outputs into an amplitude and shares of harmonics.

        Args:
            amplitudes: `[batch, n_frames, 1]`.
            harmonic_distribution: `[batch, n_frames, n_harmonics]`.
            f0_hz: `[batch, n_frames, 1]`.

        Returns:
            Dictionary amplitudes, harmonic_distribution (adding up to one), f0_hz.
        """
        amplitudes, f0_hz = core.tf_float32(amplitudes), core.tf_float32(f0_hz)
        harmonic_distribution = core.tf_float32(harmonic_distribution)
        given = {
            "amplitudes": amplitudes,
            "harmonic_distribution": harmonic_distribution,
            "f0_hz": f0_hz,
        }
        core.check_layout("amplitudes", amplitudes, "[batch, n_frames, 1]")
        core.check_layout(
            "harmonic_distribution", harmonic_distribution, "[batch, n_frames, n_harmonics]"
        )
        core.check_layout("f0_hz", f0_hz, "[batch, n_frames, 1]")
        core.check_agree(FRAMES, **given)
        core.check_hz("f0_hz", f0_hz)
        if self.scale_fn is not None:
            amplitudes = self.scale_fn(amplitudes)
            harmonic_distribution = self.scale_fn(harmonic_distribution)
        harmonic_distribution = core.normalize_harmonics(
            harmonic_distribution,
            f0_hz,
            self.sample_rate if self.normalize_below_nyquist else None,
        )
        return {
            "amplitudes": amplitudes,
            "harmonic_distribution": harmonic_distribution,
            "f0_hz": f0_hz,
        }

    def get_signal(self, amplitudes, harmonic_distribution, f0_hz):
        """Play the controls: audio `[batch, n_samples]`."""
        return core.harmonic_synthesis(
            frequencies=f0_hz,
            amplitudes=amplitudes,
            harmonic_distribution=harmonic_distribution,
            n_samples=self.n_samples,
            sample_rate=self.sample_rate,
            amp_resample_method=self.amp_resample_method,
            use_angular_cumsum=self.use_angular_cumsum,
        )


# The name of Harmonic before version 1 of the reference; old configurations use it.
Additive = Harmonic
