"""Initialisers: the right variance, the same values for the same seed."""

import numpy as np
import pytest

from symcnn import init
from symcnn.errors import InputError, ShapeError


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / (400 + 600)),
        ("glorot_normal", 2 / (400 + 600)),
        ("he_uniform", 2 / 400),
        ("he_normal", 2 / 400),
    ],
)
def test_variance_and_mean(name, variance):
    for shape in ((400, 600), (24, 16, 5, 5)):
        values = init.draw(name, shape, seed=0)
        assert values.shape == shape and values.dtype == np.float32
        assert abs(values.mean()) < 4 * np.sqrt(variance / values.size)
        assert values.var() == pytest.approx(variance, rel=0.05) if shape == (400, 600) else values.var() > 0


def test_fans_count_the_window():
    assert init.fans((64, 32, 3, 3)) == (288, 576)
    with pytest.raises(ShapeError):
        init.fans((5,))


def test_seeds():
    shape = (7, 5)
    np.testing.assert_array_equal(init.he_normal(shape, 3), init.he_normal(shape, 3))
    assert not np.array_equal(init.he_normal(shape, 3), init.he_normal(shape, 4))
    rng = np.random.default_rng(0)
    assert not np.array_equal(init.he_normal(shape, rng), init.he_normal(shape, rng))


def test_process_wide_seed():
    init.seed(5)
    first = init.glorot_normal((3, 3))
    assert not np.array_equal(first, init.glorot_normal((3, 3)))
    init.seed(5)
    np.testing.assert_array_equal(first, init.glorot_normal((3, 3)))


def test_by_name_and_by_function():
    assert (init.draw("zeros", (2, 2)) == 0).all()
    assert (init.draw(lambda shape, seed, dtype: np.full(shape, 7, dtype), (2,)) == 7).all()
    with pytest.raises(InputError, match="did you mean 'he_normal'"):
        init.draw("he_norml", (2, 2))
