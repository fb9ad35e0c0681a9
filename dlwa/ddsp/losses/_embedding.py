"""Losses that listen through the layers of a pretrained network."""

import gin
import tensorflow as tf

from dlwa.ddsp import core, pitch

from ._base import Loss, check_loss_type, check_same_shape, mean_difference

_FRAME_SIZE = 1024

# Typical difference of two unrelated sounds after each layer of CREPE, as the reference gives it.
_LAYER_SCALES = {
    "conv1-BN": 1.3,
    "conv1-maxpool": 1.0,
    "conv2-BN": 1.4,
    "conv2-maxpool": 1.1,
    "conv3-BN": 1.9,
    "conv3-maxpool": 1.6,
    "conv4-BN": 1.5,
    "conv4-maxpool": 1.4,
    "conv5-BN": 1.9,
    "conv5-maxpool": 1.7,
    "conv6-BN": 30.0,
    "conv6-maxpool": 25.0,
    "classifier": 130.0,
}


@gin.register(module="dlwa.ddsp.losses")
class EmbeddingLoss(Loss):
    """Difference of two sounds after a network that knows sounds.

    Args:
        weight: factor.
        loss_type: see mean_difference.
        pretrained_model: function audio `[batch, n_samples]` -> features.

    Example:
        >>> loss = EmbeddingLoss(pretrained_model=lambda x: tf.reduce_max(tf.abs(x), axis=1))
        >>> float(loss([[0.0, -1.0]], [[0.5, 0.0]]))
        0.5
    """

    def __init__(self, weight=1.0, loss_type="L1", pretrained_model=None, name="embedding_loss"):
        super().__init__(name=name)
        check_loss_type(loss_type)
        self.weight = weight
        self.loss_type = loss_type
        self.pretrained_model = pretrained_model

    def call(self, target_audio, audio):
        """Compare two sounds `[batch, n_samples]`: scalar.

        Raises:
            ValueError: if their shapes differ.
            TypeError: if there is no network.
        """
        if self.weight <= 0.0:
            return tf.constant(0.0)
        if not callable(self.pretrained_model):
            raise TypeError(
                f"pretrained_model={self.pretrained_model!r} must be a function of audio"
            )
        target_audio, audio = core.tf_float32(target_audio), core.tf_float32(audio)
        check_same_shape(target_audio=target_audio, audio=audio)
        target, value = self.pretrained_model(target_audio), self.pretrained_model(audio)
        return self.weight * mean_difference(target, value, self.loss_type)


@gin.register(module="dlwa.ddsp.losses")
class PretrainedCREPE(Loss):
    """What an inner layer of CREPE hears in a sound at 16 kHz.

    Args:
        model_capacity: 'tiny' or 'full'.
        activation_layer: 'conv1-BN' ... 'conv6-maxpool' or 'classifier'.
        trainable: kept for the reference's signature; the weights never change.
    """

    def __init__(
        self,
        model_capacity="tiny",
        activation_layer="conv5-maxpool",
        name="pretrained_crepe",
        trainable=False,
    ):
        super().__init__(name=name, trainable=trainable)
        if activation_layer not in _LAYER_SCALES:
            raise ValueError(
                f"activation_layer={activation_layer!r} must be one of {list(_LAYER_SCALES)}"
            )
        self._network = pitch.get_network(model_capacity)
        self._activation_layer = activation_layer

    def frame_audio(self, audio, hop_length=_FRAME_SIZE, center=True):
        """Cut audio `[batch, n_samples]` into normalised frames `[batch, n_frames, 1024]`.

        Args:
            audio: at 16 kHz.
            hop_length: samples from frame to frame.
            center: pad half a frame at both ends.
        """
        audio = core.tf_float32(audio)
        core.check_layout("audio", audio, "[batch, n_samples]")
        core.check_whole("hop_length", hop_length)
        if center:
            half = _FRAME_SIZE // 2
            audio = core.pad_axis(audio, (half, half), axis=1)
        frames = tf.signal.frame(audio, _FRAME_SIZE, hop_length)
        mean, variance = tf.nn.moments(frames, axes=[-1], keepdims=True)
        # The root has no slope in silence; 0 stands in for it.
        sounding = variance > 0.0
        deviation = tf.where(sounding, tf.sqrt(tf.where(sounding, variance, 1.0)), 0.0)
        return (frames - mean) / (deviation + 1e-5)

    def call(self, audio):
        """Features `[batch, n_frames, n_features]` of audio `[batch, n_samples]`."""
        frames = self.frame_audio(audio)
        flat = tf.reshape(frames, [-1, _FRAME_SIZE])
        features = self._network.layer_output(flat, self._activation_layer)
        return tf.reshape(features, [tf.shape(frames)[0], -1, features.shape[-1]])


@gin.register(module="dlwa.ddsp.losses")
class PretrainedCREPEEmbeddingLoss(EmbeddingLoss):
    """Difference of two sounds as an inner layer of CREPE hears them, scaled to its usual size.

    Args:
        weight: factor.
        loss_type: see mean_difference.
        model_capacity: see PretrainedCREPE.
        activation_layer: see PretrainedCREPE.
    """

    def __init__(
        self,
        weight=1.0,
        loss_type="L1",
        model_capacity="tiny",
        activation_layer="classifier",
        name="pretrained_crepe_embedding_loss",
    ):
        model = PretrainedCREPE(model_capacity, activation_layer)
        scale = 20.0 * _LAYER_SCALES[activation_layer]
        super().__init__(scale * weight, loss_type, model, name=name)
