"""Softmax, its relatives and the losses agree with PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from tests.torch.compare import agree, normal

SHAPES = [(4, 5), (2, 3, 4), (6,)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_softmax_family(torch, name, axis, shape):
    x = 5 * normal(np.random.default_rng(len(shape)), *shape)
    agree(torch, lambda x: getattr(sc, name)(x, axis=axis), lambda x: getattr(torch, name)(x, axis), x)


@pytest.mark.parametrize("seed", range(8))
def test_cross_entropy(torch, seed):
    rng = np.random.default_rng(seed)
    n, classes = int(rng.integers(1, 9)), int(rng.integers(2, 7))
    scale = [1, 30][seed % 2]
    agree(
        torch, sc.losses.cross_entropy, torch.nn.functional.cross_entropy,
        scale * normal(rng, n, classes), rng.integers(0, classes, n), unknown=bool(seed % 3),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_cross_entropy_written_out(torch, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, 7)
    agree(
        torch,
        lambda x: -sc.mean(sc.sum(sc.one_hot(labels, 5, x.dtype) * sc.log(sc.softmax(x)), axis=1)),
        lambda x: torch.nn.functional.cross_entropy(x, torch.tensor(labels)),
        4 * normal(rng, 7, 5),
    )


@pytest.mark.parametrize("seed", range(3))
def test_binary_cross_entropy(torch, seed):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, (6, 2)).astype("float64")
    functional = torch.nn.functional
    agree(
        torch,
        lambda z: sc.losses.binary_cross_entropy(z, sc.constant(target, z.dtype)),
        lambda z: functional.binary_cross_entropy_with_logits(z, torch.tensor(target, dtype=z.dtype)),
        10 * normal(rng, 6, 2),
    )
    agree(
        torch,
        lambda p: sc.losses.binary_cross_entropy(p, sc.constant(target, p.dtype), from_logits=False),
        lambda p: functional.binary_cross_entropy(p, torch.tensor(target, dtype=p.dtype)),
        rng.uniform(0.05, 0.95, (6, 2)),
    )


@pytest.mark.parametrize("seed", range(3))
def test_squared_error_and_huber(torch, seed):
    rng = np.random.default_rng(seed)
    pair = 2 * normal(rng, 5, 3), normal(rng, 5, 3)
    agree(torch, sc.losses.squared_error, torch.nn.functional.mse_loss, *pair)
    agree(
        torch,
        lambda a, b: sc.losses.huber(a, b, 0.7),
        lambda a, b: torch.nn.functional.huber_loss(a, b, delta=0.7),
        *pair,
    )


@pytest.mark.parametrize("seed", range(3))
def test_hinge(torch, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, 6)
    agree(
        torch, sc.losses.hinge, lambda y, t: 4 * torch.nn.functional.multi_margin_loss(y, t), normal(rng, 6, 4), labels
    )  # PyTorch divides by the number of classes
