"""The benchmark of playing measures other processes and judges its claims."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import playing


def test_claims_are_judged_and_the_missed_ones_counted(capsys):
    claims = playing.Claims()
    claims.judge("memory", "900 MB", "<= 1500 MB", True)
    claims.judge("pitch", "31 cents off", "<= 25 cents", False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[-1] for line in lines] == ["kept", "MISSED"]
    assert claims.missed == 1


def test_time_processor_and_memory_of_another_process():
    of_ours = np.ones(50_000_000)  # must not count
    took_s, cpu_s, mb = playing.run(["-c", "import time; x = b'1' * 80_000_000; time.sleep(0.3)"])
    assert took_s > 0.3 > cpu_s > 0
    assert 80 < mb < 160 < of_ours.nbytes / 1e6


def test_a_program_that_fails_ends_the_benchmark_with_what_it_said():
    with pytest.raises(SystemExit, match="ended with 3:\nno such model"):
        playing.run(["-c", "import sys; print('no such model', file=sys.stderr); sys.exit(3)"])


def test_cents_count_where_notes_sound_and_are_heard():
    asked = np.array([440.0, 440.0, 440.0, 440.0])
    heard = 440.0 * 2.0 ** (np.array([10.0, 20.0, 500.0, 700.0]) / 1200)
    conditioned = SimpleNamespace(f0_hz=asked, mask_on=np.array([True, True, True, False]))
    told = SimpleNamespace(f0_hz=heard, f0_confidence=np.array([0.9, 0.9, 0.2, 0.9]))
    off = playing.cents_off(SimpleNamespace(conditioned=conditioned), told)
    assert off == pytest.approx(15.0)


def test_a_model_that_is_not_there_is_told_with_the_way_to_get_it(capsys, tmp_path):
    with pytest.raises(SystemExit):
        playing.main([f"--model_dir={tmp_path / 'none'}"])
    assert "train it: ./dlwa.py demo --yes" in capsys.readouterr().err
