"""Decoding of pitch activations: paths and averages against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlwa.ddsp.pitch import decoding

pytestmark = pytest.mark.ddsp


def slow_viterbi(observed):
    """The textbook algorithm; of equal predecessors the higher bin wins."""
    log_move = decoding.transition_log_probs()
    other = 0.9 / 360
    scores = [np.full(360, np.log(1 / 360)) + emission(observed[0], other)]
    for bin_ in observed[1:]:
        scores.append((scores[-1][:, None] + log_move).max(0) + emission(bin_, other))
    path = [int(scores[-1].argmax())]
    for score in scores[-2::-1]:
        path.append(359 - int((score + log_move[:, path[-1]])[::-1].argmax()))
    return np.array(path[::-1])


def emission(bin_, other):
    out = np.full(360, np.log(other))
    out[bin_] = np.log(0.1 + other)
    return out


@given(st.lists(st.integers(0, 359), min_size=1, max_size=60))
@settings(max_examples=25, deadline=None)
def test_the_path_is_that_of_the_textbook(observed):
    np.testing.assert_array_equal(decoding.viterbi_path(observed), slow_viterbi(observed))


def test_blocks_of_any_size_give_the_same_path():
    random = np.random.default_rng(1)
    observed = np.clip(180 + np.cumsum(random.integers(-9, 10, 700)), 0, 359)
    observed[random.random(700) < 0.2] = random.integers(0, 360)
    whole = decoding.viterbi_path(observed)
    for size in (1, 7, 64, 699):
        decoder = decoding.ViterbiDecoder()
        parts = [decoder.push(observed[i : i + size]) for i in range(0, 700, size)]
        np.testing.assert_array_equal(np.concatenate([*parts, decoder.finish()]), whole)


def test_memory_stays_bounded_because_paths_meet():
    decoder = decoding.ViterbiDecoder()
    given_out = sum(len(decoder.push(np.full(100, 120))) for _ in range(50))
    assert given_out > 4900
    assert len(decoder._history) < 100


def test_an_outlier_of_one_frame_does_not_bend_the_path():
    observed = np.full(50, 100)
    observed[25] = 340
    assert (decoding.viterbi_path(observed) == 100).all()


def test_no_observations_give_no_path():
    assert decoding.viterbi_path(np.array([], int)).shape == (0,)


def test_one_active_bin_gives_its_frequency():
    activations = np.eye(360, dtype=np.float32)
    hz = decoding.local_average_hz(activations, np.arange(360))
    np.testing.assert_allclose(hz, decoding.bins_to_hz(decoding.BIN_CENTS))


def test_two_equal_neighbours_give_the_pitch_between():
    activations = np.zeros([1, 360], np.float32)
    activations[0, [200, 201]] = 0.5
    between = decoding.bins_to_hz(decoding.BIN_CENTS[200] + 10)
    np.testing.assert_allclose(decoding.local_average_hz(activations, np.array([200])), between)


def test_no_activation_gives_nan_which_the_tracker_turns_into_zero():
    from dlwa.ddsp.pitch import PitchTracker

    assert np.isnan(decoding.local_average_hz(np.zeros([1, 360]), np.array([5])))[0]
    tracker = PitchTracker(viterbi=False)
    f0_hz, confidence = tracker.push(np.zeros([2, 360], np.float32))
    assert (f0_hz == 0).all()
    assert (confidence == 0).all()


def test_transitions_are_probabilities():
    np.testing.assert_allclose(np.exp(decoding.transition_log_probs()).sum(1), 1.0)
    assert np.isneginf(decoding.transition_log_probs()[0, 12])
    assert np.isfinite(decoding.transition_log_probs(floor=1e-5)).all()
