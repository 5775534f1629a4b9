"""Noise: what is drawn, that it has the right rate, that it is new each step, and that evaluation has none."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn

LAYERS = {
    "dropout": lambda seed: nn.Dropout(0.25, seed=seed),
    "spatial": lambda seed: nn.SpatialDropout(0.25, seed=seed),
    "gaussian": lambda seed: nn.GaussianNoise(0.5, seed=seed),
}


def draws(layer, shape, count=1, dtype="float32", device="reference"):
    """What `layer` makes of ones in training, in `count` calls."""
    x = sc.input("x", (None, *shape[1:]), dtype)
    run = sc.function([x], layer(x, training=True), device=device)
    return [run(np.ones(shape, dtype)) for _ in range(count)]


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_in_training_only_and_new_each_time(make):
    layer, x = make(0), sc.input("x", (None, 8, 3, 3))
    assert layer(x) is x
    first, second = draws(layer, (8, 8, 3, 3), 2)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_follows_its_seed_on_every_device(make):
    first, again, other, compiled = (
        draws(make(seed), (4, 8, 3, 3), device=device)[0]
        for seed, device in ((3, "reference"), (3, "reference"), (4, "reference"), (3, "cpu"))
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_allclose(first, compiled, rtol=1e-6)


def test_layers_without_a_seed_differ():
    first, second = (draws(nn.Dropout(0.5), (4, 50))[0] for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_zeroes_its_share_and_keeps_the_mean(dtype):
    (found,) = draws(nn.Dropout(0.25, seed=0), (4, 1000), dtype=dtype)
    kept = np.array(1 / 0.75, dtype)
    assert found.dtype == dtype and abs((found == 0).mean() - 0.25) < 0.03
    np.testing.assert_allclose(found[found != 0], kept, rtol=1e-6)


def test_spatial_dropout_drops_whole_channels():
    (found,) = draws(nn.SpatialDropout(0.25, seed=0), (100, 20, 3, 2))
    sums = found.reshape(2000, 6).sum(axis=1)
    assert abs((sums == 0).mean() - 0.25) < 0.03
    np.testing.assert_allclose(found.reshape(2000, 6)[sums != 0], 1 / 0.75, rtol=1e-6)


def test_spatial_dropout_of_rows_is_dropout_of_each_number():
    (found,) = draws(nn.SpatialDropout(0.5, seed=0), (50, 40))
    assert abs((found == 0).mean() - 0.5) < 0.05 and set(np.unique(found)) == {0, 2}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gaussian_noise_has_its_mean_and_deviation(dtype):
    (found,) = draws(nn.GaussianNoise(0.5, seed=0), (100, 100), dtype=dtype)
    assert found.dtype == dtype and abs(found.mean() - 1) < 0.02 and abs(found.std() - 0.5) < 0.02


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_gradients_pass_where_values_pass(make):
    x = sc.input("x", (None, 8, 3, 3))
    y = make(0)(x, training=True)
    value, gradient = sc.function([x], [y, sc.grad(sc.sum(y), x)], device="reference")(np.ones((4, 8, 3, 3)))
    np.testing.assert_allclose(gradient, np.ones_like(value) if make is LAYERS["gaussian"] else value)


def test_nothing_to_draw():
    x = sc.input("x", (None, 3))
    for layer in (nn.Dropout(0), nn.SpatialDropout(0.0), nn.GaussianNoise(0)):
        assert layer(x, training=True) is x


@pytest.mark.parametrize("kind", [nn.Dropout, nn.SpatialDropout])
@pytest.mark.parametrize("rate", [1, -0.1, np.nan, "0.5", None])
def test_rates_out_of_range(kind, rate):
    with pytest.raises(sc.errors.InputError, match="rate is"):
        kind(rate)


def test_noise_out_of_range():
    with pytest.raises(sc.errors.InputError, match="std is out of range"):
        nn.GaussianNoise(-1)
    with pytest.raises(sc.errors.ShapeError, match="drops channels"):
        nn.SpatialDropout(0.5)(sc.input("x", (None,)), training=True)


def test_description():
    assert [repr(layer) for layer in (nn.Dropout(0.2), nn.SpatialDropout(0.3), nn.GaussianNoise(0.1))] == [
        "Dropout(0.2)", "SpatialDropout(0.3)", "GaussianNoise(0.1)"
    ]  # fmt: skip
