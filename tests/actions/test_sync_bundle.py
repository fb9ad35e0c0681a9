"""What of a model is brought: checkpoints that are whole, and all of one moment."""

from pathlib import Path

import pytest

from dlwa.actions.sync import bundle, near
from dlwa.errors import NotFoundError
from tests.sync_ends import connected


def test_all_of_a_model_is_of_one_moment_while_a_training_goes_on(tmp_path):
    """Between the listing and the sending it saves, prunes, adds to its log."""
    model = tmp_path / "lab/models/ddsp/ann/m"
    model.mkdir(parents=True)
    _save(model, 1)
    (model / "metrics.jsonl").write_text('{"step": 1}\n')

    def trains(*_: int) -> None:
        for path in model.glob("ckpt-1.*"):
            path.unlink()
        _save(model, 2)
        with (model / "metrics.jsonl").open("a") as stream:
            stream.write('{"step": 2}\n')

    shown = near.Shown(trains, lambda _: None, lambda *_: None)
    request = {"home": "models", "name": "ann/m", "what": "all"}
    with connected(tmp_path / "lab") as one:
        result = near.fetch(one, tmp_path / "down", request, shown, together=False)
    assert not result.bad and not result.refused
    came = {path.name: path.read_text() for path in (tmp_path / "down").iterdir()}
    assert came == {
        "checkpoint": 'model_checkpoint_path: "ckpt-1"\n',
        "ckpt-1.index": "index 1",
        "ckpt-1.data-00000-of-00001": "data 1",
        "metrics.jsonl": '{"step": 1}\n',
    }


def _save(model: Path, step: int) -> None:
    (model / f"ckpt-{step}.data-00000-of-00001").write_text(f"data {step}")
    (model / f"ckpt-{step}.index").write_text(f"index {step}")
    (model / "checkpoint.new").write_text(f'model_checkpoint_path: "ckpt-{step}"\n')
    (model / "checkpoint.new").replace(model / "checkpoint")


def test_a_pruned_checkpoint_is_not_offered(tmp_path):
    model = tmp_path / "m"
    model.mkdir()
    (model / "checkpoints.json").write_text('{"best_step": 100}')
    (model / "ckpt-200.index").write_text("i")
    (model / "ckpt-200.data-00000-of-00001").write_text("d")
    offered = bundle.offer(model, "best", "ann/m")
    held = dict.fromkeys(entry.path for entry in offered.entries)
    (model / "ckpt-200.index").unlink()
    index = next(entry for entry in offered.entries if entry.path.endswith("index"))
    with offered.opened(index) as stream:
        assert offered.step == 200 and stream.read() == b"i"
    assert list(held)[-1] == "checkpoint" and "checkpoints.json" not in held
    offered.close()


def test_random_weights_are_not_offered(tmp_path):
    def saved(step):
        for ending in ("index", "data-00000-of-00001"):
            (tmp_path / f"ckpt-{step}.{ending}").write_text("x")

    saved(0)
    (tmp_path / "checkpoints.json").write_text('{"best_step": 0, "best_loss": 15.6}')
    for what in ("best", "latest"):
        with pytest.raises(NotFoundError, match="no checkpoint yet"):
            bundle.offer(tmp_path, what, "ann/m")
    saved(20)
    offered = bundle.offer(tmp_path, "best", "ann/m")
    assert offered.step == 20
    offered.close()


def test_an_empty_folder_is_told_and_not_fetched(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / ".run.lock").touch()
    with pytest.raises(NotFoundError, match="holds no files"):
        bundle.offer(tmp_path, "all", "ann/m")


def test_half_a_checkpoint_is_not_offered(tmp_path):
    for name in ("ckpt-1.index", "ckpt-1.data-00000-of-00002"):
        (tmp_path / name).write_text("half")
    with pytest.raises(NotFoundError, match="no checkpoint"):
        bundle.offer(tmp_path, "latest", "ann/m")
    (tmp_path / "ckpt-1.data-00001-of-00002").write_text("the other half")
    offered = bundle.offer(tmp_path, "latest", "ann/m")
    assert len(offered.entries) == 4
    offered.close()
