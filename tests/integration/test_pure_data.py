"""The patch in a real Pure Data, talking to a real server with a real model."""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from tests.ddsp import golden

pytestmark = [pytest.mark.ddsp, pytest.mark.integration]

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60.0


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server with two models; its port."""
    models = tmp_path_factory.mktemp("models")
    for name in ("ann/flute", "ann/violin"):
        shutil.copytree(golden.FOLDER / "checkpoint_small", models / name)
    argv = [sys.executable, "-m", "dlwa.ddsp.serve", f"--models={models}", "--port=0"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        said = ""
        while not (found := re.search(r"listening at 127\.0\.0\.1:(\d+)", said)):
            line = process.stderr.readline()
            assert line, f"the server ended: {said}"
            said += line
        yield int(found[1])
        process.terminate()
        assert process.wait(timeout=20) == 0


class Osc:
    """A program that speaks OSC with the server."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(DEADLINE_S)

    def send(self, what: str, *values: object) -> None:
        builder = OscMessageBuilder(f"/dlwa/{what}")
        for value in values:
            builder.add_arg(value)
        self._socket.send(builder.build().dgram)

    def ask(self, what: str, *values: object, until: str) -> list[list[object]]:
        """Send a message; everything that is answered up to the message named."""
        self.send(what, *values)
        return self.hear(until)

    def hear(self, until: str) -> list[list[object]]:
        """Everything that comes, up to the message named or an error."""
        heard: list[list[object]] = []
        while not heard or heard[-1][0] not in (until, "error"):
            message = OscMessage(self._socket.recv(65536))
            heard.append([message.address.removeprefix("/dlwa/"), *message.params])
        return heard


@pytest.fixture
def osc(server: int) -> Osc:
    return Osc(server)


def tone(path: Path, f0_hz: float = 440.0, seconds: float = 2.0, rate: int = 16000) -> Path:
    t = np.arange(int(seconds * rate)) / rate
    soundfile.write(path, sum(0.2 * np.sin(2 * np.pi * f0_hz * k * t) / k for k in (1, 2, 3)), rate)
    return path


def test_models_are_listed_and_a_mistyped_one_is_told(osc: Osc) -> None:
    assert osc.ask("models", until="models")[:-1] == [
        ["model", "ann/flute"],
        ["model", "ann/violin"],
    ]
    (error,) = osc.ask("load", "ann/violn", until="loaded")
    assert error[0] == "error" and "'ann/violn'" in str(error[1])
    assert error[2] == "did you mean ann/violin?"


@pytest.mark.parametrize(
    ("what", "values", "told"),
    [
        ("knob", ("autotune", 2.0), "autotune=2.0 must be from 0.0 to 1.0"),
        ("knob", ("loudness", 1.0), "knob='loudness' must be one of adjust,"),
        ("knob", ("octave_shift", 0.5), "octave_shift=0.5 must be a whole number"),
        ("knob", (), "/dlwa/knob does not take 0 values"),
        ("rate", (12345,), "sample_rate=12345 must be 0 or one of"),
        ("play", ("/nowhere/a.wav",), "no model is loaded"),
        ("load", ("../../etc",), "model='../../etc' is not in"),
        ("nonsense", (), "/dlwa/nonsense is no message of dlwa"),
    ],
)
def test_what_cannot_be_done_is_told(
    osc: Osc, what: str, values: tuple[object, ...], told: str
) -> None:
    (error,) = osc.ask(what, *values, until="never")
    assert error[0] == "error" and str(error[1]).startswith(told)


def test_a_file_the_server_did_not_make_is_overwritten_only_if_told(
    osc: Osc, tmp_path: Path
) -> None:
    osc.ask("load", "ann/flute", until="loaded")
    source, target = str(tone(tmp_path / "a.wav", seconds=0.5)), tmp_path / "mine.wav"
    target.write_text("an hour of work")
    error = osc.ask("play", source, str(target), until="done")[-1]
    assert error[0] == "error" and "exists already" in str(error[1])
    assert "overwrite" in str(error[2]) and target.read_text() == "an hour of work"
    assert osc.ask("play", source, str(target), "please", until="done")[-1][0] == "error"
    for more in (["overwrite"], []):  # the second time it is the server's own
        assert osc.ask("play", source, str(target), *more, until="done")[-1][0] == "done"
        assert soundfile.info(target).duration == pytest.approx(0.5, abs=0.01)


def test_two_programs_have_knobs_of_their_own_and_wait_for_each_other(
    server: int, tmp_path: Path
) -> None:
    first, second = Osc(server), Osc(server)
    for program in (first, second):
        program.ask("load", "ann/flute", until="loaded")
    first.ask("knob", "octave_shift", 1.0, until="knob")
    first.ask("rate", 32000, until="rate")
    source = tone(tmp_path / "a b.wav")
    first.send("play", str(source), str(tmp_path / "one.wav"))
    two = second.ask("play", str(source), str(tmp_path / "two.wav"), until="done")[-1]
    one = first.hear("done")
    assert one[-1][1] == str(tmp_path / "one.wav")
    for program, octaves in ((first, 1.0), (second, 0.0)):
        program.send("knobs")
        assert ["knob", "octave_shift", octaves] in program.ask("hello", until="ready")
    assert two[1] == str(tmp_path / "two.wav") and two[2] == pytest.approx(2.0, abs=0.01)
    assert soundfile.info(tmp_path / "one.wav").samplerate == 32000
    assert soundfile.info(tmp_path / "two.wav").samplerate == 16000


def test_what_is_being_done_can_be_given_up(osc: Osc, tmp_path: Path) -> None:
    osc.ask("load", "ann/flute", until="loaded")
    osc.send("play", str(tone(tmp_path / "long.wav", seconds=120.0)), str(tmp_path / "out.wav"))
    assert osc.ask("cancel", until="cancelled")[-1] == ["cancelled"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.wav"]
    assert osc.ask("hello", until="ready")[-1][0] == "ready"


def test_a_program_that_has_gone_harms_nobody(server: int, tmp_path: Path) -> None:
    gone = Osc(server)
    gone.ask("load", "ann/flute", until="loaded")
    gone.send("play", str(tone(tmp_path / "a.wav")), str(tmp_path / "a-out.wav"))
    gone._socket.close()
    still = Osc(server)
    still.ask("load", "ann/violin", until="loaded")
    assert (tmp_path / "a-out.wav").exists()


def test_a_datagram_that_is_no_message_is_passed_over(server: int, osc: Osc) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for rubbish in (b"", b"\x00" * 3, b"/dlwa/play", b"#bundle\x00" + b"\xff" * 40):
            stranger.sendto(rubbish, ("127.0.0.1", server))
    assert osc.ask("hello", until="ready")[-1][0] == "ready"


class PureData:
    """A real Pd with the patch, and with a second one that presses its buttons."""

    def __init__(self, folder: Path) -> None:
        port = free_port(socket.SOCK_STREAM)
        self.errors = folder / "pd.txt"
        argv = ["pd", "-nogui", "-noaudio", "-nomidi", "-noprefs", "-nrt", "-stderr"]
        argv += ["-open", str(ROOT / "pd" / "timbre_transfer.pd")]
        argv += ["-open", str(Path(__file__).parent / "pd" / "driver.pd")]
        argv += ["-send", f"driver-listen {port}"]
        with self.errors.open("w") as stream:
            self.process = subprocess.Popen(argv, stderr=stream, stdout=stream)
        self._socket = self._connected(port)
        self._heard = ""

    def _connected(self, port: int) -> socket.socket:
        until = time.monotonic() + DEADLINE_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=0.2)
            except OSError:
                assert time.monotonic() < until and self.process.poll() is None

    def press(self, name: str, value: str = "bang") -> None:
        self._socket.sendall(f"{name} {value};\n".encode())

    def hear(self, pattern: str) -> re.Match[str]:
        """Wait until Pd shows something."""
        until = time.monotonic() + DEADLINE_S
        while not (found := re.search(pattern, self._heard)):
            assert time.monotonic() < until, f"{pattern} not in {self._heard}"
            try:
                self._heard += self._socket.recv(65536).decode().replace("\\ ", " ")
            except TimeoutError:
                continue
        self._heard = self._heard[found.end() :]
        return found

    def close(self) -> None:
        self.press("pd", "quit")
        self._socket.close()
        assert self.process.wait(timeout=10) == 0


@pytest.fixture
def pd(tmp_path: Path) -> Iterator[PureData]:
    started = PureData(tmp_path)
    yield started
    started.close()


def peak_hz(path: Path) -> float:
    sound, rate = soundfile.read(path)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * rate / len(sound))


def test_from_a_file_to_an_array_in_pure_data(pd: PureData, server: int, tmp_path: Path) -> None:
    source = tone(tmp_path / "a tone.wav", seconds=1.5)
    pd.press("dlwa-connect", str(server))
    pd.hear(r"got-model ann/violin;")
    pd.hear(r"got-knob seed 0;")
    pd.press("dlwa-model-next")
    pd.hear(r"status loaded: ann/flute;")
    pd.press("dlwa-model-next")
    pd.hear(r"status loaded: ann/violin;")
    pd.press("dlwa-k-quiet_db", "12")
    pd.hear(r"got-knob quiet_db 12;")
    pd.press("dlwa-file", "symbol " + str(source).replace(" ", "\\ "))
    pd.press("dlwa-go")
    made = Path(pd.hear(r"got-done (.+?\.wav) ([\d.]+) [\d.]+;")[1])
    rate = soundfile.info(made).samplerate
    assert rate in (44100, 48000)  # Pd's own rate, so that tabplay~ is in tune
    samples = int(pd.hear(r"result-samples (\d+);")[1])
    assert samples == pytest.approx(1.5 * rate, abs=rate // 100)
    # the array, at the rate of the file that was read into it, sounds the same
    pd.press("dlwa-go-array")
    again = Path(pd.hear(r"got-done (.+?\.wav) ([\d.]+) [\d.]+;")[1])
    assert soundfile.info(again).duration == pytest.approx(1.5, abs=0.01)
    saved = tmp_path / "kept here.wav"
    pd.press("dlwa-save-as", "symbol " + str(saved).replace(" ", "\\ "))
    pd.press("dlwa-knob", "list nothing 1")
    pd.hear(r"status error: knob='nothing' must be one of")
    sound, _ = soundfile.read(saved)
    whole, _ = soundfile.read(again)
    assert np.abs(sound).max() > 0.001
    np.testing.assert_allclose(sound[: len(whole)], whole[: len(sound)], atol=1e-4)


def test_the_patch_is_whole_and_drawn_from_the_knobs(pd: PureData, server: int) -> None:
    pd.press("dlwa-connect", str(server))
    pd.hear(r"got-knob seed 0;")
    assert "couldn't create" not in pd.errors.read_text()
    drawn = subprocess.run(
        [sys.executable, ROOT / "pd" / "draw_patch.py"], capture_output=True, text=True, check=True
    )
    assert drawn.stdout == (ROOT / "pd" / "timbre_transfer.pd").read_text(), "run: make docs"
