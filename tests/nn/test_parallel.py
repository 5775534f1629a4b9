"""Branches side by side and summed."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn

rng = np.random.default_rng(0)


def branches():
    return nn.Conv2d(2, 3, 1, seed=0), nn.Conv2d(2, 3, 3, padding=1, seed=1)


def test_parallel_branches_stand_side_by_side():
    fine, coarse = branches()
    block, X = nn.Parallel(fine, coarse), rng.normal(size=(2, 2, 5, 5)).astype("float32")
    found = block.predict(X, device="reference")
    expected = np.concatenate([branch.predict(X, device="reference") for branch in (fine, coarse)], axis=1)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(sc.errors.ShapeError):
        nn.Parallel(fine, nn.Conv2d(2, 4, 3))(sc.input("x", (None, 2, 5, 5)))


def test_parallel_along_another_axis():
    block = nn.Parallel(nn.ReLU(), nn.Activation("tanh"), axis=-1)
    assert block(sc.input("x", (None, 2, 5))).shape == (None, 2, 10)


def test_sum_adds():
    fine, coarse = branches()
    block, X = nn.Sum(fine=fine, coarse=coarse), rng.normal(size=(2, 2, 5, 5)).astype("float32")
    expected = fine.predict(X, device="reference") + coarse.predict(X, device="reference")
    np.testing.assert_allclose(block.predict(X, device="reference"), expected, rtol=1e-6)
    assert block.parameters().keys() == ["fine.weight", "fine.bias", "coarse.weight", "coarse.bias"]
    with pytest.raises(sc.errors.ShapeError, match="one shape"):
        nn.Sum(fine, nn.Conv2d(2, 1, 1))(sc.input("x", (None, 2, 5, 5)))


@pytest.mark.parametrize("kind", [nn.Parallel, nn.Sum])
def test_branches_are_layers(kind):
    with pytest.raises(sc.errors.InputError, match="needs a branch"):
        kind()
    with pytest.raises(sc.errors.InputError, match="wide is no layer"):
        kind(wide=3)
