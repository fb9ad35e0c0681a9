"""Planning a timbre transfer: the right command, a free name, clear refusals."""

from pathlib import Path

import pytest

from dlwa.actions import transfer
from dlwa.errors import BusyError, NotFoundError, UsageError
from dlwa.settings import Settings


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "my flute.wav"
    path.touch()
    return path


def test_the_sound_goes_to_outputs_under_a_free_name(settings: Settings, recording: Path) -> None:
    planned = transfer.plan(settings, recording, "ann/violin")
    folder = settings.root / "outputs" / "ann" / "violin"
    assert planned.target == folder / "my flute.wav"
    folder.mkdir(parents=True)
    planned.target.touch()
    assert transfer.plan(settings, recording, "ann/violin").target == folder / "my flute-2.wav"


def test_only_turned_knobs_become_flags(settings: Settings, recording: Path) -> None:
    knobs = {"adjust": False, "explain": True, "octave_shift": -1, "quiet_db": None}
    argv = transfer.plan(settings, recording, "ann/violin", knobs=knobs).argv
    assert argv[1:4] == ("-P", "-m", "dlwa.ddsp.timbre_transfer")
    model = settings.root / "models" / "ddsp" / "ann" / "violin"
    assert argv[6:] == (f"--model_dir={model}", "--no-adjust", "--explain", "--octave_shift=-1")


def test_refusals(settings: Settings, recording: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="model_name=ann/violn") as caught:
        transfer.plan(settings, recording, "ann/violn")
    assert "ann/violin" in caught.value.hint
    with pytest.raises(NotFoundError, match=r"recording=.*no\.wav"):
        transfer.plan(settings, tmp_path / "no.wav", "ann/violin")
    with pytest.raises(UsageError, match="must end in"):
        transfer.plan(settings, recording, "ann/violin", tmp_path / "x.mp3")
    (tmp_path / "x.wav").touch()
    with pytest.raises(BusyError, match="exists already"):
        transfer.plan(settings, recording, "ann/violin", tmp_path / "x.wav")
    transfer.plan(settings, recording, "ann/violin", tmp_path / "x.wav", overwrite=True)


def test_a_model_that_has_saved_nothing_yet(settings: Settings, recording: Path) -> None:
    folder = settings.root / "models" / "ddsp" / "ann" / "new"
    folder.mkdir()
    (folder / "run.json").write_text("{}")
    with pytest.raises(NotFoundError, match="has not saved anything yet"):
        transfer.plan(settings, recording, "ann/new")


def test_a_model_outside_the_workspace_is_named_by_its_path(
    settings: Settings, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = tmp_path / "My downloads" / "my violin"
    fetched.mkdir(parents=True)
    (fetched / "bundle.json").write_text("{}")
    planned = transfer.plan(settings, recording, str(fetched))
    assert f"--model_dir={fetched}" in planned.argv
    outputs = settings.root / "outputs" / settings.owner / "my_violin"
    assert planned.target == outputs / "my flute.wav"
    monkeypatch.chdir(fetched.parent)
    monkeypatch.setenv("HOME", str(fetched.parent))
    for spelt in ("./my violin", "~/my violin"):
        assert f"--model_dir={fetched}" in transfer.plan(settings, recording, spelt).argv


def test_a_path_without_a_model_is_told(
    settings: Settings, recording: Path, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match="there is no model in") as caught:
        transfer.plan(settings, recording, str(tmp_path))
    assert "ckpt-" in caught.value.hint
