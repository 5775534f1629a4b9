"""Binary cross-entropy against PyTorch, with weights of classes, and at extreme values."""

import numpy as np
import pytest

import symcnn as sc
from tests.losses.compare import assert_equal, torch_value, value

rng = np.random.default_rng(0)
WEIGHTS, POSITIVE = np.array([0.5, 2, 1.5]), np.array([3, 0.25, 1])


def spread(weights, ndim):
    """Weights of classes as PyTorch broadcasts them, from the last axis."""
    return weights.reshape(-1, *(1,) * (ndim - 2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("positive", [None, 2.5, POSITIVE], ids=["equal", "one", "per class"])
@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("soft", [False, True])
def test_like_torch(torch, shape, positive, weighted, reduction, dtype, soft):
    z = rng.normal(0, 3, shape).astype(dtype)
    t = (rng.uniform(size=shape) if soft else rng.integers(0, 2, shape)).astype(dtype)
    ours = {"reduction": reduction, "weights": WEIGHTS if weighted else None, "pos_weight": positive}
    theirs = {"reduction": reduction}
    if weighted:
        theirs["weight"] = torch.tensor(spread(WEIGHTS, z.ndim).astype(dtype))
    if positive is not None:
        wide = np.full(1, positive) if np.ndim(positive) == 0 else spread(POSITIVE, z.ndim)
        theirs["pos_weight"] = torch.tensor(wide.astype(dtype))
    assert_equal(
        value(sc.losses.binary_cross_entropy, z, t, **ours),
        torch_value(torch, torch.nn.functional.binary_cross_entropy_with_logits, z, t, **theirs),
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_of_probabilities(torch, weighted):
    p, t = rng.uniform(0.05, 0.95, (6, 3)), rng.integers(0, 2, (6, 3)).astype(float)
    found = value(sc.losses.binary_cross_entropy, p, t, from_logits=False, weights=WEIGHTS if weighted else None)
    theirs = {"weight": torch.tensor(WEIGHTS)} if weighted else {}
    assert_equal(found, torch_value(torch, torch.nn.functional.binary_cross_entropy, p, t, **theirs))


def test_of_probabilities_with_a_weight_of_the_positive():
    p, t = rng.uniform(0.05, 0.95, (6, 3)), rng.integers(0, 2, (6, 3)).astype(float)
    expected = -(POSITIVE * t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    found = value(sc.losses.binary_cross_entropy, p, t, from_logits=False, pos_weight=POSITIVE)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_certain_probabilities():
    p = np.array([[0.0, 1.0]])
    assert value(sc.losses.binary_cross_entropy, p, p, from_logits=False)[0] == 0
    assert value(sc.losses.binary_cross_entropy, p, 1 - p, from_logits=False)[0] == 100


@pytest.mark.parametrize("positive", [None, 2])
def test_huge_logits(positive):
    z, t = np.array([[1e3, -1e3]], "float32"), np.array([[0.0, 1.0]], "float32")
    loss, gradient = value(sc.losses.binary_cross_entropy, z, t, pos_weight=positive)
    assert loss == (1000 if positive is None else 1500)
    np.testing.assert_allclose(gradient, [[0.5, -0.5 * (positive or 1)]])
    assert value(sc.losses.binary_cross_entropy, z, 1 - t, pos_weight=positive)[0] == 0


def test_weights_may_be_variables():
    z, t = sc.input("z", (None, 3)), sc.input("t", (None, 3))
    w, p = sc.shared(WEIGHTS, "w"), sc.shared(POSITIVE, "p")
    Z, T = rng.normal(size=(4, 3)).astype("float32"), rng.integers(0, 2, (4, 3)).astype("float32")
    given, fixed = (
        sc.function([z, t], sc.losses.binary_cross_entropy(z, t, weights=a, pos_weight=b), device="reference")(Z, T)
        for a, b in ((w, p), (WEIGHTS, POSITIVE))
    )
    np.testing.assert_allclose(given, fixed, rtol=1e-6)
