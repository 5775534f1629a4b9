"""Networks trained through the GPU's runtime, whose queues move as they like, learn what they learn on the CPU."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.cuda import backend, gpus
from symcnn.backends.cuda.array import DeviceArray, to_device
from symcnn.backends.cuda.launch import SIMULATED
from tests.backends.cuda.test_driver import fake, make  # noqa: F401


@pytest.fixture(params=[None, 0])
def gpu(request, make, monkeypatch):  # noqa: F811
    """What device="cuda" means."""
    found = make(request.param)
    found.geometry = SIMULATED
    monkeypatch.setattr(gpus, "_opened", {0: found})
    monkeypatch.setattr(backend, "_opened", {})
    monkeypatch.setattr(sc.config, "simulate_cuda", False)
    return found


def training(device):
    """A step of a small network, and its parameters."""
    rng = np.random.default_rng(0)
    x, t = sc.input("x", (None, 5)), sc.input("t", (None,), "int64")
    w = sc.shared(rng.normal(size=(5, 4)).astype("float32"))
    b = sc.shared(np.zeros(4, "float32"))
    cost = sc.mean(sc.losses.cross_entropy(sc.tanh(x @ w + b), t))
    updates = {p: p - 0.5 * g for p, g in zip((w, b), sc.grad(cost, [w, b]), strict=True)}
    return sc.function([x, t], cost, updates=updates, device=device), (w, b)


def batches(count):
    rng = np.random.default_rng(1)
    for _ in range(count):
        yield rng.normal(size=(3, 5)).astype("float32"), rng.integers(0, 4, 3)


def test_training(gpu):
    (step, parameters), (expected, same) = training("cuda"), training("cpu")
    for number, (x, t) in enumerate(batches(6)):
        given = (x.copy(), t.copy())
        if number == 2:  # arrays that are on the device
            given = tuple(to_device(array, gpu) for array in given)
        if number == 3:  # a change from outside
            for one, other in zip(parameters, same, strict=True):
                one.set_value(one.get_value() * 2)
                other.set_value(other.get_value() * 2)
        loss = step(*given)
        assert isinstance(loss, DeviceArray) == (number == 2)
        np.testing.assert_allclose(float(loss), float(expected(x, t)), rtol=1e-5)
    for one, other in zip(parameters, same, strict=True):
        np.testing.assert_allclose(one.get_value(), other.get_value(), rtol=1e-5, atol=1e-6)
    assert fake(gpu).calls.count("cuGraphLaunch") == 6


def test_losses_that_nobody_waits_for(gpu):
    (step, _), (expected, _) = training("cuda"), training("cpu")
    pairs = list(batches(5))
    losses = [step(to_device(x, gpu), to_device(t, gpu)) for x, t in pairs]
    np.testing.assert_allclose([float(loss) for loss in losses], [float(expected(x, t)) for x, t in pairs], rtol=1e-5)
