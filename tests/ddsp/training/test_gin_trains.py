"""Every gin file of the field trains: the models as they stand in the files, in small sizes.

Making a graph takes longest by far. Each kind of model trains in one; those of the same parts in
other sizes, and the mixin, train without.

papers/icml2020 is in test_papers.py, papers/iclr2020/nsynth_ae.gin in test_nsynth.py.
"""

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp

RATE, FRAMES, SAMPLES = 16000, 100, 6400
DECODER = ["RnnFcDecoder.rnn_channels=8", "RnnFcDecoder.ch=8"]
SHORT = [
    f"Harmonic.n_samples={SAMPLES}",
    f"FilteredNoise.n_samples={SAMPLES}",
    f"F0LoudnessPreprocessor.time_steps={FRAMES}",
]
SCALES = ["SpectralLoss.fft_sizes=(512, 64)"]
ONE = [*DECODER, *SHORT, *SCALES]
Z = ["MfccTimeDistributedRnnEncoder.rnn_channels=8"]
ROOM = ["Reverb.reverb_length=1600"]
STACK = "ch=8", "layers_per_stack=2", "stacks=1"
MIDI = [
    *SCALES,
    *(
        f"{name}.{size}"
        for name in ("DilatedConvDecoder", "dec/DilatedConvStack")
        for size in STACK
    ),
]
Z_MIDI = [
    *MIDI,
    *(f"z/DilatedConvStack.{size}" for size in STACK),
    *(f"{name}.z_dims=4" for name in ("MfccTimeDistributedRnnEncoder", "ee/ExpressionEncoder")),
    "zn/ExpressionEncoder.z_dims=4",
    "OneHotEncoder.n_dims=4",
    "nn.FcStackOut.ch=8",
    "nn.FcStackOut.n_out=8",
    "nn.FcStackOut.layers=1",
    *Z,
]


def _vst(rate):
    """51 centred frames of 1/50 s, of which the model's Crop drops the last."""
    sizes = ["RnnFcDecoder.rnn_channels=8", "RnnFcDecoder.ch=8", *SCALES]
    room = ["FilteredNoiseReverb.reverb_length=1600", "FilteredNoiseReverb.n_frames=20"]
    return [f"n_samples={51 * rate // 50}", *sizes, *room]


# file -> (bindings, what a batch is made of)
MODELS = {
    "models/ae.gin": ([*ONE, *Z], "audio"),
    "models/solo_instrument.gin": ([*ONE, *ROOM], "audio"),
    "models/debug_instrument.gin": (SHORT, "audio"),
    "models/demo_instrument.gin": ([*ONE, *ROOM], "audio"),
    "models/vst/vst.gin": (_vst(16000), "vst"),
    "models/vst/vst_32k.gin": (_vst(32000), "vst 32"),
    "models/vst/vst_48k.gin": (_vst(48000), "vst 48"),
    "models/midiae/midiae.gin": (MIDI, "notes"),
    "models/midiae/z_midiae.gin": (Z_MIDI, "notes"),
    "papers/iclr2020/solo_instrument.gin": ([*ONE, *ROOM], "audio"),
    "papers/iclr2020/tiny_instrument.gin": ([*ONE, *ROOM], "audio"),
}


def _audio(rate=RATE, frames=FRAMES, samples=SAMPLES):
    random = np.random.default_rng(0)
    time = np.arange(samples) / rate
    f0 = np.array([[220.0], [330.0]])
    sound = sum(np.sin(2 * np.pi * k * f0 * time) / k for k in (1, 2, 3)) * 0.2
    return {
        "audio": (sound + 0.01 * random.normal(size=sound.shape)).astype(np.float32),
        "f0_hz": np.full([2, frames], f0, np.float32),
        "f0_confidence": np.ones([2, frames], np.float32),
        "loudness_db": np.full([2, frames], -30.0, np.float32),
    }


def _vst_audio(rate):
    batch = _audio(rate, frames=51, samples=rate)
    return {**batch, "audio_16k": _audio(samples=RATE)["audio"]}


def _played():
    """Recordings with the notes that are played, in the layout of URMP."""
    batch = _audio(frames=1000, samples=4 * RATE)
    rolls = np.zeros([2, 1000, 128], np.float32)
    rolls[0, :, 57] = rolls[1, :, 64] = 100
    onsets = np.zeros([2, 1000], np.float32)
    onsets[:, 0] = 1
    batch["f0_hz"], batch["loudness_db"] = (batch[k][..., None] for k in ("f0_hz", "loudness_db"))
    notes = {
        "note_active_velocities": rolls,
        "note_onsets": onsets,
        "note_offsets": onsets[:, ::-1],
    }
    return {**batch, **notes, "instrument_id": np.array([0, 5], np.int64)}


OF_THE_SAME_PARTS = {
    "models/debug_instrument.gin",
    "models/demo_instrument.gin",
    "models/vst/vst_32k.gin",
    "models/vst/vst_48k.gin",
    "papers/iclr2020/solo_instrument.gin",
    "papers/iclr2020/tiny_instrument.gin",
}

BATCHES = {
    "audio": _audio,
    "vst": lambda: _vst_audio(16000),
    "vst 32": lambda: _vst_audio(32000),
    "vst 48": lambda: _vst_audio(48000),
    "notes": _played,
}


@pytest.fixture(autouse=True)
def clean_gin():
    import gin
    import keras
    import tensorflow as tf

    gin.clear_config()
    keras.utils.clear_session()
    yield
    gin.clear_config()
    tf.config.run_functions_eagerly(False)


def _without_a_graph():
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)


def _config(name, params):
    from dlwa.ddsp.training import gin_util

    config = gin_util.Config()
    for file in ("optimization/base.gin", "eval/basic.gin", name):
        config.add_file(file)
    config.add_params(params)
    config.check()
    return config


def _train(batch, steps=2):
    """(model, losses of the steps) of a training on one batch."""
    import tensorflow as tf

    from dlwa.ddsp.training import models, trainers

    batch = tf.nest.map_structure(tf.convert_to_tensor, batch)
    model = models.get_model()
    trainer = trainers.get_trainer_class()(model, tf.distribute.get_strategy())
    losses = [trainer.train_step(batch) for _ in range(steps)]
    return model, [{name: float(value) for name, value in step.items()} for step in losses]


@pytest.mark.parametrize("name", MODELS)
def test_it_trains(name):
    params, kind = MODELS[name]
    _config(name, params)
    if name in OF_THE_SAME_PARTS:
        _without_a_graph()
    batch = BATCHES[kind]()
    model, losses = _train(batch)
    for step in losses:
        assert step["total_loss"] > 0
        assert all(np.isfinite(value) for value in step.values()), step
    assert losses[0]["total_loss"] != losses[1]["total_loss"]
    outputs = model(batch, training=False)
    audio = np.asarray(model.get_audio_from_outputs(outputs))
    assert audio.shape == batch["audio"].shape and np.isfinite(audio).all()


def test_the_mixin_of_a_midi_encoder_lets_the_model_find_notes_itself():
    small = [f"enc/DilatedConvStack.{size}" for size in STACK]
    from dlwa.ddsp.training import gin_util

    config = gin_util.Config()
    for file in ("optimization/base.gin", "models/midiae/midiae.gin", "eval/basic.gin"):
        config.add_file(file)
    config.add_file("models/midiae/mixins/midi_encoder.gin")
    config.add_params([*MIDI, *small])
    config.check()
    batch = _played()
    del batch["note_active_velocities"]
    _without_a_graph()
    model, losses = _train(batch, steps=1)
    assert np.isfinite(losses[0]["total_loss"])
    assert model.midi_encoder is not None
