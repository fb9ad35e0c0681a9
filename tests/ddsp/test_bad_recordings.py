"""Recordings that are not what they seem: archives, videos, odd codecs, locks of shops, changes."""

import os
import shutil
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import soundfile

from dlwa.actions import recordings, unpacking
from dlwa.ddsp import audio_io
from dlwa.ddsp.audio_io import AudioFileError, NoRecordingsError, _files, _foreign
from dlwa.ddsp.audit import audit_files
from tests.ddsp.tones import RATE, steady

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg makes the files")


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True)


@pytest.fixture
def tone(tmp_path):
    path = tmp_path / "tone.wav"
    soundfile.write(path, steady(440, 2.0, 44100, n_harmonics=1), 44100)
    return path


@pytest.fixture(params=["ffmpeg", "PyAV"])
def decoder(request, monkeypatch):
    """Each road to foreign formats: by the program, and on a machine that has none."""
    monkeypatch.setattr(_foreign, "_has_ffmpeg", lambda: request.param == "ffmpeg")
    return request.param


def test_both_halves_know_the_same_kinds_of_recordings():
    assert recordings.AUDIO == audio_io.AUDIO_SUFFIXES


@pytest.mark.parametrize("is_zip", [True, False])
def test_both_halves_say_the_same_of_archives(tmp_path, is_zip):
    assert unpacking.ARCHIVES == _files._ARCHIVES
    for suffix in unpacking.ARCHIVES:
        path = tmp_path / f"takes{suffix}"
        path.write_bytes(b"no zip file")
        if is_zip:
            zipfile.ZipFile(path, "w").close()
        told = unpacking.PackedError("", path, path.with_suffix(""), "").hint
        assert _files.unpacking(path) == told


@pytest.mark.parametrize("name", ["takes.zip", "takes"])
def test_a_zip_file_given_as_a_folder_is_told_how_to_unpack(tmp_path, name):
    with zipfile.ZipFile(tmp_path / name, "w") as file:
        file.writestr("a.wav", b"x")
    with pytest.raises(NoRecordingsError, match="is an archive, not a folder") as caught:
        audio_io.recordings_in(tmp_path / name)
    assert f'python3 -m zipfile -e "{tmp_path}/{name}" "{tmp_path}/takes' in caught.value.hint


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.m4a", "A.M4A", "a.mp4", "a.mov", "a.webm", "a.avi"])
def test_phones_and_videos_give_their_sound(decoder, tmp_path, tone, name):
    path = tmp_path / name
    picture = ["-f", "lavfi", "-i", "color=size=32x32:duration=2:rate=5"]
    is_video = not name.lower().endswith("m4a")
    ffmpeg(*(picture if is_video else []), "-i", tone, "-ac", 2, path)
    info = audio_io.probe(path)
    assert info.channels == 2
    assert info.seconds == pytest.approx(2.0, abs=0.25)
    audio, _ = audio_io.read_audio(path, RATE)
    middle = audio[RATE // 2 : RATE + RATE // 2]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() == pytest.approx(440, abs=2)


@needs_ffmpeg
def test_a_stream_that_states_no_length_is_counted(decoder, tmp_path, tone):
    """As browsers record: matroska written to a pipe knows no end."""
    with (tmp_path / "a.webm").open("wb") as file:
        argv = ["ffmpeg", "-v", "error", "-i", tone, "-c:a", "libopus", "-f", "webm", "-"]
        subprocess.run(argv, stdout=file, check=True)
    assert audio_io.probe(tmp_path / "a.webm").seconds == pytest.approx(2.0, abs=0.1)


@needs_ffmpeg
def test_a_video_without_sound_says_so(decoder, tmp_path):
    ffmpeg("-f", "lavfi", "-i", "color=size=32x32:duration=1", tmp_path / "silent.mp4")
    with pytest.raises(AudioFileError, match="holds no sound"):
        audio_io.probe(tmp_path / "silent.mp4")


@needs_ffmpeg
def test_an_odd_codec_in_a_wav_file_is_read(decoder, tmp_path, tone):
    ffmpeg("-i", tone, "-c:a", "ac3", "-f", "wav", tmp_path / "a.wav")
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.info(tmp_path / "a.wav")
    assert audio_io.probe(tmp_path / "a.wav").format == "ac3"
    audio, _ = audio_io.read_audio(tmp_path / "a.wav", RATE)
    assert np.abs(audio).max() == pytest.approx(0.5, abs=0.1)


def unknown_codec(path):
    """A well-formed wav file of a codec that nobody has."""
    form = struct.pack("<HHIIHH", 0x7A21, 1, 44100, 44100, 1, 8)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", 4000) + bytes(range(250)) * 16
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


@needs_ffmpeg
def test_a_codec_nobody_has_is_named(decoder, tmp_path):
    unknown_codec(tmp_path / "a.wav")
    with pytest.raises(AudioFileError) as caught:
        list(audio_io.stream_audio(tmp_path / "a.wav"))
    assert "codec" in caught.value.reason
    assert f"for which this {decoder} has no decoder: save the" in caught.value.reason


@needs_ffmpeg
@pytest.mark.parametrize(("suffix", "second_rate"), [("aac", 48000), ("mts", 44100)])
def test_recordings_put_together_sound_like_the_first(decoder, tmp_path, tone, suffix, second_rate):
    first, second, both = (tmp_path / f"{name}.{suffix}" for name in ("a", "b", "ab"))
    words = ["-f", "mpegts"] if suffix == "mts" else []
    ffmpeg("-i", tone, "-ac", 1, "-ar", 44100, *words, first)
    ffmpeg("-i", tone, "-ac", 2, "-ar", second_rate, *words, second)
    both.write_bytes(first.read_bytes() + second.read_bytes())
    assert audio_io.probe(both).channels == 1
    audio, _ = audio_io.read_audio(both, RATE)
    assert len(audio) == pytest.approx(4 * RATE, abs=0.2 * RATE)
    for begin in (0.5, 2.5):
        part = audio[int(begin * RATE) :][:RATE]
        assert np.abs(np.fft.rfft(part * np.hanning(RATE))).argmax() == pytest.approx(440, abs=2)


@needs_ffmpeg
def test_both_decoders_give_the_same_samples(tmp_path, tone, monkeypatch):
    ffmpeg("-i", tone, "-ac", 2, tmp_path / "a.m4a")
    by_program, _ = audio_io.read_audio(tmp_path / "a.m4a")
    monkeypatch.setattr(_foreign, "_has_ffmpeg", lambda: False)
    by_package, _ = audio_io.read_audio(tmp_path / "a.m4a")
    np.testing.assert_allclose(by_package, by_program, atol=1e-5)


@needs_ffmpeg
def test_a_song_locked_inside_an_m4a_is_told(decoder, tmp_path, tone):
    """The shops' files of the first years: an m4a whose stream carries the mark of the lock."""
    ffmpeg("-i", tone, tmp_path / "a.m4a")
    whole = (tmp_path / "a.m4a").read_bytes()
    (tmp_path / "a.m4a").write_bytes(whole.replace(b"mp4a", b"drms", 1))
    with pytest.raises(AudioFileError, match="is copy-protected"):
        audio_io.probe(tmp_path / "a.m4a")


def test_a_pipe_that_is_named_like_a_recording_keeps_nobody_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(AudioFileError, match="is a pipe"):
        audio_io.probe(tmp_path / "a.wav")


def test_an_odd_codec_without_ffmpeg_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(_foreign, "is_available", lambda: False)
    unknown_codec(tmp_path / "a.wav")
    with pytest.raises(AudioFileError, match="libsndfile does not know: install ffmpeg"):
        audio_io.probe(tmp_path / "a.wav")


def test_files_locked_to_a_shop_are_listed_with_the_reason(tmp_path):
    (tmp_path / "song.m4p").write_bytes(b"\0\0\0\x1cftypM4P ")
    assert audio_io.find_audio_files(tmp_path) == [tmp_path / "song.m4p"]
    with pytest.raises(AudioFileError, match="copy-protected"):
        audio_io.probe(tmp_path / "song.m4p")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are UTF-8")
@pytest.mark.parametrize("suffix", ["wav", pytest.param("m4a", marks=needs_ffmpeg)])
def test_names_that_are_no_utf8_are_read_and_spelled_out(decoder, tmp_path, tone, suffix):
    """As archives from other systems leave them behind."""
    folder = tmp_path / "in"
    folder.mkdir()
    made = tmp_path / f"a.{suffix}"
    ffmpeg("-i", tone, made) if suffix != "wav" else shutil.copy(tone, made)
    made.rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9\n:1." + suffix.encode()))
    (path,) = audio_io.find_audio_files(folder)
    audio, _ = audio_io.read_audio(path, RATE)
    assert len(audio) == pytest.approx(2 * RATE, rel=0.1)
    assert audio_io.told_name(path, folder) == rf"caf\xe9\n:1.{suffix}"
    (judged,) = audit_files([path], folder).as_dict()["files"]
    assert judged["file"] == rf"caf\xe9\n:1.{suffix}"


@needs_ffmpeg
def test_a_damaged_m4a_is_refused(decoder, tmp_path, tone):
    ffmpeg("-i", tone, "-movflags", "+faststart", tmp_path / "a.m4a")
    whole = (tmp_path / "a.m4a").read_bytes()
    (tmp_path / "a.m4a").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudioFileError):
        audio_io.read_audio(tmp_path / "a.m4a")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, tone):
    blocks = audio_io.stream_audio(tone, watch=lambda block: os.utime(tone, (1, 1)))
    with pytest.raises(AudioFileError, match="changes while it is read"):
        list(blocks)
