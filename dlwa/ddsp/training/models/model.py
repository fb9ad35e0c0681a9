"""What every model can do: answer with a dictionary, collect its losses, load a checkpoint."""

import keras
import tensorflow as tf
from absl import logging

from dlwa.ddsp import core
from dlwa.ddsp.training import checkpoint_util

__all__ = ["Model"]


class Model(keras.Model):
    """Base of all models: dictionaries of features in, dictionaries of signals and controls out.

    Subclasses define `call(features, training=...)` and add to the losses there with
    `_update_losses_dict()`.
    """

    def __init__(self, **kwargs):
        # The layers inside may compute in half precision; features and signals stay float32.
        kwargs.setdefault("dtype", "float32")
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self._losses_dict = {}
        self._wants_losses = False
        self._restore_later = None

    def build(self, *_shapes):
        """Nothing to do: the parts build themselves on the first call."""
        self.built = True

    def __call__(self, features, *args, return_losses=False, **kwargs):
        """Run the model.

        Args:
            features: dictionary of tensors (or what a subclass takes); it is never changed.
            return_losses: also return the losses, in evaluation (training=False) as well.

        Returns:
            outputs, or (outputs, losses) with losses['total_loss'] the sum of all.
        """
        features = _own_float32_copy(features)
        if self._restore_later is not None:
            self._restore_now(features, *args, **kwargs)
        self._losses_dict = {}
        self._wants_losses = return_losses
        outputs = super().__call__(features, *args, **kwargs)
        self._wants_losses = False
        if not return_losses:
            return outputs
        losses = dict(self._losses_dict)
        losses["total_loss"] = self.sum_losses(losses)
        return outputs, losses

    def sum_losses(self, losses_dict):
        """The sum of all losses, 0.0 without any."""
        return tf.add_n(
            [tf.cast(v, tf.float32) for v in losses_dict.values()] or [tf.constant(0.0)]
        )

    def get_audio_from_outputs(self, outputs):
        """The audio `[batch, n_samples]` among the outputs of call()."""
        raise NotImplementedError(f"{type(self).__name__} must define get_audio_from_outputs()")

    def restore(self, checkpoint_path, verbose=True, restore_keys=None):
        """Load the weights of a checkpoint.

        A model that has not been called yet loads them on its first call.

        Args:
            checkpoint_path: a checkpoint, or a folder whose newest one is taken.
            verbose: log what is loaded.
            restore_keys: names of submodules to load alone, e.g. ['decoder'].

        Raises:
            FileNotFoundError: if there is no checkpoint.
            ValueError: if it does not fit the model, with the differing variables.
        """
        prefix = checkpoint_util.get_latest_checkpoint(checkpoint_path)
        if verbose:
            logging.info("Restoring from %s%s", prefix, f" {restore_keys}" if restore_keys else "")
        if self.built:
            checkpoint_util.load_reference_checkpoint(self, prefix, restore_keys)
            self._restore_later = None
        else:
            checkpoint_util.saved_variables(prefix)  # a damaged file is told now, not later
            self._restore_later = (prefix, restore_keys)

    def _restore_now(self, features, *args, **kwargs):
        if not tf.executing_eagerly():
            raise ValueError(
                f"model={self.name!r} was restored before it was built; call it once on features "
                "outside of tf.function"
            )
        prefix, restore_keys = self._restore_later
        super().__call__(features, *args, **kwargs)
        checkpoint_util.load_reference_checkpoint(self, prefix, restore_keys)
        self._restore_later = None

    def _update_losses_dict(self, loss_objs, *args, **kwargs):
        """Add the losses of one or more loss objects for these arguments."""
        for loss in core.make_iterable(loss_objs):
            self._losses_dict.update(loss.get_losses_dict(*args, **kwargs))


def _own_float32_copy(features):
    """The same structure, new dictionaries, every real number float32."""
    if isinstance(features, dict):
        return {key: _own_float32_copy(value) for key, value in features.items()}
    if isinstance(features, list | tuple):
        return type(features)(_own_float32_copy(value) for value in features)
    if features is None:
        return None
    tensor = tf.convert_to_tensor(features)
    return tf.cast(tensor, tf.float32) if tensor.dtype.is_floating else tensor
