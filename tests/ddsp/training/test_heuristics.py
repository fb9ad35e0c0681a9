"""Notes found by rules."""

import gin
import numpy as np
import pytest

from dlwa.ddsp.training import heuristics

pytestmark = pytest.mark.ddsp


def melody(notes, gap=20, rate=250):
    """Controls of sounding notes (Hz, frames) with silence between them."""
    f0, amps = [], []
    for hz, frames in notes:
        f0 += [hz] * frames + [0.0] * gap
        amps += [*(0.5 + 0.05 * np.sin(np.arange(frames))), *[1e-6] * gap]
    f0, amps = np.array(f0, np.float32)[:, None], np.array(amps, np.float32)[:, None]
    power = np.maximum(20 * np.log10(amps), -80.0)
    return {"f0_hz": f0, "power_db": power, "harmonic": {"controls": {"amplitudes": amps}}}


def test_a_melody_is_transcribed():
    controls = melody([(440.0, 100), (493.88, 60), (261.63, 120)])
    found = heuristics.segment_notes(
        heuristics.midi_heuristic, heuristics.mean_f0, heuristics.median_amps, controls
    )
    assert [note.pitch for note in found.notes] == [69, 71, 60]
    starts = [note.start_time for note in found.notes]
    np.testing.assert_allclose(starts, [0.0, 120 / 250, 200 / 250], atol=0.13)
    assert found.total_time == pytest.approx(340 / 250)


def test_power_heuristic_works_where_the_reference_fails():
    controls = melody([(440.0, 100), (330.0, 100)])
    is_on = heuristics.midi_heuristic_power(controls)
    assert is_on[50] and is_on[170]
    assert not is_on[105:118].any()


def test_batches_are_taken_apart():
    one = melody([(440.0, 100)])
    batch = {
        "f0_hz": np.stack([one["f0_hz"]] * 2),
        "harmonic": {
            "controls": {"amplitudes": np.stack([one["harmonic"]["controls"]["amplitudes"]] * 2)}
        },
    }
    found = heuristics.segment_notes_batch(
        heuristics.midi_heuristic, heuristics.median_f0, heuristics.median_amps, batch
    )
    assert [[n.pitch for n in s.notes] for s in found] == [[69], [69]]


def test_nothing_sounds_nothing_is_found():
    found = heuristics.segment_notes(
        lambda c: np.zeros(10, bool), heuristics.mean_f0, heuristics.median_amps, melody([(9, 1)])
    )
    assert found.notes == []


@pytest.mark.parametrize(("length", "stays"), [(9, False), (10, True)])
def test_runs_are_removed_by_length(length, stays):
    is_on = np.array([False, *[True] * length, False, False])
    assert heuristics.remove_short(is_on, min_samples=10).any() == stays


def test_windows_shorter_than_a_sample_are_refused():
    with pytest.raises(ValueError, match=r"win_len=0\.001"):
        heuristics.window_array(np.zeros(10, np.float32), sr=100, win_len=0.001)


def test_gin_configures_the_segmentation():
    gin.clear_config()
    try:
        gin.parse_config(
            "segment_notes_batch.binarize_f = @heuristics.midi_heuristic\n"
            "segment_notes_batch.pick_f0_f = @heuristics.mean_f0\n"
            "segment_notes_batch.pick_amps_f = @heuristics.median_amps\n"
        )
        one = melody([(440.0, 100)])
        batch = {"f0_hz": one["f0_hz"][None], "harmonic": {"controls": {
            "amplitudes": one["harmonic"]["controls"]["amplitudes"][None]}}}  # fmt: skip
        (found,) = heuristics.segment_notes_batch(controls_batch=batch)
        assert [n.pitch for n in found.notes] == [69]
    finally:
        gin.clear_config()
