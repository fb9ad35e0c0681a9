"""Audio files of every kind, good and bad."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dlwa.ddsp import audio_io
from dlwa.ddsp.audio_io import AudioFileError, _foreign, _write
from tests.ddsp.tones import steady

KINDS = [
    ("a.wav", "PCM_U8"),
    ("a.wav", "PCM_16"),
    ("A.WAV", "PCM_24"),
    ("a.wav", "PCM_32"),
    ("a.wav", "FLOAT"),
    ("a.aiff", "PCM_16"),
    ("a.flac", "PCM_24"),
    ("a.ogg", "VORBIS"),
    ("a.mp3", "MPEG_LAYER_III"),
]


def tuned_to(audio, rate):
    """Frequency of the highest peak of the spectrum."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    return spectrum.argmax() * rate / len(audio)


@pytest.mark.parametrize(("name", "subtype"), KINDS)
@pytest.mark.parametrize("rate", [16000, 44100])
def test_every_format_is_read_as_mono_at_the_wanted_rate(tmp_path, name, subtype, rate):
    tone = steady(440, 1.0, 44100, n_harmonics=1)
    soundfile.write(tmp_path / name, np.stack([tone, tone], 1), 44100, subtype=subtype)
    audio, got_rate = audio_io.read_audio(tmp_path / name, rate)
    assert got_rate == rate
    assert audio.dtype == np.float32
    assert abs(len(audio) - rate) < 0.06 * rate
    assert tuned_to(audio[: rate // 2], rate) == pytest.approx(440, abs=3)
    assert np.abs(audio).max() == pytest.approx(0.5, abs=0.03)


def test_channels_are_averaged(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([[1.0, 0.0], [0.5, -0.5]] * 100), 8000, "FLOAT")
    audio, rate = audio_io.read_audio(tmp_path / "a.wav")
    assert rate == 8000
    np.testing.assert_allclose(audio[:2], [0.5, 0.0])


def test_resampling_removes_what_the_new_rate_cannot_hold(tmp_path):
    """A tone of 10 kHz must vanish at 16 kHz, not come back as one of 6 kHz."""
    audio_io.write_audio(tmp_path / "a.wav", steady(10000, 1.0, 48000, n_harmonics=1), 48000)
    audio, _ = audio_io.read_audio(tmp_path / "a.wav", 16000)
    assert np.abs(audio[1000:-1000]).max() < 1e-3


def test_streaming_gives_what_reading_gives(tmp_path, monkeypatch):
    monkeypatch.setattr("dlwa.ddsp.audio_io._read._BLOCK_FRAMES", 1000)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 30000).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", noise, 44100, "FLOAT")
    blocks = list(audio_io.stream_audio(tmp_path / "a.wav", 16000))
    assert len(blocks) > 20
    whole = audio_io.resample(noise, 44100, 16000)
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)


def test_probe_tells_length_rate_and_channels(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros([4410, 2]), 44100, "PCM_24")
    info = audio_io.probe(tmp_path / "a.wav")
    assert (info.seconds, info.sample_rate, info.channels) == (0.1, 44100, 2)
    assert info.format == "wav pcm 24"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"dear diary\n" * 100, "is not readable audio"),
        (b"RIFF\x00\x00\x00\x00WAVE", "is not readable audio"),
    ],
)
def test_files_that_are_no_audio_say_so(tmp_path, content, reason):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(AudioFileError, match=reason) as caught:
        audio_io.read_audio(path)
    assert caught.value.path == path
    assert str(path) not in caught.value.reason


@pytest.mark.parametrize("name", ["a.flac", "a.mp3"])
def test_a_file_cut_in_two_is_damaged(tmp_path, name):
    path = tmp_path / name
    soundfile.write(path, steady(440, 2.0), 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioFileError, match="is damaged"):
        audio_io.read_audio(path)


def test_missing_folder_and_numbers_that_are_none(tmp_path):
    with pytest.raises(AudioFileError, match="no such file"):
        audio_io.read_audio(tmp_path / "absent.wav")
    with pytest.raises(AudioFileError, match="is a folder"):
        audio_io.read_audio(tmp_path)
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan] * 50), 16000, "FLOAT")
    with pytest.raises(AudioFileError, match="NaN"):
        audio_io.read_audio(tmp_path / "nan.wav")


def test_a_file_closed_to_us_says_so(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(100), 16000)
    if os.geteuid():
        path.chmod(0)
    else:  # root may read everything
        monkeypatch.setattr("pathlib.Path.open", _forbidden)
    with pytest.raises(AudioFileError, match="may not be read"):
        audio_io.probe(path)


def _forbidden(*_, **__):
    raise PermissionError(13, "Permission denied")


def test_m4a_without_a_decoder_names_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.m4a").write_bytes(b"\x00\x00\x00\x20ftypM4A ")
    monkeypatch.setattr(_foreign.shutil, "which", lambda name: None)
    monkeypatch.setattr(_foreign.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AudioFileError, match=r"install ffmpeg, or pip install 'dlwa\[audio\]'"):
        audio_io.read_audio(tmp_path / "a.m4a")


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg makes the m4a file")
def test_m4a_is_read_through_ffmpeg(tmp_path):
    audio_io.write_audio(tmp_path / "a.wav", steady(440, 1.0, 44100), 44100)
    subprocess.run(["ffmpeg", "-v", "error", "-i", "a.wav", "a.m4a"], cwd=tmp_path, check=True)
    audio, rate = audio_io.read_audio(tmp_path / "a.m4a", 16000)
    assert abs(len(audio) / rate - 1.0) < 0.06
    assert tuned_to(audio[2000:10000], rate) == pytest.approx(440, abs=3)


def test_a_fake_ffmpeg_is_understood(tmp_path, monkeypatch):
    """The two programs are asked as their manuals say, and a failing decoder is told."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "ffprobe").write_text(
        '#!/bin/sh\necho \'{"streams": [{"codec_name": "aac", "sample_rate": "8000", '
        '"channels": 2}], "format": {"duration": "0.5"}}\'\n'
    )
    (tools / "ffmpeg").write_text("#!/bin/sh\nhead -c 32000 /dev/zero\nexit ${FAKE_CODE:-0}\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    (tmp_path / "a.m4a").write_bytes(b"x")
    audio, rate = audio_io.read_audio(tmp_path / "a.m4a")
    assert (len(audio), rate) == (4000, 8000)
    monkeypatch.setenv("FAKE_CODE", "1")
    with pytest.raises(AudioFileError, match="cannot be decoded to its end"):
        audio_io.read_audio(tmp_path / "a.m4a")


def test_files_are_found_in_all_folders_and_cases_but_not_hidden_ones(tmp_path):
    for name in (
        "b.WAV",
        "a.Mp3",
        "sub/c.flac",
        "sub/ü/d.aif",
        ".hidden/e.wav",
        "._b.wav",
        "x.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [p.relative_to(tmp_path).as_posix() for p in audio_io.find_audio_files(tmp_path)]
    assert found == ["a.Mp3", "b.WAV", "sub/c.flac", "sub/ü/d.aif"]


def test_writing_and_reading_back(tmp_path):
    tone = steady(440, 0.5)
    for name in ("a.wav", "a.flac"):
        audio_io.write_audio(tmp_path / name, tone, 16000)
        audio, rate = audio_io.read_audio(tmp_path / name)
        assert rate == 16000
        np.testing.assert_allclose(audio, tone, atol=1 / 32768)
    audio_io.write_audio(tmp_path / "loud.wav", 3 * tone, 16000)
    assert np.abs(audio_io.read_audio(tmp_path / "loud.wav")[0]).max() <= 1.0


def test_what_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    for audio, match in (([], "shape"), ([np.nan], "finite")):
        with pytest.raises(ValueError, match=match):
            audio_io.write_audio(tmp_path / "a.wav", audio, 16000)
    with pytest.raises(ValueError, match=r"must end in \.wav, \.flac"):
        audio_io.write_audio(tmp_path / "a.xyz", [0.0], 16000)

    def full_disk(path, *_, **__):
        Path(path).write_bytes(b"RIFF")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_write.soundfile, "write", full_disk)
    with pytest.raises(OSError, match="No space"):
        audio_io.write_audio(tmp_path / "a.wav", [0.0], 16000)
    assert list(tmp_path.iterdir()) == []
