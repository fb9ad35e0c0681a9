"""`dlwa watch` on screens of several sizes, off a terminal, and as JSON."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlwa import runfiles
from dlwa.actions.gpus import GpuUse
from dlwa.actions.monitor import Watcher
from dlwa.cli._plot import plot
from dlwa.cli._screen import plain, screen
from dlwa.hosts.local import LocalHost
from dlwa.tools.nvidia_smi import Gpu
from tests.made_runs import add_log, add_steps, make_run

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".dlwa").mkdir()
    folder = make_run(tmp_path)
    add_steps(folder)
    add_log(folder)
    return folder


def snapshot(folder: Path):
    return Watcher(folder, LocalHost()).look()


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8", **more}


def watch(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dlwa.cli", "watch", *words],
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
    )


class TestScreen:
    @pytest.mark.parametrize("size", [(80, 24), (40, 12), (120, 50), (20, 6), (80, 10)])
    @pytest.mark.parametrize("unicode", [True, False])
    def test_fits(self, folder: Path, size: tuple[int, int], unicode: bool) -> None:
        width, height = size
        lines = screen(snapshot(folder), width, height, unicode=unicode)
        assert len(lines) <= height
        assert max(len(line.text) for line in lines) <= width
        if not unicode:
            assert all(line.text.isascii() for line in lines)

    def test_events_and_log_lines_fit_into_80_columns(self, folder) -> None:
        event = {"step": 300, "loss": 15.56076717376709, "best": True, "heldout": True}
        runfiles.report_event(folder, "checkpoint", **event)
        with (folder / "dlwa_train.log").open("a") as log:
            log.write(
                "I1121 21:33:41.538358 140686502914944 progress.py:70] step: 22\t"
                "spectral_loss: 14.01\ttotal_loss: 14.01\n"
                "W1121 21:33:42.538358 140686502914944 a_b.py:7] hm\nI1121 no prefix\n"
            )
        told = [line.text for line in screen(snapshot(folder), 80, 24)]
        assert any(one.endswith(" ago: step 300, loss 15.56, best, heldout") for one in told)
        assert "I 21:33:41 step: 22 spectral_loss: 14.01    total_loss: 14.01" in told
        assert {"W 21:33:42 hm", "I1121 no prefix"} <= set(told)
        text = "Stopped at step 18: asked to by SIGTERM."
        runfiles.report_event(folder, "stopped", text=text, step=18)
        told = [line.text for line in screen(snapshot(folder), 80, 24)]
        assert any(one.endswith(" ago: Stopped at step 18: asked to by SIGTERM") for one in told)

    def test_80x24_shows_all_there_is(self, folder: Path) -> None:
        runfiles.report_event(folder, "checkpoint", step=1200)
        text = "\n".join(line.text for line in screen(snapshot(folder), 80, 24))
        for part in ("ann/violin", "running", "4%", "step 1200/30000", "2.00 steps/s", "left"):
            assert part in text
        for part in (
            "loss",
            " s ago: step 1200",
            "-- log",
            "step: 58",
            "Ctrl-C leaves",
        ):
            assert part in text
        assert text.count("|") >= 4  # the margin of the plot

    def test_why_it_waits(self, tmp_path: Path) -> None:
        reason = (
            "GPU 0 is used by ben/flute; GPU 1 is used by a process that cannot be seen (18 GB)"
        )
        folder = make_run(tmp_path, state="queued", queue={"position": 2}, reason=reason)
        lines = [line.text for line in screen(snapshot(folder), 80, 24)]
        assert lines[1].startswith("queued, 2nd in line: GPU 0 is used by ben/flute")
        assert lines[2].strip().endswith("(18 GB)")

    def test_a_long_name_keeps_a_line_for_who_and_how_long(self, tmp_path: Path) -> None:
        name = f"ann/{'long' * 15}"
        lines = [line.text for line in screen(snapshot(make_run(tmp_path, name)), 80, 24)]
        assert lines[0] == name and lines[1] == "(train of ann, id 0badcafe, 10 min)"

    def test_whose_gpu(self, folder: Path) -> None:
        import dataclasses

        gpu = Gpu(0, "GPU-1", "A100", 40960, 12288, 87)
        uses = (
            GpuUse(gpu, "0badcafe", "ann", "ann/violin"),
            GpuUse(gpu, "1", "ben", "ben/flute"),
            GpuUse(dataclasses.replace(gpu, utilization_percent=None), foreign="eve (pid 7)"),
            GpuUse(gpu),
        )
        seen = dataclasses.replace(snapshot(folder), gpus=uses)
        text = [line.text for line in screen(seen, 80, 24) if line.text.startswith("GPU")]
        assert text[0] == "GPU 0  87% 12.0/40 GB  this run"
        assert "ben: ben/flute" in text[1] and "?%" in text[2] and "eve (pid 7)" in text[2]
        assert text[3].endswith("free")

    def test_a_slow_training_says_seconds_a_step(self, tmp_path: Path) -> None:
        folder = make_run(tmp_path)
        add_steps(folder, count=30, every=1, per_s=0.5)
        assert "2.00 s/step" in plain(snapshot(folder))

    def test_an_ended_run_offers_no_way_out(self, tmp_path: Path) -> None:
        seen = snapshot(make_run(tmp_path, state="failed", reason="ValueError: no data"))
        text = "\n".join(line.text for line in screen(seen, 80, 24))
        assert "failed: ValueError: no data" in text and "Ctrl-C" not in text


class TestPlot:
    def test_a_falling_curve_falls(self) -> None:
        lines = plot([(step, 100 - step) for step in range(101)], 60, 6, braille=False)
        columns = [line.partition("|")[2] for line in lines]
        first = next(row for row, line in enumerate(columns) if line[:1] == "*")
        last = max(row for row, line in enumerate(columns) if len(line) == 52)
        assert first == 0 and last == 5

    def test_the_margin_names_the_range(self) -> None:
        lines = plot([(0, 2.0), (1, 2.0), (2, 8.0), (3, 8.0)] * 1, 40, 5)
        assert lines[0].split("|")[0].strip() == "8" and lines[-1].split("|")[0].strip() == "2"

    def test_one_outlier_does_not_flatten_the_rest(self) -> None:
        points = [(step, 5.0 + step % 2) for step in range(200)]
        points[0] = (0, 1e6)
        assert float(plot(points, 60, 6)[0].split("|")[0]) == 6

    def test_a_constant_is_a_line(self) -> None:
        lines = plot([(0, 3.0), (10, 3.0)], 40, 5, braille=False)
        assert sum("*" in line for line in lines) == 1

    @pytest.mark.parametrize("points", [[], [(0, 1.0)]])
    def test_too_little_to_draw(self, points: list[tuple[float, float]]) -> None:
        assert plot(points, 80, 8) == []

    def test_no_room(self) -> None:
        assert plot([(0, 1.0), (1, 2.0)], 10, 8) == [] == plot([(0, 1.0), (1, 2.0)], 80, 1)


class TestCommand:
    def test_once(self, folder: Path, tmp_path: Path) -> None:
        done = watch(tmp_path, "--once")
        assert done.returncode == 0
        first, *log = done.stdout.splitlines()
        assert first.startswith("train ann/violin  running  step 1200/30000 4%")
        assert log[-1].strip().startswith("step: 58")

    def test_json_is_one_document(self, folder: Path, tmp_path: Path) -> None:
        document = json.loads(watch(tmp_path, "ann/violin", "--json").stdout)
        assert document["run"]["id"] == "0badcafe" and document["progress"]["done"] == 1200

    def test_nothing_to_watch(self, tmp_path: Path) -> None:
        (tmp_path / ".dlwa").mkdir()
        done = watch(tmp_path)
        assert done.returncode == 3 and "ddsp train" in done.stderr

    @pytest.mark.parametrize(("state", "code"), [("finished", 0), ("stopped", 0), ("failed", 1)])
    def test_ends_as_the_run_ended(self, tmp_path: Path, state: str, code: int) -> None:
        (tmp_path / ".dlwa").mkdir()
        make_run(tmp_path, state=state, reason="so it is")
        done = watch(tmp_path, "ann/violin")
        assert done.returncode == code and "so it is" in done.stdout

    def test_mine_and_living_comes_first(self, tmp_path: Path) -> None:
        (tmp_path / ".dlwa").mkdir()
        make_run(tmp_path, "ben/flute", created_at=time.time())
        make_run(tmp_path, "ann/old", state="finished")
        make_run(tmp_path, "ann/new")
        command = [sys.executable, "-m", "dlwa.cli", "watch", "--json"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(DLWA_OWNER="ann"), capture_output=True, text=True
        )
        assert json.loads(done.stdout)["run"]["name"] == "ann/new"

    def test_ctrl_c_off_a_terminal_leaves(self, folder: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "dlwa.cli", "watch"]
        with subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdout is not None
            assert "ann/violin" in program.stdout.readline()
            program.send_signal(signal.SIGINT)
            _, told = program.communicate(timeout=20)
        assert program.returncode == 0 and "goes on" in told
        assert runfiles.read_json(folder / runfiles.RECORD_FILE)["state"] == "running"


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
class TestTerminal:
    @pytest.fixture
    def tmux(self, tmp_path: Path):
        server = ["tmux", "-S", str(tmp_path / "tmux.sock"), "-f", "/dev/null"]
        yield server
        subprocess.run([*server, "kill-server"], capture_output=True)

    def show(self, tmux: list[str], width: int, height: int, root: Path, **env: str) -> None:
        words = [f"{key}={value}" for key, value in {"PYTHONPATH": str(PROJECT), **env}.items()]
        command = [
            "env",
            "-u",
            "COLUMNS",
            "-u",
            "LINES",
            "LC_ALL=C.UTF-8",
            *words,
            sys.executable,
            "-m",
            "dlwa.cli",
        ]
        command += ["--root", str(root), "watch"]
        size = ["-x", str(width), "-y", str(height)]
        subprocess.run([*tmux, "new-session", "-d", "-s", "w", *size, *command, ";"], check=True)
        subprocess.run([*tmux, "set-option", "-t", "w", "remain-on-exit", "on"], check=True)

    def capture(self, tmux: list[str], *flags: str) -> str:
        command = [*tmux, "capture-pane", "-p", *flags, "-t", "w"]
        return subprocess.run(command, capture_output=True, text=True).stdout

    def wait_for(self, tmux: list[str], text: str, *flags: str) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            shown = self.capture(tmux, *flags)
            if text in shown:
                return shown
            time.sleep(0.1)
        pytest.fail(f"{text!r} did not appear:\n{shown}")

    @pytest.mark.parametrize("size", [(80, 24), (40, 12)])
    def test_live_follows_and_ctrl_c_leaves_the_run(
        self, tmux: list[str], folder: Path, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        self.show(tmux, *size, tmp_path)
        self.wait_for(tmux, "Ctrl-C leaves")
        shown = self.wait_for(tmux, "1200/30000")
        assert "ann/violin" in shown
        assert len(shown.rstrip("\n").splitlines()) <= size[1]
        runfiles.report_step(folder, 1500, 30000, {"total_loss": 5.1}, 2.0)
        self.wait_for(tmux, "1500/30000")
        subprocess.run([*tmux, "send-keys", "-t", "w", "C-c"], check=True)
        self.wait_for(tmux, "goes on", "-S", "-")  # the end of the program scrolls the screen
        assert runfiles.read_json(folder / runfiles.RECORD_FILE)["state"] == "running"

    def test_it_ends_when_the_run_ends(self, tmux: list[str], folder: Path, tmp_path: Path) -> None:
        self.show(tmux, 80, 24, tmp_path)
        self.wait_for(tmux, "Ctrl-C leaves")
        make_run(tmp_path, state="failed", reason="ValueError: silence")
        self.wait_for(tmux, "the whole log:")

    def test_no_colour_when_not_wanted(self, tmux: list[str], folder: Path, tmp_path: Path) -> None:
        self.show(tmux, 80, 24, tmp_path, NO_COLOR="1")
        shown = self.wait_for(tmux, "Ctrl-C leaves", "-e")
        assert "\x1b[" not in shown
