"""Planning exports and imports: the right command, clear refusals, bundles found by name."""

from pathlib import Path

import pytest

from dlwa.actions import exporting, transfer
from dlwa.errors import BusyError, NotFoundError, UsageError, VerificationError
from dlwa.settings import Settings
from dlwa.shell import Command


def test_an_export_goes_to_outputs(settings: Settings) -> None:
    planned = exporting.plan_export(settings, "ann/violin", ["bundle", "tflite"])
    target = settings.root / "outputs" / "ann" / "violin" / "export"
    assert planned.target == target
    assert planned.argv[1:4] == ("-P", "-m", "dlwa.ddsp.training.ddsp_export")
    model = settings.root / "models" / "ddsp" / "ann" / "violin"
    assert planned.argv[4:] == (
        f"--model_path={model}",
        f"--save_dir={target}",
        "--name=violin",
        "--format=bundle,tflite",
    )
    target.mkdir(parents=True)
    with pytest.raises(BusyError, match="exists already"):
        exporting.plan_export(settings, "ann/violin")
    again = exporting.plan_export(settings, "ann/violin", overwrite=True, checkpoint="7")
    assert again.argv[-2:] == ("--checkpoint=7", "--overwrite")


def test_refusals(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="format=onnx must be one of savedmodel"):
        exporting.plan_export(settings, "ann/violin", ["onnx"])
    with pytest.raises(NotFoundError, match="model_name=ann/violn"):
        exporting.plan_export(settings, "ann/violn")
    with pytest.raises(NotFoundError, match=r"path=.*nothing does not exist"):
        exporting.plan_import(settings, tmp_path / "nothing", "ann/new")
    with pytest.raises(BusyError, match="ann/violin"):
        exporting.plan_import(settings, tmp_path, "ann/violin")
    with pytest.raises(UsageError, match="lies inside the model ann/violin"):
        exporting.plan_import(settings, tmp_path, "ann/violin/inside")


def test_an_import_makes_the_models_folder(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "ckpt-3.index").touch()
    for source in (tmp_path / "theirs", tmp_path / "theirs" / "ckpt-3"):
        planned = exporting.plan_import(settings, source, "ann/new")
        target = settings.root / "models" / "ddsp" / "ann" / "new"
        assert planned.argv[4:] == (str(source), f"--target={target}")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_bundle_is_found_by_name(settings: Settings, tmp_path: Path, zipped: bool) -> None:
    folder = tmp_path / "models" / "ddsp" / "bob"
    folder.mkdir()
    if zipped:
        place = folder / "copy.zip"
    else:
        place = folder / "copy"
        place.mkdir()
    (place if zipped else place / "bundle.json").touch()
    (tmp_path / "in.wav").touch()
    planned = transfer.plan(settings, tmp_path / "in.wav", "bob/copy")
    assert f"--model_dir={place}" in planned.argv


def test_what_the_program_said_is_the_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = exporting.plan_export(settings, "ann/violin")
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from dlwa import runfiles\n"
        "folder = Path(os.environ['DLWA_RUN_DIR'])\n"
        "runfiles.report_event(folder, 'failed', reason='they differ', hint='report it')\n"
        "sys.exit(7)\n"
    )
    argv = (planned.argv[0], "-c", program)
    failing = exporting.Plan(planned.model, planned.target, argv)
    with pytest.raises(VerificationError, match="they differ") as caught:
        exporting.run(failing, lambda *_: None, Path(__file__).parents[2])
    assert caught.value.hint == "report it" and Command(argv).argv == argv


def test_importing_under_anothers_name_needs_a_word(tmp_path, capsys, monkeypatch) -> None:
    from dlwa.cli import main

    monkeypatch.setenv("DLWA_OWNER", "ann")
    (tmp_path / "old").mkdir()
    words = ["--root", str(tmp_path), "ddsp", "import-checkpoint", str(tmp_path / "old")]
    words += ["--model_name", "ben/flute", "--dry-run"]
    assert main(words) == 4
    assert "belongs to ben, you are ann" in capsys.readouterr().err
    assert main([*words, "--as-admin"]) == 2, "nobody is there to say yes"
    assert main([*words, "--as-admin", "--yes"]) == 0
