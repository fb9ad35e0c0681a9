"""What turns controls into signals, and groups of it."""

import gin
import keras
import tensorflow as tf

from dlwa.ddsp import core, dags
from dlwa.ddsp.registry import configurable_layer

_register = gin.register(module="dlwa.ddsp.processors")


class Processor(keras.layers.Layer):
    """A signal processor: get_controls() shapes network outputs, get_signal() makes the sound.

    Calling it does both. Subclasses define get_controls(*inputs) -> dictionary and
    get_signal(**controls) -> tensor; trainable ones make their weights in build().

    Args:
        name: what the processor is called in a ProcessorGroup.
        trainable: the controls are weights of the processor instead of inputs.

    Example:
        >>> class Louder(Processor):
        ...     def get_controls(self, audio, gain):
        ...         return {"audio": audio, "gain": tf.nn.softplus(gain)}
        ...     def get_signal(self, audio, gain):
        ...         return audio * gain
        >>> louder = Louder(name="louder")
        >>> louder(tf.ones([1, 4]), 100.0).numpy().tolist()
        [[100.0, 100.0, 100.0, 100.0]]
        >>> sorted(louder(tf.ones([1, 4]), 100.0, return_outputs_dict=True))
        ['controls', 'signal']
    """

    def __init__(self, name, trainable=False):
        # Controls stay float32 whatever precision the networks compute in.
        super().__init__(name=name, trainable=trainable, autocast=False, dtype="float32")

    def __call__(self, *args, return_outputs_dict=False, **kwargs):
        """Make the signal; with return_outputs_dict {'signal': ..., 'controls': ...}."""
        for name in ("training", "mask"):
            kwargs.pop(name, None)
        if not self.built:
            self.build(None)
            self.built = True
        controls = self.get_controls(*args, **kwargs)
        signal = self.get_signal(**controls)
        return {"signal": signal, "controls": controls} if return_outputs_dict else signal

    def build(self, input_shape):
        """Make the weights, if any."""
        self.built = True

    def get_controls(self, *args, **kwargs):
        """Shape inputs into controls; defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} must define get_controls().")

    def get_signal(self, *args, **kwargs):
        """Make the signal from controls; defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} must define get_signal().")


@configurable_layer("dlwa.ddsp.processors")
class ProcessorGroup(dags.DAGLayer):
    """Processors wired into one, e.g. oscillators and noise, added, then reverb.

    Args:
        dag: see dags.DAGLayer.
        **kwarg_processors: processors that nodes refer to by keyword.

    Example:
        >>> group = ProcessorGroup(
        ...     dag=[
        ...         [Add(name="both"), ["first", "second"]],
        ...         [Crop(frame_size=2), ["both/signal"]],
        ...     ]
        ... )
        >>> group({"first": [[1.0, 2.0, 3.0]], "second": [[1.0, 1.0, 1.0]]}).numpy().tolist()
        [[2.0]]
        >>> group({"first": [[1.0, 2.0, 3.0]]})
        Traceback (most recent call last):
        KeyError: "input 'second' of 'both' in 'processor_group': ...present: ['first', 'inputs']"
          In call to configurable 'run_dag' ...
    """

    def __init__(self, dag, **kwarg_processors):
        super().__init__(dag, **{"name": "processor_group", **kwarg_processors})
        if not self.dag:
            raise ValueError("dag=[] must have one processor at least")

    def __call__(self, inputs, return_outputs_dict=False, **kwargs):
        """Make the signal; with return_outputs_dict {'signal': ..., 'controls': ...}."""
        controls = self.get_controls(inputs, **kwargs)
        signal = self.get_signal(controls)
        return {"signal": signal, "controls": controls} if return_outputs_dict else signal

    @property
    def processors(self):
        """The processors, in the order of processor_names."""
        return self.modules

    @property
    def processor_names(self):
        """Names of the processors."""
        return self.module_names

    def get_controls(self, inputs, **kwargs):
        """Run all processors: a dictionary of the inputs and of each one's signal and controls."""
        return self.run_dag(inputs, **kwargs)

    def get_signal(self, outputs):
        """The signal of the last processor."""
        return outputs["out"]["signal"]


@_register
class Add(Processor):
    """The sum of two signals.

    Example:
        >>> Add()([[1.0, 2.0]], [[0.5, 0.5]]).numpy().tolist()
        [[1.5, 2.5]]
    """

    def __init__(self, name="add"):
        super().__init__(name=name)

    def get_controls(self, signal_one, signal_two):
        """Both signals as they are; of equal shape, or one with a batch of 1.

        Raises:
            ValueError: if their shapes do not fit each other.
        """
        signal_one, signal_two = core.tf_float32(signal_one), core.tf_float32(signal_two)
        if len(signal_one.shape) != len(signal_two.shape):
            raise ValueError(
                f"signal_one.shape={tuple(signal_one.shape)} and signal_two.shape="
                f"{tuple(signal_two.shape)} must be the same"
            )
        axes = ("batch", "n_samples", "n_channels")[: len(signal_one.shape)]
        core.check_agree(axes, signal_one=signal_one, signal_two=signal_two)
        return {"signal_one": signal_one, "signal_two": signal_two}

    def get_signal(self, signal_one, signal_two):
        """The sum."""
        return signal_one + signal_two


@_register
class Mix(Processor):
    """A constant-power crossfade from signal two (mix level 0) to signal one (mix level 1).

    The reference weighs signal two by 1 - sqrt(|1 - level|), which is silence at level 0 and both
    signals at level 1; here it is sqrt(1 - level).

    Example:
        >>> Mix()([[1.0, 1.0]], [[0.0, 0.0]], [[[0.0]]]).numpy().round(3)
        array([[0.707, 0.707]], dtype=float32)
    """

    def __init__(self, name="mix"):
        super().__init__(name=name)

    def get_controls(self, signal_one, signal_two, nn_out_mix_level):
        """Squash the mix level to 0...1 and stretch it to the signals' length.

        Args:
            signal_one: `[batch, n_samples, 1]` or `[batch, n_samples]`.
            signal_two: the same shape.
            nn_out_mix_level: `[batch, n_frames, 1]`, any number.

        Raises:
            ValueError: if the signals differ in length or batches do not fit.
        """
        signal_one, signal_two = core.tf_float32(signal_one), core.tf_float32(signal_two)
        level = core.tf_float32(nn_out_mix_level)
        for name, signal in {"signal_one": signal_one, "signal_two": signal_two}.items():
            core.check_layout(name, signal, "[batch, n_samples]", "[batch, n_samples, 1]")
        lengths = signal_one.shape[1], signal_two.shape[1]
        ranks = len(signal_one.shape), len(signal_two.shape)
        if ranks[0] != ranks[1] or (None not in lengths and lengths[0] != lengths[1]):
            raise ValueError(
                f"signal_one.shape={tuple(signal_one.shape)} and signal_two.shape="
                f"{tuple(signal_two.shape)} must have the same length and axes"
            )
        core.check_layout("nn_out_mix_level", level, "[batch, n_frames, 1]")
        core.check_agree(
            ["batch"], signal_one=signal_one, signal_two=signal_two, nn_out_mix_level=level
        )
        length = lengths[0] if lengths[0] is not None else tf.shape(signal_one)[1]
        level = core.resample(tf.nn.sigmoid(level), length)
        return {"signal_one": signal_one, "signal_two": signal_two, "mix_level": level}

    def get_signal(self, signal_one, signal_two, mix_level):
        """sqrt(level) * signal_one + sqrt(1 - level) * signal_two."""
        if len(signal_one.shape) == 2 and len(mix_level.shape) == 3:
            mix_level = mix_level[..., 0]
        return _root(mix_level) * signal_one + _root(1.0 - mix_level) * signal_two


def _root(share):
    """Square root of 0...1, whose infinite slope at 0 would make every gradient no number."""
    positive = share > 0.0
    return tf.where(positive, tf.sqrt(tf.where(positive, share, 1.0)), 0.0)


@_register
class Crop(Processor):
    """Cut a frame's length off a sound that was made a frame too long.

    Args:
        frame_size: samples of the frame (an odd one loses a sample less).
        crop_location: 'front', 'center' (half at each end) or 'back'.

    Raises:
        ValueError: if the location is none of these.

    Example:
        >>> Crop(frame_size=2)([[1.0, 2.0, 3.0, 4.0]]).numpy().tolist()
        [[1.0, 2.0]]
    """

    def __init__(self, frame_size, crop_location="back", name="crop"):
        super().__init__(name=name)
        if crop_location not in ("front", "center", "back"):
            raise ValueError(f"crop_location={crop_location!r} must be 'front', 'center' or 'back'")
        core.check_whole("frame_size", frame_size)
        self.frame_size = frame_size
        self.crop_location = crop_location

    def get_controls(self, audio):
        """The sound as it is, `[batch, n_samples]`.

        Raises:
            ValueError: if nothing would be left of it.
        """
        audio = core.tf_float32(audio)
        core.check_layout("audio", audio, "[batch, n_samples]", "[batch, n_samples, 1]")
        least = 2 * (self.frame_size // 2) + 1
        if (audio.shape[1] or least) < least:
            raise ValueError(
                f"audio.shape={tuple(audio.shape)} must have at least the "
                f"{least - 1} samples that are cut off and one more"
            )
        return {"audio": audio}

    def get_signal(self, audio):
        """The shorter sound."""
        pad = self.frame_size // 2
        if pad == 0:
            return audio
        if self.crop_location == "front":
            return audio[:, 2 * pad :]
        return audio[:, pad:-pad] if self.crop_location == "center" else audio[:, : -2 * pad]
