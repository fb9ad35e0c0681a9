"""The pictures of the report."""

import math

import numpy as np
import pytest

pytestmark = pytest.mark.ddsp


def test_many_points_are_gathered_and_none_that_is_no_number():
    from dlwa.ddsp.report._pictures import gathered

    values = np.arange(1000.0)
    values[500] = math.nan
    middle, low, mean, high = gathered(range(1000), values, columns=10)
    assert len(middle) == 10 and np.all(np.diff(middle) > 0)
    assert low[0] == 0 and high[0] == 99 and mean[0] == pytest.approx(49.5)
    assert np.isfinite(mean).all()
    assert np.isnan(gathered([1], [math.nan])[2]).all()
