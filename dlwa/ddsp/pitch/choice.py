"""Which pitch tracker suits this machine."""

from dlwa.ddsp.pitch import swift
from dlwa.ddsp.pitch.weights import SIZES, available_sizes, load_weights

MODELS = (*SIZES, swift.MODEL)


def pitch_model_title(model: str) -> str:
    """How a person would call a model.

    Example:
        >>> pitch_model_title("tiny"), pitch_model_title("swift")
        ('CREPE tiny', 'SwiftF0')
    """
    return "SwiftF0" if model == swift.MODEL else f"CREPE {model}"


def resolve_pitch_model(name: str) -> str:
    """Turn "auto" into the model for this machine: CREPE full on a GPU, tiny on a processor.

    On clear recordings of one instrument tiny is as accurate as full and about fifteen times
    faster; "swift" is faster still and a little less accurate, so it must be asked for.
    Raises ValueError for an unknown model and FileNotFoundError for one that is not installed.
    """
    if name == "auto":
        import tensorflow as tf

        wanted = "full" if tf.config.list_physical_devices("GPU") else "tiny"
        available = available_sizes()
        name = wanted if wanted in available or not available else available[-1]
    if name not in MODELS:
        raise ValueError(f"pitch_model={name!r} must be auto or one of {', '.join(MODELS)}")
    if name == swift.MODEL:
        swift.check_available()
    else:
        load_weights(name)
    return name
