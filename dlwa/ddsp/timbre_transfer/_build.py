"""From a configuration to a model without weights, in a gin table of its own."""

import contextlib
import copy
from dataclasses import dataclass

import gin

from dlwa.ddsp.timbre_transfer._errors import TransferError
from dlwa.ddsp.training import gin_util, inference, models

_OVERRIDES = (
    "F0LoudnessPreprocessor.compute_loudness = False",
    "RnnFcDecoder.stateless = True",
    "Autoencoder.losses = None",
)


@dataclass(frozen=True)
class Built:
    """A model, its rates, and the rate at which it measured loudness while it learned."""

    model: models.Autoencoder
    sample_rate: int
    frame_rate: int
    loudness_rate: int


def build(add_config, text, where):
    """Build the model that a configuration describes, for playing.

    Args:
        add_config: puts the configuration into a gin_util.Config.
        text: of that configuration.
        where: what to call it in errors.

    Raises:
        TransferError: if it describes no model of pitch and loudness.
    """
    try:
        with _own_gin():
            config = gin_util.Config()
            add_config(config)
            config.add_params(_OVERRIDES)
            model = models.get_model()
        bindings = gin_util.bindings_of(gin_util.convert_text(text)[0])
    except (gin_util.GinError, ValueError, RuntimeError, TypeError) as error:
        raise TransferError(f"{where} describes no model we can build: {error}") from error
    parts = (model, getattr(model, "preprocessor", None), getattr(model, "decoder", None))
    if not isinstance(model, models.Autoencoder) or None in parts:
        raise TransferError(
            f"{where} describes a {type(model).__name__}, which plays no pitch and loudness",
            "timbre transfer needs an Autoencoder, e.g. of models/solo_instrument.gin",
        )
    preprocessor = model.preprocessor
    measured_itself = bindings.get("F0LoudnessPreprocessor.compute_loudness") != "False"
    return Built(
        model=model,
        sample_rate=inference.sample_rate_of(model),
        frame_rate=int(getattr(preprocessor, "frame_rate", 250)),
        loudness_rate=int(getattr(preprocessor, "sample_rate", 16000))
        if measured_itself
        else 16000,
    )


@contextlib.contextmanager
def _own_gin():
    """A gin configuration of our own; the caller's is put back afterwards."""
    kept = copy.copy(gin.config._CONFIG), gin.config.config_is_locked()
    gin.config._set_config_is_locked(False)
    try:
        gin.clear_config()
        yield
    finally:
        gin.clear_config()
        gin.config._CONFIG.update(kept[0])
        gin.config._set_config_is_locked(kept[1])
