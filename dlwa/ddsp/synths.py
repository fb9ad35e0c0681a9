"""Synthesizers: from a network's outputs to sound."""

import gin

from dlwa.ddsp import core, processors

_register = gin.register(module="dlwa.ddsp.synths")

_FRAMES = ("batch", "n_frames")
_METHODS = ("nearest", "linear", "cubic", "window")


def _check_setting(n_samples, sample_rate=1, amp_resample_method="window"):
    core.check_whole("n_samples", n_samples)
    core.check_positive("sample_rate", sample_rate)
    if amp_resample_method not in _METHODS:
        raise ValueError(f"amp_resample_method={amp_resample_method!r} must be one of {_METHODS}")


@_register
class TensorToAudio(processors.Processor):
    """Samples that a network wrote itself, taken as sound.

    Example:
        >>> TensorToAudio()([[[0.5], [-0.5]]]).numpy().tolist()
        [[0.5, -0.5]]
    """

    def __init__(self, name="tensor_to_audio"):
        super().__init__(name=name)

    def get_controls(self, samples):
        """Samples `[batch, n_samples, 1]` as they are."""
        core.check_layout("samples", samples, "[batch, n_samples, 1]")
        return {"samples": samples}

    def get_signal(self, samples):
        """Audio `[batch, n_samples]`."""
        return core.tf_float32(samples)[..., 0]


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
        _check_setting(n_samples, sample_rate, amp_resample_method)
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
        core.check_agree(_FRAMES, **given)
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


@_register
class FilteredNoise(processors.Processor):
    """White noise through a filter that changes over time: breath, bow, consonants.

    Args:
        n_samples: length of the sound.
        window_size: taps of the filter's window; 0 for all.
        scale_fn: turns network outputs into magnitudes; None if they are already.
        initial_bias: added to the outputs, so that an untrained network is quiet.

    Example:
        >>> with core.noise_seed(1):
        ...     audio = FilteredNoise(n_samples=16000)(np.ones([1, 250, 65]))
        >>> audio.shape
        TensorShape([1, 16000])
    """

    def __init__(
        self,
        n_samples=64000,
        window_size=257,
        scale_fn=core.exp_sigmoid,
        initial_bias=-5.0,
        name="filtered_noise",
    ):
        super().__init__(name=name)
        _check_setting(n_samples)
        self.n_samples = n_samples
        self.window_size = window_size
        self.scale_fn = scale_fn
        self.initial_bias = initial_bias

    def get_controls(self, magnitudes):
        """Shape network outputs `[batch, n_frames, n_bands]` into magnitudes."""
        magnitudes = core.tf_float32(magnitudes)
        core.check_layout("magnitudes", magnitudes, "[batch, n_frames, n_bands]")
        if self.scale_fn is not None:
            magnitudes = self.scale_fn(magnitudes + self.initial_bias)
        return {"magnitudes": magnitudes}

    def get_signal(self, magnitudes):
        """Filter fresh noise (see core.noise_seed): audio `[batch, n_samples]`."""
        batch = core.batch_size(magnitudes)
        noise = core.uniform_noise([batch, self.n_samples])
        return core.frequency_filter(noise, magnitudes, window_size=self.window_size)


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
        _check_setting(n_samples, sample_rate)
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
        core.check_agree(_FRAMES, amplitudes=amplitudes, f0_hz=f0_hz)
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
        _check_setting(n_samples, sample_rate, amp_resample_method)
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
        core.check_agree(_FRAMES, amplitudes=amplitudes, frequencies=frequencies)
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
