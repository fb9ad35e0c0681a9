"""How many frames a sound makes, where they lie, and lengths put right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.ddsp
often = settings(max_examples=40, deadline=None)
PADDINGS = st.sampled_from(["valid", "same", "center"])


@often
@given(st.integers(1, 400), st.integers(1, 60), st.integers(1, 60), PADDINGS)
def test_padding_makes_the_frames_that_were_counted(n, frame, hop, padding):
    from dlwa.ddsp import spectral_ops

    if hop > frame or (padding == "valid" and n < frame):
        return
    count, length = spectral_ops.get_framed_lengths(n, frame, hop, padding)
    audio = np.arange(1, n + 1, dtype=np.float32)
    padded = spectral_ops.pad(audio, frame, hop, padding).numpy()
    # An odd frame cannot stand out equally on both sides; the count is the same.
    assert len(padded) == length - (frame % 2 if padding == "center" else 0)
    if frame % 2 == 0 or padding != "center":
        assert (len(padded) - frame) // hop + 1 == count
    before = frame // 2 if padding == "center" else 0
    np.testing.assert_array_equal(padded[before : before + n], audio)
    assert padded.sum() == audio.sum()


def test_the_lengths_of_four_seconds():
    from dlwa.ddsp import spectral_ops

    lengths = [spectral_ops.get_framed_lengths(64000, 512, 64, p)[0] for p in _NAMES]
    assert lengths == [993, 1000, 1001]
    assert spectral_ops.get_framed_lengths(10, 512, 64, "valid") == (0, 10)
    batch = np.ones((2, 100, 3), np.float32)
    assert spectral_ops.pad(batch, 20, 5).shape == (2, 120, 3)


_NAMES = ("valid", "same", "center")


@often
@given(
    st.sampled_from([16000, 22050, 24000, 32000, 44100, 48000]),
    st.sampled_from([250, 100, 50, 86.1328125, 30]),
    st.integers(2000, 9000),
    PADDINGS,
)
def test_frames_lie_at_their_times_whether_rates_divide_or_not(rate, frame_rate, n, padding):
    from dlwa.ddsp import spectral_ops

    size = 2048
    if padding == "valid" and n < size:
        return
    audio = np.arange(1, n + 1, dtype=np.float32)
    frames = spectral_ops.frame_at_rate(audio, rate, frame_rate, size, padding).numpy()
    before = size // 2 if padding == "center" else 0
    whole = np.pad(audio, [before, 2 * size])
    end = {"center": n, "same": n - 1e-9, "valid": n - size}[padding]
    assert len(frames) == int(end * frame_rate / rate + 1e-9) + 1
    for j in {0, len(frames) // 3, len(frames) // 2, len(frames) - 1}:
        start = round(j * rate / frame_rate)
        np.testing.assert_array_equal(frames[j], whole[start : start + size])


def test_frames_of_unknown_length():
    import tensorflow as tf

    from dlwa.ddsp import spectral_ops

    audio = np.random.default_rng(0).normal(size=(2, 5000)).astype(np.float32)
    for padding in _NAMES:
        framed = tf.function(
            lambda x, padding=padding: spectral_ops.frame_at_rate(x, 44100, 250, 512, padding),
            input_signature=[tf.TensorSpec([None, None])],
        )
        expected = spectral_ops.frame_at_rate(audio, 44100, 250, 512, padding)
        np.testing.assert_array_equal(framed(audio), expected)


@pytest.mark.parametrize("use_tf", [False, True])
def test_lengths_are_put_right_within_tolerance(use_tf):
    from dlwa.ddsp import spectral_ops

    x = np.arange(12, dtype=np.float32).reshape(2, 6)
    if use_tf:
        import tensorflow as tf

        x = tf.constant(x)
    fit = spectral_ops.pad_or_trim_to_expected_length
    np.testing.assert_array_equal(fit(x, 4, use_tf=use_tf), np.asarray(x)[:, :4])
    np.testing.assert_array_equal(fit(x, 6, use_tf=use_tf), x)
    longer = np.asarray(fit(x, 8, pad_value=-1, use_tf=use_tf))
    np.testing.assert_array_equal(
        longer, np.pad(np.asarray(x), [[0, 0], [0, 2]], constant_values=-1)
    )
    with pytest.raises(ValueError, match="within 1 of expected_len=8"):
        fit(x, 8, len_tolerance=1, use_tf=use_tf)
