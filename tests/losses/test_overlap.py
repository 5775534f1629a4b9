"""Dice and intersection over union against loops over classes in float64."""

import numpy as np
import pytest

import symcnn as sc
from tests.losses.compare import value

rng = np.random.default_rng(0)
CLASSES = 3


def expected(name, z, masks, kept, smooth):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    losses = []
    for c in range(CLASSES):
        a, b = p[:, c][kept], masks[:, c][kept]
        both = (a * b).sum()
        if name == "dice":
            losses.append(1 - (2 * both + smooth) / (a.sum() + b.sum() + smooth))
        else:
            losses.append(1 - (both + smooth) / (a.sum() + b.sum() - both + smooth))
    return np.mean(losses)


@pytest.mark.parametrize("name", ["dice", "iou"])
@pytest.mark.parametrize("smooth", [1.0, 0.25])
@pytest.mark.parametrize("ignore_index", [None, 255, 0])
def test_integer_labels(name, smooth, ignore_index):
    z, labels = rng.normal(0, 2, (2, CLASSES, 4, 5)), rng.integers(0, CLASSES, (2, 4, 5))
    if ignore_index is not None:
        labels[0, :2] = ignore_index
    masks = np.stack([labels == c for c in range(CLASSES)], axis=1).astype(float)
    kept = labels != ignore_index if ignore_index is not None else np.ones(labels.shape, bool)
    found = value(getattr(sc.losses, name), z, labels, smooth=smooth, ignore_index=ignore_index)[0]
    np.testing.assert_allclose(found, expected(name, z, masks, kept, smooth), rtol=1e-12)


@pytest.mark.parametrize("name", ["dice", "iou"])
def test_masks(name):
    z, masks = rng.normal(0, 2, (2, CLASSES, 4)), rng.uniform(size=(2, CLASSES, 4))
    found = value(getattr(sc.losses, name), z, masks)[0]
    np.testing.assert_allclose(found, expected(name, z, masks, np.ones((2, 4), bool), 1.0), rtol=1e-12)


@pytest.mark.parametrize("name", ["dice", "iou"])
def test_derivatives(name):
    z, t = sc.input("z", (2, CLASSES, 4), "float64"), sc.input("t", (2, 4), "int64")
    values = {z: rng.normal(size=z.shape), t: rng.integers(0, CLASSES, t.shape)}
    sc.check_grad(getattr(sc.losses, name)(z, t), z, values=values)


@pytest.mark.parametrize("name", ["dice", "iou"])
def test_a_batch_of_which_all_is_ignored(name):
    loss, gradient = value(getattr(sc.losses, name), np.ones((1, CLASSES, 2)), np.full((1, 2), 9), ignore_index=9)
    assert loss == 0
    np.testing.assert_array_equal(gradient, 0)


def test_refusals():
    z = sc.input("z", (None, CLASSES, 4))
    for loss in (sc.losses.dice, sc.losses.iou):
        with pytest.raises(sc.ShapeError, match="differ in shape"):
            loss(z, sc.input("t", (None, 5), "int64"))
        with pytest.raises(sc.InputError, match="smooth"):
            loss(z, sc.input("t", (None, 4), "int64"), smooth=-1)
        with pytest.raises(sc.ShapeError, match="always 1"):
            loss(sc.input("z", (None, 1, 4)), sc.input("t", (None, 4), "int64"))
