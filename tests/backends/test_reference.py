"""The oracle itself: NumPy, op by op."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS, backend
from symcnn.errors import InputError


def test_backends_are_found_by_name():
    assert {"cpu", "reference"} <= set(BACKENDS)
    assert backend("reference") is backend("reference")
    with pytest.raises(InputError, match="no device 'tpu'"):
        backend("tpu")


def test_it_computes_what_numpy_does():
    x = sc.input("x", (None, 3), "float64")
    X = np.random.default_rng(0).normal(size=(4, 3))
    f = sc.function([x], [np.exp(x) @ sc.transpose(x), sc.mean(x, axis=0), x > 0], device="reference")
    for found, expected in zip(f(X), [np.exp(X) @ X.T, X.mean(0), X > 0], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_it_compiles_nothing_and_needs_no_numba():
    x = sc.input("x", (2,))
    f = sc.function([x], sc.tanh(x), device="reference")
    f([1, 2])
    assert f.compile_seconds == 0
    (kernel,) = f.kernels
    assert "elementwise" in kernel.source
    assert kernel.ops == ("tanh",)


def test_results_exist_before_any_update():
    a, b = sc.shared(np.array([1.0, 2.0])), sc.shared(np.array([3.0, 4.0]))
    f = sc.function([], [a, b], updates={a: b, b: a + b}, device="reference")
    assert [r.tolist() for r in f()] == [[1, 2], [3, 4]]
    assert a.get_value().tolist() == [3, 4]
    assert b.get_value().tolist() == [4, 6]
