"""The level of a stream: in whichever pieces it comes, it is that of the whole sound."""

import doctest

import numpy as np
import pytest

from dlwa.ddsp import spectral_ops
from dlwa.ddsp import timbre_transfer as tt
from dlwa.ddsp.timbre_transfer import _level

pytestmark = pytest.mark.ddsp


def in_pieces(meter, sound, sizes):
    cuts = np.cumsum(sizes)
    return np.concatenate([*map(meter.push, np.split(sound, cuts)), meter.finish()])


@pytest.mark.parametrize("sizes", [[], [1, 3, 63, 64, 65, 511], [90_000], [5_000] * 18])
@pytest.mark.parametrize(("rate", "power_frame"), [(16000, 0), (48000, 0), (16000, 1024)])
def test_pieces_are_the_whole(rate, power_frame, sizes):
    sound = np.random.default_rng(1).normal(0, 0.1, 90_123).astype("f4")
    sound[40_000:60_000] *= 1e-3
    if power_frame:
        whole = spectral_ops.compute_power(sound, rate, 250, power_frame)
    else:
        whole = spectral_ops.compute_loudness(sound, rate, 250)
    told = in_pieces(tt.LevelMeter(rate, 250, power_frame), sound, sizes)
    assert told.dtype == np.float32
    np.testing.assert_allclose(told, whole[: len(told)], atol=2e-3)
    assert len(whole) - len(told) in (0, 1)  # the whole is padded to whole hops


def test_a_sound_shorter_than_a_hop_has_a_frame():
    assert len(in_pieces(tt.LevelMeter(16000, 250), np.ones(7, "f4"), [])) == 1


def test_its_example_runs():
    assert doctest.testmod(_level, extraglobs={"np": np}) == (0, 2)
