"""Normalisation of examples by themselves, against PyTorch and NumPy; the same in training and evaluation."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from tests.nn.compare import agree, randomize

rng = np.random.default_rng(0)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("ours", "theirs", "shape"),
    [
        (lambda d: nn.LayerNorm(6, dtype=d), lambda t: t.LayerNorm(6), (5, 6)),
        (lambda d: nn.LayerNorm((3, 4), epsilon=0.1, dtype=d), lambda t: t.LayerNorm((3, 4), eps=0.1), (2, 5, 3, 4)),
        (lambda d: nn.GroupNorm(2, 6, dtype=d), lambda t: t.GroupNorm(2, 6), (2, 6, 3, 4)),
        (lambda d: nn.GroupNorm(3, 6, epsilon=0.1, dtype=d), lambda t: t.GroupNorm(3, 6, eps=0.1), (2, 6, 5)),
        (lambda d: nn.GroupNorm(1, 6, dtype=d), lambda t: t.GroupNorm(1, 6), (4, 6)),
        (lambda d: nn.InstanceNorm(3, dtype=d), lambda t: t.InstanceNorm2d(3, affine=True), (2, 3, 4, 5)),
        (
            lambda d: nn.InstanceNorm(3, epsilon=0.1, dtype=d),
            lambda t: t.InstanceNorm1d(3, 0.1, affine=True),
            (2, 3, 7),
        ),
    ],
)
def test_agree_with_torch(torch, ours, theirs, shape, dtype, training):
    agree(torch, randomize(ours(dtype), rng), theirs(torch.nn), 3 * rng.normal(size=shape) + 1, training=training)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (nn.LayerNorm((4, 3, 3), affine=False), lambda t: t.LayerNorm((4, 3, 3), elementwise_affine=False)),
        (nn.GroupNorm(2, 4, affine=False), lambda t: t.GroupNorm(2, 4, affine=False)),
        (nn.InstanceNorm(4, affine=False), lambda t: t.InstanceNorm2d(4)),
    ],
)
def test_without_scale_and_shift(torch, ours, theirs):
    assert not ours.parameters()
    agree(torch, ours, theirs(torch.nn), rng.normal(size=(2, 4, 3, 3)))


def test_local_response_norm():
    X = rng.normal(size=(2, 7, 3, 3))
    squares = np.pad(X * X, ((0, 0), (2, 2), (0, 0), (0, 0)))
    energy = sum(squares[:, k : k + 7] for k in range(5)) / 5
    found = nn.LocalResponseNorm(5, alpha=0.3, beta=0.75, k=2.0).predict(X, device="reference")
    np.testing.assert_allclose(found, X / (2 + 0.3 * energy) ** 0.75, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: nn.LayerNorm(()), "has no axis"),
        (lambda: nn.LayerNorm((3, 0)), "shape is a positive integer"),
        (lambda: nn.LayerNorm(3, epsilon=-1), "out of range"),
        (lambda: nn.GroupNorm(4, 6), "groups must divide"),
        (lambda: nn.InstanceNorm(2.0), "channels is a positive integer"),
        (lambda: nn.LocalResponseNorm(0), "size is a positive integer"),
        (lambda: nn.LocalResponseNorm(5, alpha="1"), "alpha is no number"),
    ],
)
def test_complaints(make, match):
    with pytest.raises(sc.errors.InputError, match=match):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "match"),
    [
        (nn.LayerNorm(3), (None, 4), "takes other inputs"),
        (nn.LayerNorm(3), (3,), "takes other inputs"),
        (nn.LayerNorm((2, 3)), (None, 3, 2), "takes other inputs"),
        (nn.GroupNorm(2, 4), (None, 5, 5, 4), "look like"),
        (nn.InstanceNorm(4), (None, 4), "needs pixels"),
    ],
)
def test_other_inputs(layer, shape, match):
    with pytest.raises(sc.errors.ShapeError, match=match):
        layer(sc.input("x", shape))


def test_description():
    assert repr(nn.LayerNorm(3)) == "LayerNorm(3)"
    assert repr(nn.LayerNorm((3, 4), affine=False)) == "LayerNorm((3, 4), affine=False)"
    assert repr(nn.GroupNorm(2, 4, epsilon=0.1)) == "GroupNorm(2, 4, epsilon=0.1)"
    assert repr(nn.LocalResponseNorm(5)) == "LocalResponseNorm(5, alpha=0.0001, beta=0.75, k=1)"
