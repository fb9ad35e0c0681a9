"""Sounds for tests."""

import numpy as np


def gen_np_sinusoid(frequency, amp, sample_rate, audio_len_sec):
    """A sine of one frequency, `[n_samples]`, sampled up to and including its end."""
    time = np.linspace(0, audio_len_sec, int(audio_len_sec * sample_rate))
    return amp * np.sin(2.0 * np.pi * frequency * time)


def gen_np_batched_sinusoids(frequency, amp, sample_rate, audio_len_sec, batch_size):
    """The same sine batch_size times, `[batch, n_samples]`."""
    sinusoid = gen_np_sinusoid(frequency, amp, sample_rate, audio_len_sec)
    return np.tile(sinusoid, [batch_size, 1])
