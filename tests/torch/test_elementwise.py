"""Activations and elementwise functions agree with PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from tests.torch.compare import agree, normal

ACTIVATIONS = {
    "relu": "relu", "leaky_relu": "leaky_relu", "elu": "elu", "selu": "selu", "softplus": "softplus", "gelu": "gelu", "silu": "silu",
}  # fmt: skip
FUNCTIONS = ["exp", "expm1", "sin", "cos", "tanh", "sigmoid", "arctan", "sinh", "cosh", "erf", "square", "abs", "exp2"]
POSITIVE = ["log", "log1p", "log2", "log10", "sqrt", "reciprocal"]
BINARY = ["add", "subtract", "multiply", "maximum", "minimum", "logaddexp"]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(torch, name):
    x = 3 * normal(np.random.default_rng(0), 5, 6)
    agree(torch, getattr(sc, name), getattr(torch.nn.functional, ACTIVATIONS[name]), x)


def test_gelu_by_tanh(torch):
    x = 3 * normal(np.random.default_rng(0), 5, 6)
    agree(torch, lambda x: sc.gelu(x, "tanh"), lambda x: torch.nn.functional.gelu(x, approximate="tanh"), x)


@pytest.mark.parametrize("name", FUNCTIONS + POSITIVE)
def test_functions(torch, name):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.2, 3, (4, 5)) if name in POSITIVE else 2 * normal(rng, 4, 5)
    agree(torch, getattr(sc, name), getattr(torch, name), x)


@pytest.mark.parametrize("name", BINARY)
def test_binary_functions_with_broadcasting(torch, name):
    rng = np.random.default_rng(0)
    agree(torch, getattr(sc, name), getattr(torch, name), normal(rng, 3, 1, 4), normal(rng, 5, 1))


def test_power_divide_where_clip(torch):
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0.5, 2, (4, 3)), normal(rng, 3)
    agree(torch, sc.power, torch.pow, a, b)
    agree(torch, sc.divide, torch.divide, b, a)
    agree(torch, lambda a, b: sc.where(a > 1, a * b, b), lambda a, b: torch.where(a > 1, a * b, b), a, b)
    agree(torch, lambda a: sc.clip(a, 0.7, 1.5), lambda a: torch.clip(a, 0.7, 1.5), a)
    agree(torch, lambda a: sc.max(sc.maxout(a, 2, axis=0)), lambda a: torch.amax(a), a)
