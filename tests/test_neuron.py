"""The sigmoid neuron of the lecture, on every backend: one circuit, forward and backward."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS

W, X = (2.0, -3.0, -3.0), (-1.0, -2.0)


def neuron():
    w = [sc.input(f"w{k}", ()) for k in range(3)]
    x = [sc.input(f"x{k}", ()) for k in range(2)]
    f = 1 / (1 + sc.exp(-(w[0] * x[0] + w[1] * x[1] + w[2])))
    return w, x, f


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("mode", ["fast", "debug"])
def test_value_and_gradients(device, mode):
    w, x, f = neuron()
    outputs = [f, *sc.grad(f, [w[0], x[0], w[1], x[1], w[2]])]
    found = sc.function([*w, *x], outputs, device=device, mode=mode)(*W, *X)
    assert [round(float(v), 2) for v in found] == [0.73, -0.20, 0.39, -0.39, -0.59, 0.20]


@pytest.mark.parametrize("device", BACKENDS)
def test_it_learns(device):
    """Steps against the gradient bring the neuron to the answer it is asked for."""
    weights = [sc.shared(np.float32(v), f"w{k}") for k, v in enumerate(W)]
    f = 1 / (1 + sc.exp(-(weights[0] * X[0] + weights[1] * X[1] + weights[2])))
    error = sc.square(f - 0.1)
    updates = {w: w - g for w, g in zip(weights, sc.grad(error, weights), strict=True)}
    step = sc.function([], f, updates=updates, device=device)
    answers = [float(step()) for _ in range(300)]
    assert round(answers[0], 2) == 0.73
    assert abs(answers[-1] - 0.1) < 0.02


def test_the_whole_circuit_is_one_kernel():
    w, x, f = neuron()
    step = sc.function([*w, *x], [f, *sc.grad(f, [*w, *x])])
    (kernel,) = step.kernels
    assert "sigmoid" in kernel.name
    assert "exp" not in kernel.ops  # 1 / (1 + exp(-x)) is recognised
