"""Hinge losses against formulas in NumPy float64 and against PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from tests.losses.compare import assert_equal, torch_value, value

rng = np.random.default_rng(0)


@pytest.mark.parametrize("squared", [False, True])
def test_multi_class(squared):
    y, t = rng.normal(0, 2, (7, 4)), rng.integers(0, 4, 7)
    margins = np.maximum(0, 1 + y - y[np.arange(7), t][:, None])
    margins[np.arange(7), t] = 0
    expected = (margins ** (1 + squared)).sum(axis=1).mean()
    np.testing.assert_allclose(value(sc.losses.hinge, y, t, squared=squared)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_multi_class_like_torch(torch, power, reduction):
    y, t = rng.normal(0, 2, (7, 4)), rng.integers(0, 4, 7)
    theirs = torch_value(torch, torch.nn.functional.multi_margin_loss, y, t, p=power, reduction=reduction)
    ours = value(lambda y, t: 1 / 4 * sc.losses.hinge(y, t, squared=power == 2, reduction=reduction), y, t)
    assert_equal(ours, theirs)  # PyTorch divides by the number of classes


@pytest.mark.parametrize("squared", [False, True])
def test_binary(squared):
    y, t = rng.normal(0, 2, 9), rng.choice([-1.0, 1.0], 9)
    loss, gradient = value(sc.losses.hinge, y, t, squared=squared)
    missed = np.maximum(0, 1 - t * y)
    np.testing.assert_allclose(loss, (missed ** (1 + squared)).mean(), rtol=1e-12)
    slope = 2 * missed if squared else missed > 0
    np.testing.assert_allclose(gradient, -t * slope / 9, rtol=1e-12)
