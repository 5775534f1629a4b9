"""Variances that fit the layer: the formulas, PyTorch, and signals that keep their size."""

import numpy as np
import pytest

from symcnn import init
from symcnn.errors import ShapeError


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
        ("glorot_normal", lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
        ("he_uniform", lambda fan_in, fan_out: 2 / fan_in),
        ("he_normal", lambda fan_in, fan_out: 2 / fan_in),
        ("lecun_uniform", lambda fan_in, fan_out: 1 / fan_in),
        ("lecun_normal", lambda fan_in, fan_out: 1 / fan_in),
    ],
)
@pytest.mark.parametrize(("shape", "fans"), [((400, 600), (400, 600)), ((64, 48, 5, 5), (1200, 1600))])
def test_variance_and_mean(name, variance, shape, fans):
    values, expected = init.draw(name, shape, seed=0), variance(*fans)
    assert values.shape == shape and values.dtype == np.float32
    assert abs(values.mean()) < 4 * np.sqrt(expected / values.size)
    assert values.var() == pytest.approx(expected, rel=0.02)
    if name.endswith("uniform"):
        assert abs(values).max() == pytest.approx(np.sqrt(3 * expected), rel=1e-3)


def test_fans():
    assert init.fans((64, 32, 3, 3)) == (288, 576)
    for name in ("he_normal", "glorot_uniform"):
        with pytest.raises(ShapeError, match="rank 2"):
            init.draw(name, (5,))


def test_fans_like_torch(torch):
    for shape in ((64, 32, 3, 3), (8, 1, 5, 7)):
        assert init.fans(shape) == torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


@pytest.mark.parametrize(
    ("name", "activation"), [("he_normal", lambda x: np.maximum(x, 0)), ("lecun_normal", lambda x: x)]
)
def test_signals_keep_their_size_through_ten_layers(name, activation):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 300))
    before = np.mean(x**2)
    for _ in range(10):
        x = activation(x) @ init.draw(name, (300, 300), rng)
    assert 0.5 < np.mean(x**2) / before < 2
