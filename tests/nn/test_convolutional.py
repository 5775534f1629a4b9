"""A classifier as convolutions: the same logits at its own size, a map of them on larger images."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn

rng = np.random.default_rng(0)


def classifier(**options):
    return sc.models.vgg16((3, 64, 32), classes=5, width=1 / 64, dtype="float64", **options)


@pytest.mark.parametrize("make", [classifier, lambda: sc.models.lenet((3, 20, 24), dtype="float64")])
def test_the_same_logits(make):
    model = make()
    sweep = nn.convolutional(model)
    X = rng.normal(size=(3, *model.in_shape))
    logits = sweep.predict(X, device="reference")
    assert logits.shape[2:] == (1, 1)
    np.testing.assert_allclose(logits[:, :, 0, 0], model.predict(X, device="reference"), rtol=1e-10, atol=1e-12)
    assert [type(layer) for layer in sweep if isinstance(layer, (nn.Dense, nn.Flatten))] == []
    assert sweep.parameters().keys() == model.parameters().keys()


def test_a_map_of_logits():
    """Without padding, every logit of the map is that of the crop it was computed from."""
    model = sc.models.lenet((1, 20, 24), dtype="float64", classes=3, width=0.2)
    X = rng.normal(size=(2, 1, 28, 28))
    found = nn.convolutional(model).predict(X, device="reference")
    assert found.shape == (2, 3, 3, 2)  # the two poolings make steps of 4
    for row, column in np.ndindex(3, 2):
        crop = X[:, :, 4 * row : 4 * row + 20, 4 * column : 4 * column + 24]
        np.testing.assert_allclose(found[..., row, column], model.predict(crop, device="reference"), rtol=1e-10)


def test_batch_norm_and_its_averages_come_along():
    model = classifier(batch_norm=True)
    for state in model.states():
        state.set_value(rng.uniform(0.5, 1.5, state.shape))
    X = rng.normal(size=(1, *model.in_shape))
    found = nn.convolutional(model).predict(X, device="reference")
    np.testing.assert_allclose(found[:, :, 0, 0], model.predict(X, device="reference"), rtol=1e-9)


def test_the_classifier_stays_as_it_is():
    model = sc.models.lenet((1, 16, 16), classes=2, width=0.1)
    before = {path: p.get_value() for path, p in model.parameters().items()}
    sweep = nn.convolutional(model)
    for p in sweep.parameters():
        p.set_value(np.zeros(p.shape))
    assert all(np.array_equal(before[path], p.get_value()) for path, p in model.parameters().items())


def test_one_dense_layer():
    dense = nn.Dense(12, 5, bias=False, dtype="float64")
    convolution = nn.convolutional(dense, in_shape=(3, 2, 2))
    X = rng.normal(size=(4, 3, 2, 2))
    found = convolution.predict(X, device="reference")
    np.testing.assert_allclose(found.reshape(4, 5), X.reshape(4, 12) @ dense.weight.get_value())
    assert nn.convolutional(dense).weight.shape == (5, 12, 1, 1) and convolution.bias is None


@pytest.mark.parametrize(
    ("model", "in_shape", "what"),
    [
        (nn.ReLU(), None, "no classifier"),
        (nn.Sequential(nn.Flatten(), nn.Dense(12, 5)), None, "shape of one example is unknown"),
        (nn.Sequential(nn.ReLU()), (3, 2, 2), "no layer flattens"),
        (nn.Sequential(nn.Flatten(), nn.Dense(12, 5), nn.Softmax()), (3, 2, 2), "2 has no counterpart"),
        (nn.Sequential(nn.Flatten(), nn.LayerNorm(12)), (3, 2, 2), "1 has no counterpart"),
        (nn.Sequential(nn.Flatten(), nn.Dense(12, 5)), (3, 2, 3), "another number of features"),
        (nn.Dense(12, 5), (12,), "another number of features"),
        (nn.Dense(12, 5), (4, 2, 2), "another number of features"),
    ],
)
def test_what_cannot_be_turned(model, in_shape, what):
    with pytest.raises(sc.errors.SymcnnError, match=what):
        nn.convolutional(model, in_shape)
