"""A tone held for ten minutes at 48 kHz is in tune to the end and never clicks."""

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp
RATE, SECONDS, HZ = 48000, 600, 440.0
N, FRAMES = RATE * SECONDS, SECONDS * 250


def _tone(road):
    import tensorflow as tf

    from dlwa.ddsp import core, synths

    f0_hz, ones = tf.fill([1, FRAMES, 1], HZ), tf.ones([1, FRAMES, 1])
    if road == "Harmonic":
        synth = synths.Harmonic(N, RATE, scale_fn=None, normalize_below_nyquist=False)
        return synth(ones, ones, f0_hz)
    if road == "linear, uneven hop":
        return core.harmonic_synthesis(
            f0_hz[:, 1:], ones[:, 1:], n_samples=N, sample_rate=RATE, amp_resample_method="linear"
        )
    if road == "oscillator_bank":
        return core.oscillator_bank(tf.fill([1, N, 1], HZ), tf.ones([1, N, 1]), RATE)
    table = np.sin(2 * np.pi * np.arange(2048) / 2048).astype(np.float32)
    return core.wavetable_synthesis(f0_hz, ones, table[np.newaxis], N, RATE)


def _cents_and_roughness(sound):
    """How far off the pitch is, and the largest difference to a clean sine of that pitch."""
    half = len(sound) // 2
    time = np.arange(len(sound)) / RATE
    turning = np.exp(-2j * np.pi * HZ * time) * sound
    window = np.hanning(half)
    phases = [np.angle(np.sum(window * part)) for part in (turning[:half], turning[half:])]
    slip_hz = np.angle(np.exp(1j * (phases[1] - phases[0]))) / (2 * np.pi * half / RATE)
    angle = 2 * np.pi * (HZ + slip_hz) * time
    waves = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    fit = np.linalg.lstsq(waves, sound, rcond=None)[0]
    return 1200 * np.log2(1 + slip_hz / HZ), np.abs(sound - waves @ fit).max()


@pytest.mark.parametrize(
    "road", ["Harmonic", "linear, uneven hop", "oscillator_bank", "wavetable_synthesis"]
)
def test_ten_minutes(road):
    audio = _tone(road)
    assert audio.shape == (1, N)
    for start in (0, N // 2, N - RATE):
        second = audio[0, start : start + RATE].numpy().astype(float)
        cents, roughness = _cents_and_roughness(second)
        assert abs(cents) < 1e-3, f"{road} from sample {start}"
        assert roughness < 1e-5, f"{road} from sample {start}"
    # No step anywhere is larger than a clean sine's: a click would be one.
    steps = np.abs(np.diff(audio[0].numpy()))
    assert steps.max() < 2 * np.pi * HZ / RATE + 1e-5


def test_a_stream_of_ten_minutes_in_short_blocks():
    from dlwa.ddsp import core

    n, blocks = 96_000, 300
    hz, ones = np.full((1, n, 1), HZ, np.float32), np.ones((1, n, 1), np.float32)
    phase = None
    for _ in range(blocks):
        audio, phase = core.harmonic_oscillator_bank(hz, ones, phase, RATE)
    exact = 2 * np.pi * HZ * (np.arange(n) + 1 + n * (blocks - 1)) / RATE
    np.testing.assert_allclose(audio[0], np.sin(exact), atol=1e-4)
