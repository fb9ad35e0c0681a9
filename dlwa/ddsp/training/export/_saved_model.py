"""A SavedModel: plays in any TensorFlow, without dlwa."""

import time

import numpy as np
import tensorflow as tf

from dlwa.ddsp.training.export._step import Step, can_stream
from dlwa.ddsp.training.export._truth import SEED, worst, worst_part
from dlwa.ddsp.training.export._whole import Whole

__all__ = ["AUDIO_LIMIT", "compare_saved_model", "write_saved_model"]

AUDIO_LIMIT = 1e-4


def write_saved_model(played, folder, z_dims=0, streams=True):
    """Write a SavedModel with the signatures `play` (the default) and, if it streams, `step`.

    Args:
        played: a PlayableModel.
        folder: where to.
        z_dims: size of what the model's encoder hears; 0 without an encoder.
        streams: whether the step is wanted where there is one.
    """
    # The functions hold on to the model; here only its variables are kept with them.
    module = tf.Module()
    module.kept = [variable.value for variable in played.model.variables]
    signatures = {"play": play_function(played, z_dims)}
    if streams and can_stream(played):
        signatures["step"] = step_function(played)
    tf.saved_model.save(
        module, str(folder), signatures={"serving_default": signatures["play"], **signatures}
    )


def play_function(played, z_dims):
    """The whole piece as a concrete function of any length."""
    whole = Whole(played)
    series = {name: tf.TensorSpec([None], name=name) for name in ("f0_hz", "loudness_db")}
    seed = tf.TensorSpec([], tf.int32, name="seed")
    if not z_dims:
        function = tf.function(
            lambda f0_hz, loudness_db, seed: whole(f0_hz, loudness_db, seed), autograph=False
        )
        return function.get_concrete_function(*series.values(), seed)
    function = tf.function(
        lambda f0_hz, loudness_db, seed, z: whole(f0_hz, loudness_db, seed, z), autograph=False
    )
    z = tf.TensorSpec([None, z_dims], name="z")
    return function.get_concrete_function(*series.values(), seed, z)


def step_function(played):
    """One frame as a concrete function."""
    step = Step(played)
    function = tf.function(
        lambda f0_hz, loudness_db, noise, state: step(f0_hz, loudness_db, noise, state),
        autograph=False,
    )
    return function.get_concrete_function(
        tf.TensorSpec([1], name="f0_hz"),
        tf.TensorSpec([1], name="loudness_db"),
        tf.TensorSpec([played.hop_size], name="noise"),
        tf.TensorSpec([step.layout.total], name="state"),
    )


def compare_saved_model(folder, clip, truth):
    """Load it as a stranger would and play the clip.

    Returns:
        (largest error of controls, of audio, seconds the playing took).
    """
    loaded = tf.saved_model.load(str(folder))
    play = loaded.signatures["serving_default"]
    inputs = {
        "f0_hz": tf.constant(clip.f0_hz),
        "loudness_db": tf.constant(clip.loudness_db),
        "seed": tf.constant(SEED),
    }
    if clip.z is not None:
        inputs["z"] = tf.constant(clip.z)
    play(**inputs)  # the first call also makes plans
    begun = time.perf_counter()
    outputs = {name: np.asarray(value) for name, value in play(**inputs).items()}
    took_s = time.perf_counter() - begun
    controls = max(worst(outputs[name], truth.controls[name]) for name in truth.controls)
    return controls, worst_part(outputs["audio"], truth.audio), took_s
