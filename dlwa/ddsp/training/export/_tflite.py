"""TFLite (LiteRT): one frame after the other on phones, boards and in plug-ins."""

import importlib
import time
import warnings

import numpy as np
import tensorflow as tf

from dlwa.ddsp.training.export._saved_model import step_function
from dlwa.ddsp.training.export._step import Step
from dlwa.ddsp.training.export._truth import worst, worst_part

__all__ = ["AUDIO_LIMIT", "compare_tflite", "describe_step", "write_tflite"]

# Phases are summed in float32 here; the highest harmonics drift by this much in some seconds.
AUDIO_LIMIT = 2e-2
_BUILT_IN = (tf.lite.OpsSet.TFLITE_BUILTINS,)


def write_tflite(played, path):
    """Write the streaming step as a .tflite that needs no operations but the built-in ones.

    Raises:
        ExportError: if the model cannot stream.
    """
    kept = tf.Module()
    kept.variables_of_model = [variable.value for variable in played.model.variables]
    converter = tf.lite.TFLiteConverter.from_concrete_functions([step_function(played)], kept)
    converter.target_spec.supported_ops = list(_BUILT_IN)
    converter.experimental_enable_resource_variables = False  # weights become constants
    path.write_bytes(converter.convert())


def describe_step(played):
    """What a host must know to run the step: sizes, order of the state, delay."""
    step = Step(played)
    return {
        "inputs": {
            "f0_hz": [1],
            "loudness_db": [1],
            "noise": [played.hop_size],
            "state": [step.layout.total],
        },
        "outputs": ["audio", "amplitudes", "harmonic_distribution", "magnitudes", "state"],
        "state": step.layout.sizes,
        "state_size": step.layout.total,
        "delay_samples": step.delay_frames * played.hop_size,
        "hop_size": played.hop_size,
        "sample_rate": played.sample_rate,
        "reverb": "not included; see reverb_ir_*.wav",
    }


def compare_tflite(path, played, clip, truth):
    """Run the clip through the interpreter, frame by frame.

    Returns:
        (largest error of controls, of dry audio, seconds the playing took).
    """
    step = Step(played)
    hop, delay = played.hop_size, step.delay_frames
    run = _interpreter(path).get_signature_runner()
    state = np.zeros(step.layout.total, np.float32)
    noise = np.concatenate([truth.noise, np.zeros(delay * hop, np.float32)]).reshape(-1, hop)
    outputs = []
    begun = time.perf_counter()
    for i in range(len(clip) + delay):  # the last frame is held until its sound is out
        frame = min(i, len(clip) - 1)
        one = slice(frame, frame + 1)
        out = run(
            f0_hz=clip.f0_hz[one], loudness_db=clip.loudness_db[one], noise=noise[i], state=state
        )
        state = out["state"]
        outputs.append(out)
    took_s = time.perf_counter() - begun
    controls = max(
        worst(_series(outputs[: len(clip)], name, truth.controls[name].shape), want)
        for name, want in truth.controls.items()
    )
    audio = np.concatenate([out["audio"] for out in outputs])[delay * hop :]
    # A filter rings into the last frame differently where nothing follows.
    return controls, worst_part(audio[:-hop], truth.dry[: len(audio) - hop]), took_s


def _series(outputs, name, shape):
    return np.stack([out[name] for out in outputs]).reshape(shape)


def _interpreter(path):
    """Of the package for it where there is one, else TensorFlow's own."""
    try:
        interpreter = importlib.import_module("ai_edge_litert.interpreter").Interpreter
    except ImportError:
        interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it speaks of a package we do not need
        return interpreter(model_path=str(path))
