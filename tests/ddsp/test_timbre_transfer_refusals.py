"""What the command refuses before it loads TensorFlow, in which words and with which exit code."""

import sys

import pytest
import soundfile

from dlwa.ddsp.timbre_transfer import _command

pytestmark = pytest.mark.ddsp


@pytest.fixture
def refused(tmp_path, capsys, monkeypatch):
    """A function: run the command with these flags; returns (exit code, what it said)."""
    monkeypatch.setattr(_command, "_transfer", lambda *_: pytest.fail("it went on"))
    soundfile.write(tmp_path / "in.wav", [0.1] * 16000, 16000)

    def run(*flags, target="out.wav"):
        words = [str(tmp_path / "in.wav"), str(tmp_path / target), f"--model_dir={tmp_path}"]
        try:
            code = _command.run([*words, *flags])
        except SystemExit as end:
            code = end.code
        assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        (
            "--reverb=9",
            "error: reverb=9.0 must be from 0.0 to 4.0\n"
            "hint: The room the model has learned: 0 none, 1 as learned.\n",
        ),
        (
            "--bits=12",
            "error: argument --bits: invalid choice: '12' (choose from '16', '24', 'float')\n"
            "hint: python -m dlwa.ddsp.timbre_transfer --help\n",
        ),
        (
            "--sample_rate=44000",
            "error: sample_rate=44000 must be one of 16000, 22050, 24000, 32000, 44100, 48000, "
            "96000\n",
        ),
        (
            "--pitch_model=huge",
            "error: pitch_model='huge' must be auto or one of tiny, small, medium, large, full, "
            "swift\n",
        ),
    ],
)
def test_flags(refused, flag, said):
    code, told = refused(flag)
    assert code == 2
    if sys.version_info >= (3, 12):  # which writes the choices without quotes
        said = said.replace("'16', '24', 'float'", "16, 24, float")
        told = told.replace("'16', '24', 'float'", "16, 24, float")
    assert told == said


@pytest.mark.parametrize(
    ("target", "said"),
    [("out.mp3", "must end in .wav, .flac, .ogg"), ("in.wav", "is the recording itself")],
)
def test_targets(refused, target, said):
    code, told = refused(target=target)
    assert code == 2
    assert said in told
