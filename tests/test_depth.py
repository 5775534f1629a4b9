"""Depth costs time, not recursion: deep and wide graphs under the default recursion limit."""

import sys
import time

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.printer import print_graph

RNG = np.random.default_rng(0)
BATCH = RNG.normal(size=(4, 8)).astype("float32")


@pytest.fixture(autouse=True)
def default_recursion_limit():
    assert sys.getrecursionlimit() == 1000


def weight(name):
    """Orthogonal, so that neither the signal nor its gradient vanishes."""
    q, _ = np.linalg.qr(RNG.normal(size=(8, 8)))
    return sc.shared(q.astype("float32"), name)


@pytest.mark.parametrize("shared", [True, False], ids=["one weight", "a weight per layer"])
def test_a_thousand_layers(shared):
    start = time.perf_counter()
    x = sc.input("x", (None, 8))
    weights = [weight("w")] * 1000 if shared else [weight(f"w{k}") for k in range(1000)]
    h = x
    for w in weights:
        h = sc.tanh(h @ w)
    cost = sc.sum(sc.square(h))
    parameters = list(dict.fromkeys(weights))
    gradients = sc.grad(cost, parameters)
    updates = {w: w - 0.1 * g for w, g in zip(parameters, gradients, strict=True)}
    old = [w.get_value() for w in weights]
    step = sc.function([x], cost, updates=updates)
    found = step(BATCH)
    assert time.perf_counter() - start < 30

    values = [BATCH.astype("float64")]
    for w in old:
        values.append(np.tanh(values[-1] @ w))
    np.testing.assert_allclose(found, np.square(values[-1]).sum(), rtol=1e-4)
    ct, expected = 2 * values[-1], dict.fromkeys(parameters, 0.0)
    for w, before, h, below in zip(weights[::-1], old[::-1], values[:0:-1], values[-2::-1], strict=True):
        ct = ct * (1 - h * h)
        expected[w] = expected[w] + below.T @ ct
        ct = ct @ before.T
    for w, before in dict(zip(weights, old, strict=True)).items():
        np.testing.assert_allclose(w.get_value(), before - 0.1 * expected[w], rtol=1e-4, atol=1e-5)


def test_a_thousand_layers_on_the_reference():
    x, w = sc.input("x", (None, 8)), weight("w")
    h = x
    for _ in range(1000):
        h = sc.tanh(h @ w)
    f = sc.function([x], sc.grad(sc.sum(h), x), device="reference")
    assert np.isfinite(f(BATCH)).all()


def test_a_long_elementwise_chain():
    start = time.perf_counter()
    x = sc.input("x", (None, 8))
    h, expected = x, BATCH.astype("float64")
    for k in range(3000):
        h = sc.sin(h) * 0.99 + x * 0.01 if k % 3 else sc.tanh(h)
        expected = np.sin(expected) * 0.99 + BATCH * 0.01 if k % 3 else np.tanh(expected)
    f = sc.function([x], [h, sc.grad(sc.sum(h), x)])
    value, gradient = f(BATCH)
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    assert np.isfinite(gradient).all()
    assert time.perf_counter() - start < 30
    assert len(print_graph(f.phases[-1].outputs).splitlines()) > 3000
    assert len(str(f.stages["nests"])) < 5_000_000


def test_a_wide_fan_out():
    """One Variable read a thousand times, and a sum of a thousand terms."""
    x = sc.input("x", (None, 8))
    scales = [sc.shared(np.float32(k / 500 - 1), f"s{k}") for k in range(1000)]
    total = sum(sc.sin(x * s) for s in scales)
    f = sc.function([x], [total, sc.grad(sc.sum(total), x)])
    value, gradient = f(BATCH)
    X, S = BATCH[..., None].astype("float64"), np.array([s.get_value() for s in scales])
    np.testing.assert_allclose(value, np.sin(X * S).sum(-1), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(gradient, (S * np.cos(X * S)).sum(-1), rtol=1e-4, atol=1e-2)


def test_sharing_is_not_expanded():
    """h * tanh(h) sixty times: 2^60 paths, sixty Variables."""
    x = sc.input("x", (None,), "float64")
    h = x
    for _ in range(60):
        h = sc.tanh(h) * h + 0.5
    f = sc.function([x], [h, sc.grad(sc.sum(h), x)])
    X = expected = np.linspace(-1, 1, 5)
    slope = np.ones(5)
    for _ in range(60):
        t = np.tanh(expected)
        slope = slope * (t + expected * (1 - t * t))
        expected = t * expected + 0.5
    value, gradient = f(X)
    np.testing.assert_allclose(value, expected, rtol=1e-10)
    np.testing.assert_allclose(gradient, slope, rtol=1e-8)
    assert len(f.explain()) < 300_000


@pytest.mark.parametrize(
    "step",
    [
        lambda h: h[1:] if h.shape[0] > 100 else h[::-1],
        lambda h: sc.pad(h, (1, 0))[:-1],
        lambda h: sc.transpose(sc.reshape(h, (20, 20))).reshape(400),
        lambda h: sc.concat([h[200:], h[:200]], axis=0),
        lambda h: sc.where(h > 0, h, 0.5 * h),
        lambda h: h - sc.max(h),
        lambda h: sc.take(h, np.arange(h.shape[0])[::-1]),
    ],
    ids=["slices", "pads", "transposes", "concats", "choices", "reductions", "gathers"],
)
def test_chains_of_everything(step):
    x = sc.input("x", (400,), "float64")
    h = x
    for _ in range(300):
        h = step(h)
    outputs = [h, sc.grad(sc.sum(sc.square(h)), x)]
    X = np.linspace(-2, 3, 400)
    found = sc.function([x], outputs)(X)
    expected = sc.function([x], outputs, device="reference")(X)
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(f, e, rtol=1e-9, atol=1e-12)
