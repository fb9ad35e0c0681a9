"""What `status` says besides the table: who holds what, who idles, what will be cut off."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlwa.actions import gpus
from dlwa.claims import Claims, Device, Want
from dlwa.cli import _status, main
from dlwa.tools.nvidia_smi import ComputeApp, Gpu
from dlwa.workspace import machine_locks
from tests.made_runs import add_steps, make_run


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A run of Ann's that has held GPU 0 for ten minutes and more."""
    folder = make_run(tmp_path, started_at=time.time() - 700, gpu_uuids=["GPU-0"])
    add_steps(folder, 20)
    claims = Claims(machine_locks(os.environ))
    ticket = claims.enter(Want("0badcafe", "ann", "ann/violin", str(folder), pool="gpu"))
    assert claims.ask(ticket, [Device("GPU-0", "GPU 0")]).granted
    yield tmp_path
    claims.leave(ticket)


def look(monkeypatch, capsys, root: Path, busy: int | None) -> tuple[str, str]:
    cards = (Gpu(0, "GPU-0", "A100", 40960, 900, busy), Gpu(1, "GPU-1", "A100", 40960, 30000, 0))
    apps = (ComputeApp("GPU-1", 4242, 30000),)
    monkeypatch.setattr(gpus, "survey", lambda host: gpus.Survey("ok", cards, apps))
    assert main(["--root", str(root), "status"]) == 0
    told = capsys.readouterr()
    return told.out, told.err


def test_who_holds_a_gpu_and_does_nothing_is_named(held: Path, monkeypatch, capsys) -> None:
    out, err = look(monkeypatch, capsys, held, 0)
    assert "GPU 0 does nothing now (0 %), ann/violin holds it" in err
    assert "pid 4242" in out, "and who computes from outside dlwa"
    assert "GPU 1" not in err, "what others do is not ours to judge"


def test_whose_the_run_on_a_gpu_is_stands_there_whatever_its_name() -> None:
    card = Gpu(0, "GPU-0", "A100", 40960, 900, 50)
    for name, told in (("ann/violin", "ann/violin"), ("violin", "violin (ann)")):
        assert _status._gpu_row(gpus.GpuUse(card, "0badcafe", "ann", name))[-1] == told


@pytest.mark.parametrize("busy", [6, 97, None])
def test_who_uses_it_is_not(held: Path, monkeypatch, capsys, busy: int | None) -> None:
    assert "does nothing" not in look(monkeypatch, capsys, held, busy)[1]


def test_a_run_that_has_just_begun_may_idle(held: Path, monkeypatch, capsys) -> None:
    make_run(held, started_at=time.time() - 60, gpu_uuids=["GPU-0"])
    assert "does nothing" not in look(monkeypatch, capsys, held, 0)[1]


@pytest.mark.parametrize(("per_s", "late"), [(1000.0, False), (0.1, True)])
def test_what_will_be_cut_off_by_the_stop_is_told(
    tmp_path: Path, capsys, per_s: float, late: bool
) -> None:
    soon = time.strftime("%H:%M", time.localtime(time.time() + 3600))
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "local.yaml").write_text(f'stops_at: "{soon}"\n')
    add_steps(make_run(tmp_path), 20, per_s=per_s)
    assert main(["--root", str(tmp_path), "status"]) == 0
    assert (
        f"will not finish before the machine stops at {soon}" in capsys.readouterr().out
    ) == late


@pytest.mark.parametrize(("per_s", "cut"), [(1000.0, False), (0.1, True)])
def test_what_its_time_limit_cuts_short_is_told(
    tmp_path: Path, capsys, per_s: float, cut: bool
) -> None:
    limited = {"limits": {"hours_per_run": 1}, "started_at": time.time() - 600}
    add_steps(make_run(tmp_path, **limited), 20, per_s=per_s)
    assert main(["--root", str(tmp_path), "status", "ann/violin"]) == 0
    assert ("its time limit ends it in 50 min, train again" in capsys.readouterr().out) == cut


def test_what_waits_beyond_the_stop_will_not_finish_either(tmp_path: Path, capsys) -> None:
    soon = time.strftime("%H:%M", time.localtime(time.time() + 3600))
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "local.yaml").write_text(f'stops_at: "{soon}"\n')
    blocker = make_run(tmp_path)
    add_steps(blocker, 20, per_s=0.1)
    queue = {"position": 1, "blockers": [{"folder": str(blocker)}]}
    make_run(tmp_path, "ben/flute", state="queued", queue=queue, reason="the CPU is used")
    assert main(["--root", str(tmp_path), "status", "ben/flute"]) == 0
    assert f"will not finish before the machine stops at {soon}" in capsys.readouterr().out
