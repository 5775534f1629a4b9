"""Cross-entropy against PyTorch over all combinations of its options, by hand where PyTorch has none, and at extremes."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS
from tests.losses.compare import assert_equal, torch_value, value

rng = np.random.default_rng(0)
CLASSES = 5
WEIGHTS = np.array([0.5, 2, 0, 1.5, 1])
SHAPES = [(6, CLASSES), (2, CLASSES, 3, 4)]


def distributions(*shape):
    t = rng.uniform(size=shape)
    return t / t.sum(axis=1, keepdims=True)


def labels_for(shape, ignore_index=None):
    labels = rng.integers(0, CLASSES, (shape[0], *shape[2:]))
    labels.flat[0] = 1  # of which no weight is 0
    if ignore_index is not None:
        labels.flat[1:3] = ignore_index
    return labels


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("ignore_index", [None, -100, 2, 255])
@pytest.mark.parametrize("weighted", [False, True])
def test_integer_labels_like_torch(torch, weighted, ignore_index, smoothing, reduction, shape, dtype):
    z, t = rng.normal(0, 3, shape).astype(dtype), labels_for(shape, ignore_index)
    options = {"label_smoothing": smoothing, "reduction": reduction}
    if ignore_index is not None:
        options["ignore_index"] = ignore_index
    theirs = {"weight": torch.tensor(WEIGHTS.astype(dtype))} if weighted else {}
    assert_equal(
        value(sc.losses.cross_entropy, z, t, weights=WEIGHTS if weighted else None, **options),
        torch_value(torch, torch.nn.functional.cross_entropy, z, t, **theirs, **options),
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_distributions_like_torch(torch, weighted, smoothing, reduction, shape, dtype):
    z, t = rng.normal(0, 3, shape).astype(dtype), distributions(*shape).astype(dtype)
    options = {"label_smoothing": smoothing, "reduction": reduction}
    theirs = {"weight": torch.tensor(WEIGHTS.astype(dtype))} if weighted else {}
    assert_equal(
        value(sc.losses.cross_entropy, z, t, weights=WEIGHTS if weighted else None, **options),
        torch_value(torch, torch.nn.functional.cross_entropy, z, t, **theirs, **options),
    )


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_kullback_leibler_like_torch(torch, shape, reduction):
    z, t = rng.normal(0, 3, shape), distributions(*shape)
    t[0] = 0
    t[0, 2] = 1  # zeros contribute nothing

    def theirs(z, t):
        terms = torch.nn.functional.kl_div(torch.log_softmax(z, 1), t, reduction="none").sum(1)
        return terms.mean() if reduction == "mean" else terms

    assert_equal(value(sc.losses.kullback_leibler, z, t, reduction=reduction), torch_value(torch, theirs, z, t))


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("soft", [False, True])
def test_backends_agree(device, soft):
    shape = (2, CLASSES, 3, 4)
    Z = rng.normal(0, 3, shape).astype("float32")
    T = distributions(*shape).astype("float32") if soft else labels_for(shape, 255).astype("uint8")
    z, t = sc.input("z", (None, *shape[1:])), sc.input("t", (None, *T.shape[1:]), T.dtype)
    options = {} if soft else {"ignore_index": 255}
    cost = sc.losses.cross_entropy(z, t, weights=WEIGHTS, label_smoothing=0.1, **options)
    found = sc.function([z, t], [cost, sc.grad(cost, z)], device=device)(Z, T)
    exact = value(sc.losses.cross_entropy, Z.astype("float64"), T, weights=WEIGHTS, label_smoothing=0.1, **options)
    for a, b in zip(found, exact, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-7)


def test_a_one_hot_target_is_its_label():
    z, t = rng.normal(0, 3, (6, CLASSES)), labels_for((6, CLASSES))
    for a, b in zip(
        value(sc.losses.cross_entropy, z, t), value(sc.losses.cross_entropy, z, np.eye(CLASSES)[t]), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_booleans_are_one_hot_too():
    z, hot = rng.normal(0, 3, (6, CLASSES)), np.eye(CLASSES)[labels_for((6, CLASSES))]
    assert value(sc.losses.cross_entropy, z, hot > 0)[0] == value(sc.losses.cross_entropy, z, hot)[0]


@pytest.mark.parametrize("size", [1e3, 1e30])
@pytest.mark.parametrize("smoothing", [0, 0.3])
def test_huge_logits(size, smoothing):
    z = np.array([[size, 0, -size], [-size, 0, size]], "float32")
    loss, gradient = value(sc.losses.cross_entropy, z, np.array([0, 0]), label_smoothing=smoothing)
    # The first row loses 0 and the second 2 size; spread evenly over the classes, each loses size on average.
    np.testing.assert_allclose(loss, (1 - smoothing) * size + smoothing * size, rtol=1e-6)
    exact = (np.array([[1, 0, 0], [0, 0, 1]]) - (1 - smoothing) * np.array([[1, 0, 0], [1, 0, 0]]) - smoothing / 3) / 2
    np.testing.assert_allclose(gradient, exact, atol=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0, 0.1])
def test_a_batch_of_which_all_is_ignored_has_loss_0(weighted, smoothing):
    options = {"weights": WEIGHTS if weighted else None, "label_smoothing": smoothing}
    loss, gradient = value(sc.losses.cross_entropy, np.ones((2, CLASSES)), np.array([9, 9]), ignore_index=9, **options)
    assert loss == 0
    np.testing.assert_array_equal(gradient, np.zeros((2, CLASSES)))


def test_weights_may_be_a_variable():
    w, z, t = sc.input("w", (CLASSES,), "float64"), sc.input("z", (None, CLASSES)), sc.input("t", (None,), "int64")
    cost = sc.losses.cross_entropy(z, t, weights=w)
    assert cost.dtype == np.float32
    Z, T = rng.normal(size=(6, CLASSES)).astype("float32"), labels_for((6, CLASSES))
    found = sc.function([w, z, t], cost, device="reference")(WEIGHTS, Z, T)
    np.testing.assert_allclose(found, value(sc.losses.cross_entropy, Z, T, weights=WEIGHTS)[0], rtol=1e-6)


def test_labels_must_be_integers_or_distributions():
    z, t = sc.input("z", (None, 3)), sc.input("t", (None,))
    with pytest.raises(sc.errors.DTypeError):
        sc.losses.cross_entropy(z, t)
    with pytest.raises(sc.errors.ShapeError, match="differ in shape"):
        sc.losses.cross_entropy(z, sc.input("t", (None, 4)))


@pytest.mark.parametrize("label", [-1, 3, 2**40])
@pytest.mark.parametrize("options", [{}, {"ignore_index": 7}, {"weights": [1, 2, 3]}], ids=str)
def test_labels_out_of_range(label, options):
    with pytest.raises(sc.errors.InputError, match="out of range"):
        value(sc.losses.cross_entropy, np.zeros((2, 3), "float32"), np.array([0, label]), **options)
