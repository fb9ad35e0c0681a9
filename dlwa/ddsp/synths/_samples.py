"""Samples taken as they are."""

import gin

from dlwa.ddsp import core, processors

_register = gin.register(module="dlwa.ddsp.synths")


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
