"""Layers against NumPy, their training switch, their complaints."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn

rng = np.random.default_rng(0)


def test_dense():
    layer, X = nn.Dense(4, 3, seed=0), rng.normal(size=(5, 4)).astype("float32")
    layer.bias.set_value(np.arange(3))
    expected = X @ layer.weight.get_value() + np.arange(3)
    np.testing.assert_allclose(layer.predict(X, device="reference"), expected, rtol=1e-5)
    assert nn.Dense(4, 3, bias=False).parameters().keys() == ["weight"]


def test_conv2d_adds_its_bias_per_channel():
    layer, X = nn.Conv2d(2, 3, 3, padding=1, seed=0), np.zeros((1, 2, 5, 5), "float32")
    layer.bias.set_value([1, 2, 3])
    found = layer.predict(X, device="reference")
    np.testing.assert_array_equal(found, np.broadcast_to(np.array([1, 2, 3]).reshape(1, 3, 1, 1), (1, 3, 5, 5)))


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (None, 4, 6, 6)),
        ({"stride": 2}, (None, 4, 3, 3)),
        ({"padding": "same"}, (None, 4, 8, 8)),
        ({"dilation": 2}, (None, 4, 4, 4)),
        ({"groups": 2}, (None, 4, 6, 6)),
    ],
)
def test_conv2d_geometry(options, shape):
    layer = nn.Conv2d(2, 4, 3, **options)
    assert layer(sc.input("x", (None, 2, 8, 8))).shape == shape
    assert layer.weight.shape == (4, 2 // options.get("groups", 1), 3, 3)


def test_max_pool():
    X = np.arange(16, dtype="float32").reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(nn.MaxPool2d(2).predict(X, device="reference").ravel(), [5, 7, 13, 15])


def test_global_average():
    X = rng.normal(size=(2, 3, 4, 5))
    found = nn.GlobalAvgPool2d().predict(X, device="reference")
    np.testing.assert_allclose(found, X.mean(axis=(2, 3), keepdims=True), rtol=1e-5)


def test_local_response_norm():
    X = rng.normal(size=(2, 7, 3, 3))
    squares = np.pad(X * X, ((0, 0), (2, 2), (0, 0), (0, 0)))
    energy = sum(squares[:, k : k + 7] for k in range(5)) / 5
    found = nn.LocalResponseNorm(5, alpha=0.3, beta=0.75, k=2.0).predict(X, device="reference")
    np.testing.assert_allclose(found, X / (2 + 0.3 * energy) ** 0.75, rtol=1e-5)


def test_activations():
    X = np.array([[-1.0, 0.0, 2.0]], "float32")
    np.testing.assert_array_equal(nn.ReLU().predict(X, device="reference"), [[0, 0, 2]])
    for name in nn.activation.ACTIVATIONS:
        assert np.isfinite(nn.Activation(name).predict(X, device="reference")).all()


def test_flatten():
    assert nn.Flatten().predict(np.zeros((2, 3, 4, 5)), device="reference").shape == (2, 60)


def test_dropout_drops_in_training_only():
    layer, x = nn.Dropout(0.25, seed=0), sc.input("x", (None, 1000))
    assert layer(x) is x
    run = sc.function([x], layer(x, training=True), device="reference")
    ones = np.ones((4, 1000), "float32")
    first, second = run(ones), run(ones)
    assert not np.array_equal(first, second), "every step draws another mask"
    for found in (first, second):
        assert set(np.unique(found)) == {np.float32(0), np.float32(1 / 0.75)}
        assert abs((found == 0).mean() - 0.25) < 0.03


def test_dropout_follows_its_seed():
    def draw(seed):
        x = sc.input("x", (None, 100))
        return sc.function([x], nn.Dropout(0.5, seed=seed)(x, training=True), device="reference")(np.ones((2, 100)))

    np.testing.assert_array_equal(draw(3), draw(3))
    assert not np.array_equal(draw(3), draw(4))


def test_the_same_seed_gives_the_same_weights():
    first, again, other = (nn.Conv2d(1, 4, 3, seed=s).weight.get_value() for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: nn.Conv2d(1, 2, 3, strides=2), "did you mean 'stride'"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups must divide"),
        (lambda: nn.Dense(0, 3), "in_features is a positive integer"),
        (lambda: nn.Dense(3, 2.5), "out_features is a positive integer"),
        (lambda: nn.Dropout(1.0), "rate is out of range"),
        (lambda: nn.LocalResponseNorm(0), "size is a positive integer"),
        (lambda: nn.Parallel(), "needs a branch"),
        (lambda: nn.Parallel(wide=3), "wide is no layer"),
        (lambda: nn.Activation("sigmod"), "did you mean 'sigmoid'"),
        (lambda: nn.Dense(3, 2, init="glorot"), "no initialiser"),
    ],
)
def test_complaints(make, match):
    with pytest.raises(sc.errors.InputError, match=match):
        make()
