"""Squared, absolute and Huber's error against formulas in float64 and against PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from tests.losses.compare import assert_equal, torch_value, value

rng = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [
        (sc.losses.squared_error, "mse_loss", {}),
        (sc.losses.absolute_error, "l1_loss", {}),
        (sc.losses.huber, "huber_loss", {}),
        (sc.losses.huber, "huber_loss", {"delta": 0.3}),
    ],
)
def test_like_torch(torch, ours, theirs, options, reduction, dtype):
    y, t = rng.normal(0, 2, (6, 5)).astype(dtype), rng.normal(0, 2, (6, 5)).astype(dtype)
    options = {**options, "reduction": reduction}
    assert_equal(
        value(ours, y, t, **options), torch_value(torch, getattr(torch.nn.functional, theirs), y, t, **options)
    )


def test_huber_delta():
    y, t = rng.normal(0, 5, 50), np.zeros(50)
    size = np.abs(y)
    expected = np.where(size <= 2, size**2 / 2, 2 * (size - 1)).mean()
    np.testing.assert_allclose(value(sc.losses.huber, y, t, delta=2.0)[0], expected, rtol=1e-12)
    with pytest.raises(sc.InputError, match="delta"):
        value(sc.losses.huber, y, t, delta=-1)


def test_the_derivative_of_the_absolute_error_at_its_kink_is_0():
    np.testing.assert_array_equal(value(sc.losses.absolute_error, np.array([0.0, 1]), np.zeros(2))[1], [0, 0.5])


def test_integer_targets_keep_the_dtype_of_the_prediction():
    loss, gradient = value(sc.losses.squared_error, np.ones(4, "float32"), np.array([0, 1, 2, 3]))
    assert loss == 1.5
    assert loss.dtype == gradient.dtype == np.float32
