"""Ticks cover their range with a few round numbers."""

import numpy as np
import pytest

from symcnn.viz.ticks import log_ticks, round_ticks, short, x_ticks


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.2, 2.31), (0.861, 0.874), (5, 5), (0, 0), (-3, 1e4)])
def test_ticks_cover_the_range(low, high):
    ticks = round_ticks(low, high)
    assert ticks[0] <= low + 1e-9 and ticks[-1] >= high - 1e-9
    assert 2 <= len(ticks) <= 8 and ticks == sorted(ticks)


@pytest.mark.parametrize("low", [1e-300, 3e-8, 0.02, 0.99, 1.0, 7, 1e200])
@pytest.mark.parametrize("ratio", [1, 1.02, 4, 29, 31, 1e5, 1e20])
def test_logarithmic_ticks_cover_the_range(low, ratio):
    ticks = log_ticks(low, low * ratio)
    assert ticks[0] <= low * (1 + 1e-6) and ticks[-1] >= low * ratio * (1 - 1e-6)
    assert 2 <= len(ticks) <= 8 and ticks == sorted(set(ticks))


def test_places_on_the_axis_are_whole_numbers_where_there_are_some():
    assert x_ticks(1, 3) == [1, 2, 3]
    assert x_ticks(0, 0.5) == pytest.approx(np.arange(0, 0.51, 0.1), abs=0.051)
    assert [short(t) for t in (0.0, -0.5, 1e-3, 1.2e-4, 1e-5, 20_000, 3.0, 1.5e6, 1e-300)] == [
        "0", "-0.5", "0.001", "1.2e-4", "1e-5", "20k", "3", "1.5e6", "1e-300",
    ]  # fmt: skip
