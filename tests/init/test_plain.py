"""Values of a given width: bounds and moments."""

import numpy as np
import pytest

from symcnn import init


def test_constants():
    assert (init.zeros((2, 3)) == 0).all() and (init.ones((2, 3)) == 1).all() and (init.constant(4)((2, 3)) == 4).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("draw", "mean", "deviation", "bounds"),
    [
        (init.uniform, 0, 0.05 / np.sqrt(3), (-0.05, 0.05)),
        (init.uniform(bound=3), 0, np.sqrt(3), (-3, 3)),
        (init.normal, 0, 0.01, (-0.1, 0.1)),
        (init.normal(std=2, mean=5), 5, 2, (-15, 25)),
        # The deviation of a normal distribution that was cut at two deviations.
        (init.truncated_normal, 0, 0.01 * 0.879626, (-0.02, 0.02)),
        (init.truncated_normal(std=2, mean=5), 5, 2 * 0.879626, (1, 9)),
    ],
)
def test_moments_and_bounds(draw, mean, deviation, bounds, dtype):
    values = draw((200, 500), seed=0, dtype=dtype).astype("float64")
    assert abs(values.mean() - mean) < 4 * deviation / np.sqrt(values.size)
    assert values.std() == pytest.approx(deviation, rel=0.01)
    assert bounds[0] * (1 + 1e-6) <= values.min() and values.max() <= bounds[1] * (1 + 1e-6)
    assert len(np.unique(values)) > 0.95 * values.size


def test_truncated_values_fill_their_range():
    values = init.truncated_normal((100_000,), seed=0, std=1)
    assert abs(values).max() > 1.99
    counts, _ = np.histogram(values, bins=4, range=(-2, 2))
    inner = 0.3413447 / 0.4772499  # of a normal distribution, between 0 and 1 of 0 and 2 deviations
    np.testing.assert_allclose(
        counts / values.size, [(1 - inner) / 2, inner / 2, inner / 2, (1 - inner) / 2], atol=0.01
    )


def test_empty_shapes():
    assert init.truncated_normal((0, 3)).shape == (0, 3)
    assert init.normal(()).shape == ()
