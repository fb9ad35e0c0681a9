"""Every gin file that comes with dlwa is read strictly; those of models build and learn."""

import pytest

pytestmark = pytest.mark.ddsp

# Names losses of the original that were never part of a release (see the file).
UNUSABLE = {"models/midiae/mixins/hmm_prior.gin"}


def _known_files():
    from pathlib import Path

    folder = Path(__file__).resolve().parents[3] / "dlwa/ddsp/training/gin"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.gin"))


@pytest.fixture(autouse=True)
def clean_gin():
    import gin

    gin.clear_config()
    yield
    gin.clear_config()


def _config(*names):
    from dlwa.ddsp.training import gin_util

    config = gin_util.Config()
    for name in ("optimization/base.gin", "eval/basic.gin", *names):
        config.add_file(name)
    config.check()
    return config


def test_all_files_of_the_reference_are_there():
    known = _known_files()
    assert len([name for name in known if "/d" not in name]) >= 30
    for name in (
        "datasets/urmp/all_midi.gin",
        "models/midiae/z_midiae.gin",
        "models/vst/vst_48k.gin",
        "papers/iclr2020/tiny_instrument.gin",
        "papers/icml2020/finetune_dataset.gin",
        "optimization/base_tpu.gin",
    ):
        assert name in known


@pytest.mark.parametrize("name", _known_files())
def test_reads_strictly(name):
    from dlwa.ddsp.training import gin_util

    if name in UNUSABLE:
        with pytest.raises(gin_util.GinError, match="HmmPrior"):
            _config(name)
        return
    assert _config(name).notes == []


@pytest.mark.parametrize(
    "name",
    [
        "models/ae.gin",
        "models/solo_instrument.gin",
        "models/debug_instrument.gin",
        "models/demo_instrument.gin",
        "models/vst/vst.gin",
        "models/vst/vst_32k.gin",
        "models/vst/vst_48k.gin",
        "models/midiae/midiae.gin",
        "models/midiae/z_midiae.gin",
        "papers/iclr2020/nsynth_ae.gin",
        "papers/iclr2020/solo_instrument.gin",
        "papers/iclr2020/tiny_instrument.gin",
        "papers/icml2020/pretrain_model.gin",
        "papers/icml2020/finetune_model.gin",
    ],
)
def test_model_builds(name):
    from dlwa.ddsp.training import models

    _config(name)
    assert isinstance(models.get_model(), models.Model)


def test_solo_instrument_has_the_parameters_of_the_reference():
    """4 849 150 in all, and the default rates and sizes."""
    import gin
    import numpy as np

    from dlwa.ddsp.training import models

    _config("models/solo_instrument.gin")
    assert gin.query_parameter("%learning_rate") == 3e-4
    model = models.get_model()
    features = {
        "audio": np.zeros([1, 64000], np.float32),
        "f0_hz": np.full([1, 1000], 440.0, np.float32),
        "loudness_db": np.full([1, 1000], -40.0, np.float32),
    }
    model(features, training=False)
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 4_849_150
