"""The model that a gin configuration names."""

import gin

__all__ = ["get_model"]


@gin.configurable(module="dlwa.ddsp.training.models")
def get_model(model=gin.REQUIRED):
    """The model bound by `get_model.model = @models.Autoencoder()` or the like."""
    return model
