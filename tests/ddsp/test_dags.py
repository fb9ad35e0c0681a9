"""Groups of processors and losses: who gets what by which name, and what an error tells."""

import numpy as np
import pytest

from tests.ddsp import oracles_sounds

pytestmark = pytest.mark.ddsp

CONTROLS = {
    "amps": np.zeros((2, 10, 1), np.float32),
    "harmonic_distribution": np.zeros((2, 10, 3), np.float32),
    "noise_magnitudes": np.zeros((2, 10, 9), np.float32),
    "f0_hz": np.full((2, 10, 1), 440.0, np.float32),
}


def _voice(**kwargs):
    """Oscillators and noise, added, in a room: the graph of the course."""
    from dlwa.ddsp import effects, processors, synths

    dag = [
        (synths.Harmonic(640), ["amps", "harmonic_distribution", "f0_hz"]),
        (synths.FilteredNoise(640), ["noise_magnitudes"]),
        (processors.Add(), ["filtered_noise/signal", "harmonic/signal"]),
        (effects.Reverb(trainable=True, reverb_length=50), ["add/signal"]),
    ]
    return processors.ProcessorGroup(dag=dag, **kwargs)


def test_every_processor_s_controls_and_signal_can_be_asked_for():
    group = _voice()
    outputs = group(CONTROLS, return_outputs_dict=True)
    controls = outputs["controls"]
    assert list(controls) == [
        "inputs",
        *CONTROLS,
        "harmonic",
        "filtered_noise",
        "add",
        "reverb",
        "out",
    ]
    assert set(controls["harmonic"]) == {"signal", "controls"}
    assert set(controls["harmonic"]["controls"]) == {
        "amplitudes",
        "harmonic_distribution",
        "f0_hz",
    }
    assert controls["out"] is controls["reverb"]
    np.testing.assert_allclose(
        controls["add"]["signal"],
        controls["harmonic"]["signal"] + controls["filtered_noise"]["signal"],
    )
    ir = np.repeat(group.reverb._ir.numpy()[None], 2, axis=0)
    expected = oracles_sounds.in_a_room(controls["add"]["signal"].numpy().astype(float), ir)
    np.testing.assert_allclose(outputs["signal"], expected, atol=1e-4)
    assert outputs["signal"].shape == group(CONTROLS).shape == (2, 640)
    assert "harmonic" not in CONTROLS  # what was given stays as it was


def test_names_and_objects():
    from dlwa.ddsp import processors

    group = _voice()
    assert group.name == "processor_group"
    assert _voice(name="voice").name == "voice"
    assert group.processor_names == ["harmonic", "filtered_noise", "add", "reverb"]
    assert [p.name for p in group.processors] == group.processor_names
    assert group.harmonic is group.processors[0]
    assert group.dag[2] == ["add", ["filtered_noise/signal", "harmonic/signal"]]
    one, two = processors.Add(name="one"), processors.Add(name="two")
    by_keyword = processors.ProcessorGroup(
        [["first", ["a", "b"]], [two, ["inputs/a", "first/signal"]]], first=one
    )
    assert by_keyword.processor_names == ["first", "two"]
    signal = by_keyword({"a": np.float32([[1.0, 2.0]]), "b": np.float32([[3.0, 5.0]])})
    assert signal.numpy().tolist() == [[5.0, 9.0]]


def test_a_processor_may_be_used_twice():
    from dlwa.ddsp import processors

    add = processors.Add()
    group = processors.ProcessorGroup([[add, ["a", "a"]], [add, ["add/signal", "a"]]])
    assert group.processor_names == ["add"]
    assert group({"a": np.float32([[1.0, 2.0]])}).numpy().tolist() == [[3.0, 6.0]]


def test_a_layer_of_any_modules():
    import keras

    from dlwa.ddsp import dags, losses, processors

    dense = keras.layers.Dense(2, name="dense")
    layer = dags.DAGLayer(
        [
            [dense, ["x"], ["y"]],
            [keras.layers.Lambda(lambda x: (x, 2 * x), name="both"), ["dense/y"], ["one", "two"]],
            [processors.Add(), ["both/one", "both/two"]],
            [losses.ParamLoss(name="apart"), ["add/signal", "dense/y"]],
        ]
    )
    x = np.float32([[1.0, 2.0, 3.0]])
    outputs = layer({"x": x})
    y = dense(x).numpy()
    np.testing.assert_allclose(outputs["add"]["signal"], 3 * y, rtol=1e-6)
    assert set(outputs["apart"]) == {"apart"}
    np.testing.assert_allclose(outputs["out"]["apart"], np.mean(np.abs(2 * y)), rtol=1e-6)
    assert layer.module_names == ["dense", "both", "add", "apart"]
    assert len(layer.trainable_weights) == 2


def test_modules_are_told_whether_they_train():
    import keras

    from dlwa.ddsp import dags

    layer = dags.DAGLayer(
        [
            [keras.layers.Dense(4, kernel_initializer="ones", name="dense"), ["x"], ["y"]],
            [keras.layers.Dropout(0.5, seed=0, name="some"), ["dense/y"], ["y"]],
        ]
    )
    x = np.ones((50, 3), np.float32)
    assert np.all(layer({"x": x})["out"]["y"] == 3.0)
    assert np.any(layer({"x": x}, training=True)["out"]["y"] == 0.0)


def test_a_group_of_losses():
    from dlwa.ddsp import losses

    group = losses.LossGroup(
        [[losses.SpectralLoss((64,)), ["audio", "made/signal"]], ["f0", ["f0_hz", "f0_hz"]]],
        f0=losses.ParamLoss(name="f0_loss"),
    )
    audio = np.random.default_rng(0).normal(size=(1, 200)).astype("f")
    outputs = {"audio": audio, "made": {"signal": 0 * audio}, "f0_hz": CONTROLS["f0_hz"]}
    told = group(outputs)
    assert set(told) == {"spectral_loss", "f0_loss"} == set(group.get_losses_dict(outputs))
    assert group.loss_names == ["f0", "spectral_loss"]
    assert [loss.name for loss in group.losses] == ["f0_loss", "spectral_loss"]
    assert float(told["f0_loss"]) == 0.0
    assert float(told["spectral_loss"]) > 1.0
    with pytest.raises(KeyError, match=r"'made/signal' of 'spectral_loss'.*present: \['audio'"):
        group({"audio": audio, "f0_hz": CONTROLS["f0_hz"]})


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("amps", r"input 'amps' of 'harmonic' in 'processor_group'.*present: \['f0_hz', 'harm"),
        ("noise_magnitudes", r"input 'noise_magnitudes' of 'filtered_noise'.*'harmonic', 'harm"),
    ],
)
def test_a_missing_input_is_named_with_what_there_is(left_out, message):
    given = {k: v for k, v in CONTROLS.items() if k != left_out}
    with pytest.raises(KeyError, match=message):
        _voice()(given)


def test_a_missing_output_is_named_with_what_there_is():
    from dlwa.ddsp import processors

    add = processors.Add()
    group = processors.ProcessorGroup([[add, ["a", "a"]], [processors.Mix(), ["add/sound"] * 3]])
    with pytest.raises(
        KeyError, match=r"'sound' of the path 'add/sound' is missing; present: \['c"
    ):
        group({"a": np.ones((1, 4), np.float32)})


def test_wrong_graphs_are_refused_when_they_are_made():
    from dlwa.ddsp import processors, synths

    add = processors.Add()
    wrong = {
        r"dag node 'oboe' must be one of the modules \['add'\]": [[add, ["a", "b"]], ["oboe", []]],
        r"must be \[module, \[input keys\]\]": [[add]],
        "must not have two modules named 'harmonic'": [
            [synths.Harmonic(64), ["a"]],
            [synths.Harmonic(64), ["a"]],
        ],
        "dag=.. must have one processor at least": [],
        "module name='losses' must not be what every Keras layer has": [
            [processors.Add(name="losses"), ["a", "b"]]
        ],
    }
    for message, dag in wrong.items():
        with pytest.raises(ValueError, match=message):
            processors.ProcessorGroup(dag)
    with pytest.raises(ValueError, match="both have a module named 'add'"):
        processors.ProcessorGroup([[add, ["a", "b"]]], add=processors.Add())
    with pytest.raises(TypeError, match="inputs=list must be a dictionary of tensors"):
        _voice()([1.0])


def test_outputs_without_a_name_are_told():
    import keras

    from dlwa.ddsp import dags

    layer = dags.DAGLayer([[keras.layers.ReLU(name="positive"), ["x"]]])
    with pytest.raises(ValueError, match=r"output keys of 'positive': keys=\[\] must be as many"):
        layer({"x": np.ones((1, 2), np.float32)})


def test_duck_typing():
    from dlwa.ddsp import dags, losses, processors

    add, loss = processors.Add(), losses.ParamLoss()
    assert dags.is_processor(add)
    assert not dags.is_processor(loss)
    assert dags.is_loss(loss)
    assert not dags.is_loss(add)
    assert all(map(dags.is_module, (add, loss)))
    assert not dags.is_module("add")
    assert dags.filter_by_value({"a": add, "b": 1, "c": None}, dags.is_module) == {"a": add}
    kept = dags.split_keras_kwargs({"name": "n", "training": True, "mask": None, "x": 1, "y": None})
    assert kept == ({"name": "n", "training": True}, {"x": 1})


CONFIG = """
import dlwa.ddsp
voice/processors.ProcessorGroup.dag = [
  (@voice/synths.Additive(), ['amps', 'harmonic_distribution', 'f0_hz']),
  (@voice/synths.FilteredNoise(), ['noise_magnitudes']),
  (@voice/processors.Add(), ['filtered_noise/signal', 'additive/signal']),
]
voice/synths.Additive.name = 'additive'
voice/synths.Additive.n_samples = 640
voice/synths.FilteredNoise.n_samples = 640
voice/synths.FilteredNoise.scale_fn = @core.exp_sigmoid
"""


def test_a_group_is_wired_by_gin():
    import gin

    from dlwa.ddsp import processors

    text = CONFIG.replace("Additive", "Harmonic")
    with gin.unlock_config():
        gin.parse_config(text)
    try:
        with gin.config_scope("voice"):
            group = processors.ProcessorGroup()
        assert group.processor_names == ["additive", "filtered_noise", "add"]
        assert group(CONTROLS).shape == (2, 640)
        assert group.additive.n_samples == 640
    finally:
        gin.clear_config()


def test_a_graph_says_what_it_does_when_asked(capfd):
    from dlwa.ddsp import processors

    group = processors.ProcessorGroup([[processors.Add(), ["a", "a"]]])
    group({"a": np.ones((1, 4), np.float32)}, verbose=True)
    told = "".join(capfd.readouterr())
    assert "add" in told
    assert "[1, 4]" in told
