"""Normalisation layers agree with PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from tests.torch.compare import agree, normal


@pytest.mark.parametrize("seed", range(6))
def test_batch_norm(torch, seed):
    rng = np.random.default_rng(seed)
    shape = [(4, 3, 5, 6), (6, 4), (3, 2, 7)][seed % 3]
    agree(
        torch,
        lambda x, g, b: sc.batch_norm(x, g, b),
        lambda x, g, b: torch.nn.functional.batch_norm(x, None, None, g, b, training=True),
        2 * normal(rng, *shape) + 1, normal(rng, shape[1]), normal(rng, shape[1]),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_batch_norm_with_running_averages(torch, seed):
    rng = np.random.default_rng(seed)
    shape = [(4, 3, 5, 6), (6, 3)][seed % 2]
    mean, variance = normal(rng, 3), rng.uniform(0.5, 2, 3)
    agree(
        torch,
        lambda x, g, b: sc.batch_norm(x, g, b, *(sc.constant(v, x.dtype) for v in (mean, variance))),
        lambda x, g, b: torch.nn.functional.batch_norm(x, *(torch.tensor(v, dtype=x.dtype) for v in (mean, variance)), g, b),
        normal(rng, *shape), normal(rng, 3), normal(rng, 3),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_layer_norm(torch, seed):
    rng = np.random.default_rng(seed)
    shape = [(5, 8), (2, 3, 6)][seed % 2]
    agree(
        torch,
        lambda x, g, b: sc.layer_norm(x, g, b),
        lambda x, g, b: torch.nn.functional.layer_norm(x, shape[-1:], g, b),
        3 * normal(rng, *shape) - 1, normal(rng, shape[-1]), normal(rng, shape[-1]),
    )  # fmt: skip


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm(torch, groups):
    rng = np.random.default_rng(groups)
    agree(
        torch,
        lambda x, g, b: sc.group_norm(x, groups, g, b),
        lambda x, g, b: torch.nn.functional.group_norm(x, groups, g, b),
        normal(rng, 2, 6, 4, 3), normal(rng, 6), normal(rng, 6),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_instance_norm(torch, seed):
    x = normal(np.random.default_rng(seed), 2, 3, 4, 5)
    agree(torch, sc.instance_norm, torch.nn.functional.instance_norm, x)


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_lrn(torch, size):
    """Odd sizes only: an even window leans to the other side in ONNX, which decides here."""
    x = normal(np.random.default_rng(size), 2, 6, 4, 3)
    agree(
        torch,
        lambda x: sc.lrn(x, size, alpha=0.5, beta=0.75, k=1.5),
        lambda x: torch.nn.functional.local_response_norm(x, size, alpha=0.5, beta=0.75, k=1.5),
        x,
    )
