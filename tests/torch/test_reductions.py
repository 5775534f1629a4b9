"""Reductions agree with PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from tests.torch.compare import agree, normal

AXES = [(0,), (1, 2), (0, 2), (0, 1, 2)]


@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "var", "std"])
def test_reductions(torch, name, axes, keepdims):
    x = normal(np.random.default_rng(0), 3, 4, 5)
    theirs = {
        "max": lambda x: torch.amax(x, axes, keepdims), "min": lambda x: torch.amin(x, axes, keepdims),
        "var": lambda x: torch.var(x, axes, correction=0, keepdim=keepdims),
        "std": lambda x: torch.std(x, axes, correction=0, keepdim=keepdims),
    }.get(name, lambda x: getattr(torch, name)(x, axes, keepdim=keepdims))  # fmt: skip
    dtypes = ["float64"] if keepdims else ["float32"]
    agree(torch, lambda x: getattr(sc, name)(x, axis=axes, keepdims=keepdims), theirs, x, dtypes=dtypes)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_prod(torch, axis):
    x = normal(np.random.default_rng(0), 3, 4, 2)
    x[1, 2, 0] = 0
    agree(torch, lambda x: sc.prod(x, axis=axis), lambda x: torch.prod(x, axis), x)


@pytest.mark.parametrize("axis", [0, 1, -1, None])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_positions(torch, name, axis):
    x = normal(np.random.default_rng(0), 3, 4, 5)
    agree(torch, lambda x: getattr(sc, name)(x, axis), lambda x: getattr(torch, name)(x, axis), x, dtypes=["float32"])
