"""Running sums, against NumPy's; the contract tests run the op on every backend."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ops.cumulative import CumSum
from tests.interpret import evaluate_graph
from tests.ops.checks import cases, check_derivatives, check_op

rng = np.random.default_rng(0)


@pytest.mark.parametrize(("cls", "example"), cases(CumSum))
def test_examples(cls, example):
    check_op(cls, example)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("unknown", [False, True])
def test_like_numpy(axis, unknown):
    value = rng.normal(size=(3, 4))
    x = sc.input("x", (None, None) if unknown else value.shape, "float64")
    y = np.cumsum(x, axis=axis)
    np.testing.assert_allclose(evaluate_graph(y, {x: value}), np.cumsum(value, axis=axis), rtol=1e-14)
    check_derivatives(y * y, [x], {x: value})


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32"])
def test_dtypes_are_those_of_numpy(dtype):
    value = np.ones(300, dtype)
    x = sc.input("x", (300,), dtype)
    found = sc.function([x], sc.cumsum(x))(value)
    assert found.dtype == np.cumsum(value).dtype
    np.testing.assert_array_equal(found, np.cumsum(value))
    assert sc.cumsum(x, dtype="float64").dtype == np.float64


def test_nan_and_infinity_reach_what_follows():
    x = sc.input("x", (5,))
    found = sc.function([x], sc.cumsum(x))([1, np.inf, 2, -np.inf, 3])
    np.testing.assert_array_equal(found, [1, np.inf, np.inf, np.nan, np.nan])


def test_a_producer_is_computed_before():
    x = sc.input("x", (None, 50))
    value = rng.normal(size=(7, 50)).astype("float32")
    found = sc.function([x], sc.cumsum(sc.exp(x), axis=1))(value)
    np.testing.assert_allclose(found, np.cumsum(np.exp(value.astype("float64")), axis=1), rtol=1e-5)
