"""What was corrected against the reference."""

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp


@pytest.mark.parametrize(
    ("out", "one", "two"), [(-50.0, 0.0, 1.0), (50.0, 1.0, 0.0), (0.0, 0.5**0.5, 0.5**0.5)]
)
def test_a_crossfade_has_constant_power_and_silent_ends(out, one, two):
    from dlwa.ddsp import processors

    random = np.random.default_rng(0)
    signals = random.normal(size=(2, 2, 100)).astype(np.float32)
    level = np.full((2, 10, 1), out, np.float32)
    mixed = processors.Mix()(signals[0], signals[1], level)
    np.testing.assert_allclose(mixed, one * signals[0] + two * signals[1], atol=1e-5)
