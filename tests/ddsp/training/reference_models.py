"""Models as the field's package leaves them: names from its documentation, numbers by NumPy.

Nothing of our own models is used here: the names of the variables come from the documented table of
checkpoint names, and the forward pass is written in float64 from the papers.
"""

import os
import pickle
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

END = "/.ATTRIBUTES/VARIABLE_VALUE"


@dataclass(frozen=True)
class Spec:
    """A small model of the documented architecture."""

    ch: int = 16
    rnn: int = 24
    rnn_type: str = "gru"
    layers: int = 2
    inputs: tuple = ("ld_scaled", "f0_scaled")
    splits: tuple = (("amps", 1), ("harmonic_distribution", 12), ("noise_magnitudes", 9))
    rate: int = 16000
    hop: int = 64
    reverb: dict = field(default_factory=lambda: {"ir": (800,)})
    z_dims: int = 0
    encoder_rnn: int = 8

    @property
    def outputs(self):
        return sum(size for _, size in self.splits)


def variables(spec, seed=0):
    """Names below `model/` and random values of every variable."""
    rng, made = np.random.default_rng(seed), {}

    def add(name, *shape, mean=0.0, scale=None):
        scale = 1.0 / np.sqrt(shape[0]) if scale is None else scale
        made[name] = rng.normal(mean, scale, shape).astype(np.float32)

    def stack(name, width):
        for i in range(spec.layers):
            base = f"decoder/{name}/layer_with_weights-{i}"
            add(f"{base}/layer_with_weights-0/kernel", width if i == 0 else spec.ch, spec.ch)
            add(f"{base}/layer_with_weights-0/bias", spec.ch, scale=0.1)
            add(f"{base}/layer_with_weights-1/gamma", spec.ch, mean=1.0, scale=0.1)
            add(f"{base}/layer_with_weights-1/beta", spec.ch, scale=0.1)

    for i, key in enumerate(spec.inputs):
        stack(f"input_stacks/{i}", spec.z_dims if key == "z" else 1)
    cell(add, "decoder/rnn/rnn/cell", len(spec.inputs) * spec.ch, spec.rnn, spec.rnn_type)
    stack("out_stack", len(spec.inputs) * spec.ch + spec.rnn)
    add("decoder/dense_out/kernel", spec.ch, spec.outputs)
    add("decoder/dense_out/bias", spec.outputs, scale=0.1)
    if spec.z_dims:
        add("encoder/z_norm/scale", 1, 1, 1, 30, mean=1.0, scale=0.1)
        add("encoder/z_norm/shift", 1, 1, 1, 30, scale=0.1)
        cell(add, "encoder/rnn/rnn/cell", 30, spec.encoder_rnn, "gru")
        add("encoder/dense_out/kernel", spec.encoder_rnn, spec.z_dims)
        add("encoder/dense_out/bias", spec.z_dims, scale=0.1)
    for name, shape in spec.reverb.items():
        add(f"processor_group/reverb/{name}", *shape, scale=0.01)
    return made


def cell(add, name, inputs, units, rnn_type):
    gates = {"gru": 3, "lstm": 4}[rnn_type]
    add(f"{name}/kernel", inputs, gates * units)
    add(f"{name}/recurrent_kernel", units, gates * units)
    add(f"{name}/bias", *((2, gates * units) if rnn_type == "gru" else (gates * units,)), scale=0.1)


def save(folder, values, config, step=30, statistics=None):
    """A model's folder: checkpoint, operative config and, if given, the bytes of a pickle."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model/{name}{END}": value for name, value in values.items()}
    tensors[f"optimizer/_iterations{END}"] = np.int64(step)
    tensors[f"optimizer/_variables/1{END}"] = np.zeros(3, np.float32)
    tensors[f"save_counter{END}"] = np.int64(1)
    tf.raw_ops.SaveV2(
        prefix=str(folder / f"ckpt-{step}"),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[tf.constant(value) for value in tensors.values()],
    )
    (folder / "operative_config-0.gin").write_text(config)
    if statistics is not None:
        (folder / "dataset_statistics.pkl").write_bytes(statistics)
    return folder


class Foreign:
    """Would run a command if it were unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def foreign_pickle(command):
    """Statistics as a pickle that runs a command when it is loaded the usual way."""
    return pickle.dumps({"quantile_transform": Foreign(command), "mean_pitch": 60.0})


def decode(spec, values, inputs):
    """Outputs of the decoder by name, float64, all `[n_frames, channels]`."""
    w = {name.removeprefix("decoder/"): np.asarray(v, np.float64) for name, v in values.items()}
    stacks = [
        _stack(w, spec, f"input_stacks/{i}", inputs[key]) for i, key in enumerate(spec.inputs)
    ]
    x = np.concatenate(stacks, axis=-1)
    state = (_gru if spec.rnn_type == "gru" else _lstm)(w, x, spec.rnn)
    x = _stack(w, spec, "out_stack", np.concatenate([*stacks, state], axis=-1))
    out = x @ w["dense_out/kernel"] + w["dense_out/bias"]
    edges = np.cumsum([size for _, size in spec.splits])[:-1]
    return dict(zip([n for n, _ in spec.splits], np.split(out, edges, axis=-1), strict=True))


def _stack(w, spec, name, x):
    for i in range(spec.layers):
        base = f"{name}/layer_with_weights-{i}"
        x = x @ w[f"{base}/layer_with_weights-0/kernel"] + w[f"{base}/layer_with_weights-0/bias"]
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-3)
        x = x * w[f"{base}/layer_with_weights-1/gamma"] + w[f"{base}/layer_with_weights-1/beta"]
        x = np.where(x > 0, x, 0.2 * x)
    return x


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def _gru(w, x, units):
    kernel, recurrent = w["rnn/rnn/cell/kernel"], w["rnn/rnn/cell/recurrent_kernel"]
    bias, h, states = w["rnn/rnn/cell/bias"], np.zeros(units), []
    for frame in x:
        a, b = frame @ kernel + bias[0], h @ recurrent + bias[1]
        z, r = _sigmoid(a[:units] + b[:units]), _sigmoid((a + b)[units : 2 * units])
        candidate = np.tanh(a[2 * units :] + r * b[2 * units :])
        h = z * h + (1 - z) * candidate
        states.append(h)
    return np.array(states)


def _lstm(w, x, units):
    kernel, recurrent = w["rnn/rnn/cell/kernel"], w["rnn/rnn/cell/recurrent_kernel"]
    bias, h, c, states = w["rnn/rnn/cell/bias"], np.zeros(units), np.zeros(units), []
    for frame in x:
        i, f, g, o = np.split(frame @ kernel + h @ recurrent + bias, 4)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def solo_config(spec):
    """The operative configuration of a solo_instrument run."""
    return f"""
import ddsp
import ddsp.training as ddsp2
Autoencoder.decoder = @decoders.RnnFcDecoder()
Autoencoder.encoder = {"@encoders.MfccTimeDistributedRnnEncoder()" if spec.z_dims else None}
Autoencoder.losses = [@losses.SpectralLoss()]
Autoencoder.preprocessor = @preprocessing.F0LoudnessPreprocessor()
Autoencoder.processor_group = @processors.ProcessorGroup()
F0LoudnessPreprocessor.compute_loudness = True
F0LoudnessPreprocessor.frame_rate = 250
F0LoudnessPreprocessor.sample_rate = {spec.rate}
F0LoudnessPreprocessor.time_steps = 1000
FilteredNoise.n_samples = {1000 * spec.hop}
FilteredNoise.name = 'filtered_noise'
FilteredNoise.scale_fn = @core.exp_sigmoid
FilteredNoise.window_size = 0
get_model.model = @models.Autoencoder()
Harmonic.n_samples = {1000 * spec.hop}
Harmonic.name = 'harmonic'
Harmonic.sample_rate = {spec.rate}
Harmonic.scale_fn = @core.exp_sigmoid
{encoder_config(spec)}
processors.Add.name = 'add'
ProcessorGroup.dag = \\
    [(@synths.Harmonic(), ['amps', 'harmonic_distribution', 'f0_hz']),
     (@synths.FilteredNoise(), ['noise_magnitudes']),
     (@processors.Add(), ['filtered_noise/signal', 'harmonic/signal']),
     (@effects.Reverb(), ['add/signal'])]
Reverb.name = 'reverb'
Reverb.reverb_length = {spec.reverb.get("ir", [0])[0]}
Reverb.trainable = True
RnnFcDecoder.ch = {spec.ch}
RnnFcDecoder.input_keys = {spec.inputs}
RnnFcDecoder.layers_per_stack = {spec.layers}
RnnFcDecoder.output_splits = {spec.splits}
RnnFcDecoder.rnn_channels = {spec.rnn}
RnnFcDecoder.rnn_type = '{spec.rnn_type}'
RnnFcDecoder.stateless = False
TFRecordProvider.file_pattern = '/nowhere/data.tfrecord*'
train.data_provider = @data.TFRecordProvider()
train.num_steps = 30
"""


def encoder_config(spec):
    if not spec.z_dims:
        return ""
    name = "MfccTimeDistributedRnnEncoder"
    return (
        f"{name}.rnn_channels = {spec.encoder_rnn}\n{name}.rnn_type = 'gru'\n"
        f"{name}.z_dims = {spec.z_dims}\n{name}.z_time_steps = 125"
    )


def old_config(spec):
    """The same as written for version 0: Additive, DefaultPreprocessor, no input keys."""
    text = solo_config(spec).replace("Harmonic", "Additive").replace("'harmonic'", "'additive'")
    text = text.replace("harmonic/signal", "additive/signal")
    text = text.replace("F0LoudnessPreprocessor", "DefaultPreprocessor")
    text = text.replace("processors.Add.name", "Add.name")
    dropped = ("DefaultPreprocessor.compute_", "DefaultPreprocessor.frame_", "RnnFcDecoder.input_")
    dropped += ("DefaultPreprocessor.sample_", "RnnFcDecoder.stateless")
    kept = [line for line in text.split("\n") if not line.startswith(dropped)]
    return "\n".join([*kept, "# Parameters for RnnFcDecoder"])


def vst_config(spec):
    """A real-time model: power instead of loudness, 50 frames a second, a room of noise."""
    frames, bands = spec.reverb["magnitudes"]
    text = solo_config(spec)
    text = "\n".join(line for line in text.split("\n") if "F0Loudness" not in line)
    text = text.replace("(@effects.Reverb(), ['add/signal'])]", _VST_END)
    text = "\n".join(line for line in text.split("\n") if not line.startswith("Reverb."))
    return f"""{text}
Autoencoder.preprocessor = @preprocessing.OnlineF0PowerPreprocessor()
OnlineF0PowerPreprocessor.frame_rate = {spec.rate // spec.hop}
OnlineF0PowerPreprocessor.frame_size = 1024
OnlineF0PowerPreprocessor.compute_f0 = False
OnlineF0PowerPreprocessor.crepe_saved_model_path = None
FilteredNoiseReverb.name = 'reverb'
FilteredNoiseReverb.reverb_length = {frames * 20}
FilteredNoiseReverb.n_frames = {frames}
FilteredNoiseReverb.n_filter_banks = {bands}
FilteredNoiseReverb.trainable = True
Harmonic.amp_resample_method = 'linear'
Crop.frame_size = {spec.hop}
Crop.crop_location = 'back'
"""


_VST_END = (
    "(@effects.FilteredNoiseReverb(), ['add/signal']), (@processors.Crop(), ['reverb/signal'])]"
)
