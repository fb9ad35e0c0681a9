"""The pitch benchmark counts what it says it counts, on instruments that play what is written."""

import numpy as np
import pytest

from benchmarks import labelled, pitch

needs_fluidsynth = pytest.mark.skipif(
    not labelled.available(), reason="FluidSynth or FluidR3Mono_GM.sf3 is not installed"
)


def test_scores_are_shares_of_the_frames_that_hold_a_note():
    truth = np.array([0.0, 440, 440, 440, 440, 0.0])
    f0_hz = np.array([440.0, 440, 440 * 2 ** (49 / 1200), 880, 470, 100])
    confidence = np.array([0.9, 0.9, 0.9, 0.4, 0.9, 0.1])
    assert pitch.score(f0_hz, confidence, truth) == {
        "right": 50.0,
        "but octaves": 75.0,
        "sure": 75.0,
        "sure in rests": 50.0,
    }


@pytest.mark.parametrize(
    ("speeds", "code", "said"),
    [
        (
            {"tiny": 24.0, "swift": 71.0, "full": 1.2},
            0,
            "tiny: 205 x the reference, claim >= 200 kept",
        ),
        ({"swift": 60.0}, 1, "swift: 513 x the reference, claim >= 600 MISSED"),
        ({"small": 0.1}, 0, ""),
    ],
)
def test_claims_are_judged(capsys, speeds, code, said):
    assert pitch.verdict(speeds) == code
    assert said in capsys.readouterr().out


def test_a_tune_knows_its_pitch_at_every_moment():
    tune = labelled.compose(60, 72, 12.0, seed=3)
    again = labelled.compose(60, 72, 12.0, seed=3)
    assert tune == again
    start, end, number = tune.notes[0]
    moments = np.array([start, (start + end) / 2, end + 0.001])
    f0_hz = tune.f0_hz(moments)
    assert f0_hz[0] == pytest.approx(440 * 2 ** ((number - 69) / 12))
    assert abs(1200 * np.log2(f0_hz[1] / f0_hz[0])) <= 20
    assert f0_hz[2] == 0
    assert tune.f0_hz(np.array([start + 0.01]), after_onset_s=0.05)[0] == 0


@pytest.mark.ddsp
@pytest.mark.integration
@needs_fluidsynth
def test_both_fast_trackers_hear_the_written_notes_of_a_clarinet(capsys):
    arguments = ["--models", "tiny", "swift", "--instruments", "clarinet", "--seconds", "9"]
    pitch.main([*arguments, "--after_onset", "0.05"])
    row = next(line for line in capsys.readouterr().out.splitlines() if "clarinet" in line)
    shares = [float(cell.split()[0]) for cell in row.split("|")[2:4]]
    assert min(shares) > 95, row
