"""Configurations: what is wrong is found before a training starts, and how to mend it is told."""

import pytest

pytestmark = pytest.mark.ddsp

SOLO = ("models/solo_instrument.gin", "datasets/tfrecord.gin")

COURSE_AE = """
import ddsp
import ddsp.training
get_model.model = @models.Autoencoder()
Autoencoder.preprocessor = @preprocessing.DefaultPreprocessor()
DefaultPreprocessor.time_steps = 1000
Autoencoder.decoder = @decoders.ZRnnFcDecoder()
ZRnnFcDecoder.rnn_channels = 512
ZRnnFcDecoder.append_f0_loudness = True
ZRnnFcDecoder.output_splits = (('amps', 1),
                               ('harmonic_distribution', 100),
                               ('noise_magnitudes', 65))
Autoencoder.losses = [@losses.SpectralLoss()]
Autoencoder.processor_group = @processors.ProcessorGroup()
ProcessorGroup.dag = [
    (@synths.Additive(), ['amps', 'harmonic_distribution', 'f0_hz']),
    (@synths.FilteredNoise(), ['noise_magnitudes']),
    (@processors.Add(), ['filtered_noise/signal', 'additive/signal'])]
Additive.name = 'additive'
Additive.n_samples = 128000
Additive.sample_rate = 32000
Add.name = 'add'
"""
COURSE_SOLO = """
include './ae_32k.gin'
Autoencoder.encoder = None
Autoencoder.decoder = @decoders.RnnFcDecoder()
RnnFcDecoder.ch = 512
ProcessorGroup.dag = [
    (@synths.Additive(), ['amps', 'harmonic_distribution', 'f0_hz']),
    (@effects.Reverb(), ['additive/signal'])]
Reverb.reverb_length = 96000
"""


@pytest.fixture(autouse=True)
def clean_gin():
    import gin

    gin.clear_config()
    yield
    gin.clear_config()


def _read(*params, files=SOLO, search_path=()):
    from dlwa.ddsp.training import gin_util

    config = gin_util.Config(search_path)
    for name in ("optimization/base.gin", "eval/basic.gin", *files):
        config.add_file(name)
    config.add_params(params)
    config.check()
    return config


@pytest.mark.parametrize(
    ("param", "problem", "hint"),
    [
        ("batch_sizee = 8", "macro 'batch_sizee' is used nowhere", "batch_size = ..."),
        ("train.batch_size = %batchsize", "macro %batchsize has no value", "batch_size = ..."),
        ("train.num_step = 8", "train has no parameter 'num_step'", "train.num_steps"),
        ("RnnFcDecoder.rnn_chanels = 8", "no parameter 'rnn_chanels'", "RnnFcDecoder.rnn_channels"),
        ("Autoencoder.encodr = None", "no parameter 'encodr'", "Autoencoder.encoder"),
        ("SpectralLoss.loss_typo = 'L1'", "no parameter 'loss_typo'", "SpectralLoss.loss_type"),
        ("trainer.grad_clip_norm = 1", "nothing is called trainer", "Trainer.grad_clip_norm?"),
        ("Revreb.reverb_length = 3", "nothing is called Revreb", "effects.Reverb.reverb_length"),
        ("Autoencoder.decoder = @RnnFcDecodr()", "nothing is called @RnnFcDecodr", "@decoders.Rnn"),
        ("Dense.units = 3", "several things", "nn.Dense.units"),
        ("RnnFcDecoder.rnn_type = lstm", "cannot read", "RnnFcDecoder.rnn_type = 'lstm'"),
        ("batch_size", "cannot read", "Name.parameter = value"),
        ("train.num_steps = (1,", "cannot", ""),
        ("import not_a_module", "cannot import not_a_module", "PYTHONPATH"),
    ],
)
def test_what_cannot_be_right_is_told_with_the_nearest_right_thing(param, problem, hint):
    from dlwa.ddsp.training import gin_util

    with pytest.raises(gin_util.GinError) as caught:
        _read(param)
    assert problem in caught.value.problem
    assert hint in caught.value.hint
    assert "--gin_param" in caught.value.place


def test_an_error_in_a_file_names_file_and_line(tmp_path):
    from dlwa.ddsp.training import gin_util

    path = tmp_path / "mine.gin"
    path.write_text("# a comment\n\nRnnFcDecoder.chh = 3\n")
    with pytest.raises(gin_util.GinError) as caught:
        _read(files=[*SOLO, str(path)])
    assert caught.value.place == f"{path}:3"
    assert "RnnFcDecoder.ch" in caught.value.hint


def test_a_missing_file_lists_folders_and_the_nearest_name(tmp_path):
    from dlwa.ddsp.training import gin_util

    with pytest.raises(gin_util.GinError) as caught:
        _read(files=["models/solo_instrumnt.gin"], search_path=[tmp_path])
    assert str(tmp_path) in caught.value.problem
    assert "models/solo_instrument.gin" in caught.value.hint


def test_an_include_is_found_beside_its_file_and_circles_end(tmp_path, monkeypatch):
    import gin

    from dlwa.ddsp.training import gin_util

    folder = tmp_path / "gin files"
    folder.mkdir()
    (folder / "part.gin").write_text("RnnFcDecoder.ch = 7\n")
    (folder / "whole.gin").write_text("include './part.gin'\n")
    monkeypatch.chdir(tmp_path)
    _read(files=[*SOLO, "gin files/whole.gin"])
    assert gin.query_parameter("RnnFcDecoder.ch") == 7
    (folder / "part.gin").write_text("include 'whole.gin'\n")
    with pytest.raises(gin_util.GinError, match="includes itself"):
        _read(files=[*SOLO, "gin files/whole.gin"])


def test_later_bindings_win_and_modules_may_be_left_out():
    import gin

    _read(
        "train_util.train.num_steps = 3\ntrainers.Trainer.checkpoints_to_keep = 10",
        "TFRecordProvider.file_pattern = 'a b/data*'",
        "batch_size = 5",
    )
    assert gin.query_parameter("train.num_steps") == 3
    assert gin.query_parameter("Trainer.checkpoints_to_keep") == 10
    assert gin.query_parameter("data.TFRecordProvider.file_pattern") == "a b/data*"
    assert gin.query_parameter("train.batch_size").scopes == ["batch_size"]


def test_a_parameter_of_what_nobody_uses_is_told():
    config = _read("LegacyTFRecordProvider.file_pattern = 'a*'", "Harmonic.n_samples = 32000")
    (note,) = config.notes
    assert "LegacyTFRecordProvider.file_pattern = 'a*'" in note
    assert "has no effect" in note
    everywhere = "oscillator_bank.use_angular_cumsum = True"
    assert (
        _read(everywhere, "Trainer.grad_clip_norm = 1.0", "exp_sigmoid.exponent = 9.0").notes == []
    )


def test_a_file_written_by_an_editor_of_windows_reads(tmp_path):
    import gin

    path = tmp_path / "mine.gin"
    path.write_bytes(b"\xef\xbb\xbfbatch_size = 4\r\nRnnFcDecoder.ch = 5\r\n")
    _read(files=[*SOLO, str(path)])
    assert gin.query_parameter("RnnFcDecoder.ch") == 5


def test_what_a_run_leaves_behind_reads_back_as_it_was(tmp_path):
    import gin

    from dlwa.ddsp.training import gin_util, models

    _read("Reverb.reverb_length = 99", "TFRecordProvider.file_pattern = 'a*'")
    models.get_model()
    text = gin_util.operative_config_str()
    (tmp_path / "operative_config-0.gin").write_text(text)
    gin.clear_config()
    assert gin_util.parse_operative_config(tmp_path / "operative_config-0.gin") == []
    assert gin_util.bindings_of(gin.config_str()) == gin_util.bindings_of(text)
    assert gin.query_parameter("Reverb.reverb_length") == 99


def test_modules_of_losses_may_be_named_freely():
    _read("recon/LossGroup.my_loss = @losses.ParamLoss()")


def test_the_course_files_for_32_khz_are_translated_and_each_change_is_told(tmp_path, monkeypatch):
    import gin

    (tmp_path / "ae_32k.gin").write_text(COURSE_AE)
    (tmp_path / "solo_32k.gin").write_text(COURSE_SOLO)
    config = _read(files=[str(tmp_path / "solo_32k.gin"), "datasets/tfrecord.gin"])
    assert gin.query_parameter("Harmonic.n_samples") == 128000
    assert gin.query_parameter("Harmonic.name") == "additive"
    assert gin.query_parameter("processors.Add.name") == "add"
    assert gin.query_parameter("F0LoudnessPreprocessor.compute_loudness") is False
    assert gin.query_parameter("RnnFcDecoder.input_keys") == ("f0_scaled", "ld_scaled")
    told = "\n".join(config.notes)
    for old in (
        "Additive",
        "DefaultPreprocessor",
        "ZRnnFcDecoder",
        "append_f0_loudness",
        "Add.name",
    ):
        assert old in told


def test_the_old_decoder_with_a_latent_code_reads_it_last(tmp_path):
    import gin

    (tmp_path / "ae_32k.gin").write_text(COURSE_AE)
    _read(files=[str(tmp_path / "ae_32k.gin"), "datasets/tfrecord.gin"])
    assert gin.query_parameter("RnnFcDecoder.input_keys") == ("f0_scaled", "ld_scaled", "z")


def test_files_of_today_are_not_changed():
    from dlwa.ddsp.training import gin_util

    for name in gin_util.SearchPath().known_files():
        text = (gin_util.PACKAGE_FOLDER / name).read_text()
        assert gin_util.convert_text(text) == (text, []), name


def test_words_in_texts_and_comments_are_not_translated():
    from dlwa.ddsp.training import gin_util

    text = "# Additive.name = 'x'\nHarmonic.name = 'Additive'\n"
    assert gin_util.convert_text(text) == (text, [])


def test_the_configuration_of_an_old_run_is_read_leniently_but_not_silently(tmp_path):
    import gin

    from dlwa.ddsp.training import gin_util

    path = tmp_path / "operative_config-0.gin"
    path.write_text(
        "import ddsp\nimport ddsp.training as ddsp2\nimport long_gone\n"
        "batch_size = 16\nGone.parameter = 1\nHarmonic.gone = 2\n"
        "Harmonic.n_samples = 16000\ntrain.batch_size = %batch_size\n"
    )
    notes = gin_util.parse_operative_config(path)
    assert gin.query_parameter("Harmonic.n_samples") == 16000
    assert [any(word in note for note in notes) for word in ("Gone", "gone", "long_gone")] == [
        True
    ] * 3


def test_the_configuration_of_somebodys_run_imports_nothing(tmp_path, monkeypatch):
    import gin

    from dlwa.ddsp.training import gin_util

    for name in ("evil", "evil_too"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('it was run')")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "more.gin").write_text("import evil_too\n")
    path = tmp_path / "operative_config-0.gin"
    path.write_text(
        f"import evil\nfrom evil import thing\ninclude '{tmp_path / 'more.gin'}'\n"
        "from __gin__ import dynamic_registration\nimport json\n"
        "import dlwa.ddsp.evil\nHarmonic.n_samples = 16000\n"
    )
    notes = gin_util.parse_operative_config(path)
    assert notes == [
        f"skipped: {path}:1: import evil, which is not dlwa's",
        f"skipped: {path}:2: from evil import thing, which is not dlwa's",
        f"skipped: {tmp_path / 'more.gin'}:1: import evil_too, which is not dlwa's",
        f"skipped: {path}:4: from __gin__ import dynamic_registration, which is not dlwa's",
    ]
    assert gin.query_parameter("Harmonic.n_samples") == 16000
    with pytest.raises(SystemExit, match="it was run"):  # one's own file is trusted
        gin_util.Config().add_file(str(path))


def test_bindings_of_a_text_are_compared_without_macros():
    from dlwa.ddsp.training import gin_util

    bindings = gin_util.bindings_of(
        "n = 5\nA.x = %n\nscope/B.y = [@C(), %n]\n# A.z = 3\nD.w = \\\n    (1,\n     2)\n"
    )
    assert bindings == {"A.x": "5", "scope/B.y": "[@C(), 5]", "D.w": "(1, 2)"}


def test_the_recorded_configuration_of_the_reference_reads_without_a_word():
    from dlwa.ddsp.training import gin_util
    from tests.ddsp.golden import FOLDER

    assert gin_util.parse_operative_config(FOLDER / "checkpoint_small/operative_config-0.gin") == []
