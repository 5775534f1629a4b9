"""Losses against formulas in NumPy float64, against PyTorch, and at extreme values."""

import numpy as np
import pytest

import symcnn as sc

rng = np.random.default_rng(0)


def value(loss, *arrays, **options):
    """The loss and its gradient with respect to the first array."""
    inputs = [sc.input(f"a{i}", (None, *a.shape[1:]), a.dtype) for i, a in enumerate(arrays)]
    cost = loss(*inputs, **options)
    return sc.function(inputs, [cost, sc.grad(cost, inputs[0])], device="reference")(*arrays)


def torch_value(loss, prediction, target):
    torch = pytest.importorskip("torch")
    z = torch.tensor(prediction, requires_grad=True)
    cost = loss(z, torch.tensor(target))
    cost.backward()
    return cost.item(), z.grad.numpy()


@pytest.mark.parametrize(
    ("ours", "options", "theirs", "binary"),
    [
        (sc.losses.squared_error, {}, "mse_loss", False),
        (sc.losses.huber, {}, "huber_loss", False),
        (sc.losses.binary_cross_entropy, {}, "binary_cross_entropy_with_logits", True),
    ],
)
def test_like_torch_elementwise(ours, options, theirs, binary):
    functional = pytest.importorskip("torch.nn.functional")
    y = rng.normal(0, 2, (6, 5))
    t = rng.integers(0, 2, (6, 5)).astype(float) if binary else rng.normal(0, 2, (6, 5))
    for found, expected in zip(
        value(ours, y, t, **options), torch_value(getattr(functional, theirs), y, t), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_binary_cross_entropy_of_probabilities():
    functional = pytest.importorskip("torch.nn.functional")
    p, t = rng.uniform(0.05, 0.95, (6, 5)), rng.integers(0, 2, (6, 5)).astype(float)
    found = value(sc.losses.binary_cross_entropy, p, t, from_logits=False)
    for a, b in zip(found, torch_value(functional.binary_cross_entropy, p, t), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    certain = value(sc.losses.binary_cross_entropy, np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]), from_logits=False)[
        0
    ]
    assert certain == 0


@pytest.mark.parametrize("shape", [(6, 5), (2, 5, 3, 4)])
def test_cross_entropy_like_torch(shape):
    functional = pytest.importorskip("torch.nn.functional")
    z, t = rng.normal(0, 3, shape), rng.integers(0, 5, (shape[0], *shape[2:]))
    for a, b in zip(value(sc.losses.cross_entropy, z, t), torch_value(functional.cross_entropy, z, t), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("size", [1e3, 1e30])
def test_cross_entropy_of_huge_logits(size):
    z = np.array([[size, 0, -size], [-size, 0, size]], "float32")
    loss, gradient = value(sc.losses.cross_entropy, z, np.array([0, 0]))
    np.testing.assert_allclose(loss, size, rtol=1e-6)
    np.testing.assert_allclose(gradient, [[0, 0, 0], [-0.5, 0, 0.5]], atol=1e-7)


def test_binary_cross_entropy_of_huge_logits():
    z, t = np.array([[1e3, -1e3]], "float32"), np.array([[0.0, 1.0]], "float32")
    loss, gradient = value(sc.losses.binary_cross_entropy, z, t)
    assert loss == 1000
    np.testing.assert_allclose(gradient, [[0.5, -0.5]])


def test_hinge_multi_class():
    y, t = rng.normal(0, 2, (7, 4)), rng.integers(0, 4, 7)
    margins = np.maximum(0, 1 + y - y[np.arange(7), t][:, None])
    margins[np.arange(7), t] = 0
    np.testing.assert_allclose(value(sc.losses.hinge, y, t)[0], margins.sum(axis=1).mean(), rtol=1e-12)


def test_hinge_binary():
    y, t = rng.normal(0, 2, 9), rng.choice([-1.0, 1.0], 9)
    loss, gradient = value(sc.losses.hinge, y, t)
    np.testing.assert_allclose(loss, np.maximum(0, 1 - t * y).mean(), rtol=1e-12)
    np.testing.assert_allclose(gradient, np.where(t * y < 1, -t, 0) / 9, rtol=1e-12)


def test_huber_delta():
    y, t = rng.normal(0, 5, 50), np.zeros(50)
    size = np.abs(y)
    expected = np.where(size <= 2, size**2 / 2, 2 * (size - 1)).mean()
    np.testing.assert_allclose(value(sc.losses.huber, y, t, delta=2.0)[0], expected, rtol=1e-12)


@pytest.mark.parametrize(
    "loss", [sc.losses.squared_error, sc.losses.huber, sc.losses.binary_cross_entropy, sc.losses.hinge]
)
@pytest.mark.parametrize("shape", [(None,), (None, 4), (None, 1, 3)])
def test_shapes_are_not_broadcast(loss, shape):
    with pytest.raises(sc.errors.ShapeError, match="differ in shape"):
        loss(sc.input("y", (None, 3)), sc.input("t", shape))


def test_labels_must_be_integers():
    z, t = sc.input("z", (None, 3)), sc.input("t", (None,))
    with pytest.raises(sc.errors.DTypeError):
        sc.losses.cross_entropy(z, t)


@pytest.mark.parametrize("label", [-1, 3, 2**40])
def test_labels_out_of_range(label):
    with pytest.raises(sc.errors.SymcnnError):
        value(sc.losses.cross_entropy, np.zeros((2, 3), "float32"), np.array([0, label]))
