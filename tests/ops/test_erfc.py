"""erfc and gelu where they are tiny: no cancellation, on any backend, in values and derivatives."""

import math

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS

erfc = np.vectorize(math.erfc, otypes=["float64"])


def cumulative(x):
    return erfc(-x / math.sqrt(2)) / 2


def density(x):
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def draws(dtype, low, high):
    return np.sort(np.random.default_rng(0).uniform(low, high, 500)).astype(dtype)


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize(("dtype", "end"), [("float32", 9.1), ("float64", 26)])
def test_erfc_keeps_its_relative_accuracy(device, dtype, end):
    x = sc.input("x", (None,), dtype)
    X = draws(dtype, -6, end)
    found = sc.function([x], sc.erfc(x), device=device)(X)
    np.testing.assert_allclose(found, erfc(X.astype("float64")), rtol=6 * np.finfo(dtype).eps)


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_ends_of_erfc(device, dtype):
    x = sc.input("x", (None,), dtype)
    info = np.finfo(dtype)
    X = np.array([np.nan, -np.inf, info.min, -0.0, 0, info.tiny, 30, info.max, np.inf], dtype)
    found = sc.function([x], sc.erfc(x), device=device)(X)
    np.testing.assert_array_equal(found, [np.nan, 2, 2, 1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize(("dtype", "end"), [("float32", -12.5), ("float64", -36)])
def test_gelu_keeps_its_relative_accuracy(device, dtype, end):
    x = sc.input("x", (None,), dtype)
    y = sc.gelu(x)
    X = draws(dtype, end, 6)
    value, gradient = sc.function([x], [y, sc.grad(sc.sum(y), x)], device=device)(X)
    # The square in the exponent multiplies the error of x / sqrt(2).
    tolerance = 4 * (1 + X.astype("float64") ** 2) * np.finfo(dtype).eps
    exact = X.astype("float64")
    assert np.all(np.abs(value / (exact * cumulative(exact)) - 1) < tolerance)
    terms = cumulative(exact), exact * density(exact)  # which cancel near -0.75, and nowhere else
    assert np.all(np.abs(gradient - sum(terms)) < tolerance * np.abs(terms).max(axis=0))
