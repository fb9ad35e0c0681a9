"""Noise through a filter that changes."""

import gin

from dlwa.ddsp import core, processors

from ._checks import check_setting

_register = gin.register(module="dlwa.ddsp.synths")


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
        check_setting(n_samples)
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
