"""Same names, argument names and defaults as the reference: what is written for it runs on ours."""

import ast
import functools
import importlib
import inspect
import math
from pathlib import Path

import pytest

pytestmark = pytest.mark.ddsp

LINES = (Path(__file__).parent / "signatures.txt").read_text(encoding="utf-8").splitlines()
ROWS = [line for line in LINES if line and not line.startswith("#")]
KINDS = inspect.Parameter

GIN_NAMES = {
    "core": "exp_sigmoid sym_exp_sigmoid frequencies_softmax frequencies_sigmoid "
    "frequencies_critical_bands angular_cumsum oscillator_bank harmonic_oscillator_bank",
    "spectral_ops": "compute_mag compute_mel compute_logmag compute_logmel compute_mfcc "
    "compute_loudness compute_f0",
    "processors": "ProcessorGroup Add Mix Crop",
    "dags": "DAGLayer",
    "synths": "TensorToAudio Harmonic FilteredNoise Wavetable Sinusoidal",
    "effects": "Reverb ExpDecayReverb FilteredNoiseReverb FIRFilter",
    "losses": "LossGroup SpectralLoss HmmTranscriber EmbeddingLoss PretrainedCREPE "
    "PretrainedCREPEEmbeddingLoss FilteredNoiseConsistencyLoss HarmonicConsistencyLoss "
    "WassersteinConsistencyLoss KDEConsistencyLoss TWMLoss ParamLoss",
    "preprocessing": "F0LoudnessPreprocessor F0PowerPreprocessor OnlineF0PowerPreprocessor",
    "nn": "split_to_dict Normalize PolyphaseResample NormReluConv ResidualLayer ResidualStack "
    "ResNet Fc FcStack Rnn StatelessRnn RnnFc RnnSandwich Identity ConditionalNorm SingleGru "
    "DilatedConvStack FcStackOut VectorQuantization Dense",
    "decoders": "RnnFcDecoder DilatedConvDecoder MidiDecoder MidiToHarmonicDecoder",
    "encoders": "MfccTimeDistributedRnnEncoder ResnetSinusoidalEncoder "
    "SinusoidalToHarmonicEncoder OneHotEncoder AggregateFeaturesEncoder MfccRnnEncoder "
    "MfccEncoder MidiEncoder HarmonicToMidiEncoder ExpressionEncoder",
    "heuristics": "mean_f0 median_f0 median_amps amp_pooled_outliers strided_freq_change "
    "power_pooled_outliers midi_heuristic midi_heuristic_power segment_notes_batch",
}

# Deliberately another default: with the reference's, the call fails (docs/differences.md, 3).
OTHER_DEFAULTS = {("colab.colab_utils.save_dataset_statistics", "power_frame_size"): 1024}


def _find(path):
    """The object called `path` below dlwa.ddsp, and whether it is a method."""
    parts = path.split(".")
    modules = 2 if parts[0] in ("training", "colab") else 1
    module = importlib.import_module(".".join(["dlwa.ddsp", *parts[:modules]]))
    return functools.reduce(getattr, parts[modules:], module), len(parts) - modules == 2


def _parameters(thing, is_method):
    """Parameters by name, without self."""
    if inspect.isclass(thing):
        thing = getattr(thing.__init__, "behind", thing.__init__)
        is_method = True
    parameters = dict(inspect.signature(thing).parameters)
    if is_method:
        parameters.pop("self", None)
    return parameters


def _wanted(text):
    """Path, [(argument, default as text or None)], whether it takes any keyword."""
    path = text.split("(", 1)[0]
    code = text.replace("@", "FUNCTION.").replace("λ", "FUNCTION")
    call = ast.parse(f"def f({code.split('(', 1)[1].rstrip()[:-1]}): pass").body[0].args
    names = [a.arg for a in call.args]
    defaults = [None] * (len(names) - len(call.defaults)) + [ast.unparse(d) for d in call.defaults]
    return path, list(zip(names, defaults, strict=True)), call.kwarg is not None


# An argument that the reference demands may have a default here: its calls still work.
def _same_default(text, value):
    if text.startswith("FUNCTION"):
        name = text.rpartition(".")[2]
        return callable(value) and (text == "FUNCTION" or value.__name__ == name)
    if text == "tf.float32":
        return value == "float32"
    wanted = ast.literal_eval(text)
    if isinstance(wanted, float):
        return isinstance(value, float) and math.isclose(value, wanted, rel_tol=1e-12)
    return value == wanted and isinstance(value, type(wanted))


@pytest.mark.parametrize("row", ROWS, ids=[row.split("(")[0] for row in ROWS])
def test_same_arguments_and_defaults_as_the_reference(row):
    path, wanted, takes_any = _wanted(row)
    ours = _parameters(*_find(path))
    named = [p for p in ours.values() if p.kind is not KINDS.VAR_KEYWORD]
    assert [p.name for p in named][: len(wanted)] == [name for name, _ in wanted]
    for parameter, (name, default) in zip(named, wanted, strict=False):
        if (path, name) in OTHER_DEFAULTS:
            assert parameter.default == OTHER_DEFAULTS[path, name]
        elif default is not None:
            assert _same_default(default, parameter.default), f"{name}={parameter.default!r}"
    more = [p.name for p in named[len(wanted) :] if p.default is KINDS.empty]
    assert not more, f"arguments without default that the reference does not have: {more}"
    if takes_any:
        assert any(p.kind is KINDS.VAR_KEYWORD for p in ours.values())


@pytest.mark.parametrize(
    ("module", "name"), [(m, n) for m, names in GIN_NAMES.items() for n in names.split()]
)
def test_gin_knows_it_by_the_reference_s_name(module, name):
    import gin

    importlib.import_module("dlwa.ddsp.training")
    for part in ("core", "spectral_ops", "synths", "effects", "losses"):
        importlib.import_module(f"dlwa.ddsp.{part}")
    for part in ("nn", "preprocessing", "encoders", "decoders", "heuristics"):
        importlib.import_module(f"dlwa.ddsp.training.{part}")
    assert callable(gin.get_configurable(f"{module}.{name}"))


def test_mod_delay_is_not_known_to_gin():
    import gin

    from dlwa.ddsp import effects

    assert callable(effects.ModDelay)
    with pytest.raises(ValueError, match="ModDelay"):
        gin.get_configurable("effects.ModDelay")


def test_legacy_names():
    from dlwa.ddsp import synths

    assert synths.Additive is synths.Harmonic
