"""AutoencoderInference: a trained model rebuilt for another length, led by its loudness."""

import gin
import numpy as np
import pytest

from dlwa.ddsp.training import inference
from tests.ddsp import golden

pytestmark = pytest.mark.ddsp

MODEL = golden.FOLDER / "checkpoint_small"


@pytest.fixture(autouse=True)
def own_gin():
    gin.clear_config()
    yield
    gin.clear_config()


def features(n_frames, level_db=-40.0):
    return {
        "f0_hz": np.full([1, n_frames], 330.0, "f4"),
        "loudness_db": np.full([1, n_frames], level_db, "f4"),
    }


def test_plays_any_length_without_audio_and_without_the_room():
    model = inference.AutoencoderInference(MODEL, length_seconds=0.5, verbose=False)
    outputs = model(features(125))
    assert outputs["audio_synth"].shape == (1, 8000)
    assert "reverb" not in outputs
    quiet = model(features(125, -75.0))["audio_synth"]
    assert not np.allclose(outputs["harmonic"]["signal"], 0.0)
    assert not np.allclose(outputs["audio_synth"], quiet)


def test_keeps_the_room_when_asked():
    model = inference.AutoencoderInference(
        MODEL, length_seconds=0.25, remove_reverb=False, verbose=False
    )
    assert "reverb" in model(features(62))


def test_what_cannot_be():
    with pytest.raises(ValueError, match="length_seconds=0"):
        inference.AutoencoderInference(MODEL, length_seconds=0)
    with pytest.raises(FileNotFoundError):
        inference.parse_operative_config(MODEL.parent / "no_such" / "model")
