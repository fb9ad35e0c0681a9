"""What `dlwa models` knows of the models of a workspace."""

import json
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions import models
from dlwa.cli import main
from dlwa.settings import Settings

STATISTICS = {
    "mean_pitch_note": 67.0,
    "std_pitch_note": 4.0,
    "min_pitch_note": 62.0,
    "max_pitch_note": 90.0,
}


def make(folder: Path, step: int = 300, gin: str = "Harmonic.sample_rate = 32000\n") -> Path:
    folder.mkdir(parents=True)
    for number in (step - 100, step):
        (folder / f"ckpt-{number}.index").write_bytes(b"x" * 10)
    (folder / "operative_config-0.gin").write_text(gin)
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("ann", tmp_path)


def test_a_training_an_import_and_a_bundle(settings: Settings) -> None:
    root = settings.workspace.models
    trained = make(root / "ann" / "violin")
    runfiles.write_json(trained / "dataset_statistics.json", STATISTICS)
    runfiles.write_json(trained / "checkpoints.json", {"best_step": 200, "best_loss": 4.5})
    runfiles.report_step(trained, 300, 30000, {"total_loss": 5.25}, 1.5)
    make(root / "ben" / "old one" / "v2", step=20, gin="# nothing known\n")
    bundle = root / "ann" / "cello"
    bundle.mkdir()
    given = {"sample_rate": 48000, "step": 900, "statistics": STATISTICS}
    runfiles.write_json(bundle / "bundle.json", given)

    cello, violin, old = models.all_models(settings)
    assert (cello.kind, cello.sample_rate, cello.step) == ("bundle", 48000, 900)
    assert (violin.name, violin.owner, violin.kind) == ("ann/violin", "ann", "trained")
    # two deviations below the mean lie below the lowest note; two above do not reach the highest
    assert violin.notes == "D4 to D#5"
    assert (violin.sample_rate, violin.step) == (32000, 200)
    assert (violin.loss, violin.heldout_loss) == (5.25, 4.5)
    assert (old.name, old.kind, old.notes, old.step) == ("ben/old one/v2", "imported", "", 20)
    assert old.sample_rate is None and old.bytes == 36
    assert [model.name for model in models.all_models(settings, "ben")] == ["ben/old one/v2"]


@pytest.mark.parametrize("broken", ["{", "[]", '{"mean_pitch_note": "high"}', ""])
def test_damaged_files_are_not_known_instead_of_fatal(settings: Settings, broken: str) -> None:
    folder = make(settings.workspace.models / "ann" / "violin")
    for name in ("dataset_statistics.json", "checkpoints.json", "metrics.jsonl"):
        (folder / name).write_text(broken)
    (model,) = models.all_models(settings)
    assert (model.notes, model.step, model.loss) == ("", 300, None)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path), "models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    make(tmp_path / "models" / "ddsp" / "ann" / "violin")
    assert main(["--root", str(tmp_path), "models"]) == 0
    heads, row = capsys.readouterr().out.splitlines()
    assert heads.split()[:3] == ["model", "kind", "notes"]
    assert row.split() == ["ann/violin", "imported", "32000", "300", "49", "bytes"]


@pytest.mark.parametrize(("midi", "name"), [(69, "A4"), (60, "C4"), (59.4, "B3"), (21, "A0")])
def test_names_of_notes(midi: float, name: str) -> None:
    assert models.note(midi) == name
