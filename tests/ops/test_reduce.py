"""Reductions: NumPy's values, dtypes and errors; derivatives at ties and zeros."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ops.reduce import ArgReduce, Reduce
from symcnn.ops.statistics import CountLike
from tests.interpret import evaluate_graph
from tests.ops.checks import cases, check_derivatives, check_op

DTYPES = ("bool", "int8", "int32", "int64", "uint8", "uint64", "float32", "float64")
AXES = (None, 0, -1, (0, 2), (1,), ())


@pytest.mark.parametrize(("cls", "example"), cases(Reduce, ArgReduce, CountLike))
def test_examples(cls, example):
    check_op(cls, example)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "any", "all", "mean", "var", "std"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_values_and_dtypes_are_those_of_numpy(name, dtype):
    if name in ("var", "std") and dtype == "bool":
        return  # NumPy cannot subtract booleans
    x = (
        (np.random.default_rng(0).uniform(-3, 3, (2, 3, 4)) * (1 if dtype[0] != "u" else -1))
        .astype("int64" if dtype[0] != "f" else dtype)
        .astype(dtype)
    )
    v = sc.input("x", x.shape, dtype=dtype)
    for axis in AXES:
        for keepdims in (False, True):
            expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
            found = getattr(sc, name)(v, axis=axis, keepdims=keepdims)
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            np.testing.assert_allclose(evaluate_graph(found, {v: x}), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_positions_are_those_of_numpy(name):
    x = np.random.default_rng(0).integers(0, 3, (3, 4, 5)).astype("float32")
    x[1, 2, 3] = np.nan
    v = sc.input("x", x.shape)
    for axis in (None, 0, 1, -1):
        for keepdims in (False, True):
            found = evaluate_graph(getattr(sc, name)(v, axis=axis, keepdims=keepdims), {v: x})
            np.testing.assert_array_equal(found, getattr(np, name)(x, axis=axis, keepdims=keepdims))


def test_position_in_a_scalar():
    x = sc.input("x", ())
    assert evaluate_graph(sc.argmax(x), {x: np.float32(3)}) == 0


def test_numpy_functions_build_graph():
    x = sc.input("x", (2, 3))
    assert np.sum(x, axis=1) is sc.sum(x, axis=1)
    assert np.amax(x) is x.max() is sc.max(x)
    assert np.mean(x, axis=0, keepdims=True) is x.mean(0, True)


@pytest.mark.parametrize("ddof", [0, 1, 2])
def test_variance_with_fewer_degrees_of_freedom(ddof):
    x = np.random.default_rng(0).normal(size=(4, 5))
    v = sc.input("x", (None, 5), dtype="float64")
    np.testing.assert_allclose(evaluate_graph(sc.var(v, 0, ddof=ddof), {v: x}), x.var(0, ddof=ddof))
    np.testing.assert_allclose(evaluate_graph(sc.std(v, ddof=ddof), {v: x}), x.std(ddof=ddof))


def test_the_mean_of_an_unknown_batch_counts_at_the_call():
    x = sc.input("x", (None, 3), dtype="float64")
    gradient = sc.grad(sc.mean(x), x)
    for n in (1, 2, 7):
        np.testing.assert_allclose(evaluate_graph(gradient, {x: np.ones((n, 3))}), np.full((n, 3), 1 / (3 * n)))


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_go_to_the_first_in_scan_order(name):
    x = sc.input("x", (2, 3), dtype="float64")
    gradient = sc.grad(getattr(sc, name)(x), x)
    np.testing.assert_array_equal(evaluate_graph(gradient, {x: np.zeros((2, 3))}), [[1, 0, 0], [0, 0, 0]])
    rows = sc.grad(sc.sum(getattr(sc, name)(x, axis=1)), x)
    np.testing.assert_array_equal(evaluate_graph(rows, {x: np.zeros((2, 3))}), [[1, 0, 0], [1, 0, 0]])


def test_nan_wins():
    x = sc.input("x", (3,), dtype="float64")
    for name in ("max", "min"):
        found = evaluate_graph(getattr(sc, name)(x), {x: np.array([1, np.nan, 2])})
        assert np.isnan(found)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1), (1, 2), None])
@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_products_with_zeros_differentiate_twice(axes, zeros):
    values = np.random.default_rng(0).uniform(0.5, 1.5, (2, 3, 2))
    values.flat[:zeros] = 0
    x = sc.input("x", values.shape, dtype="float64")
    check_derivatives(sc.prod(x, axes), [x], {x: values})


def test_derivatives_while_sizes_are_unknown():
    x = sc.input("x", (None, 3, None), dtype="float64")
    values = {x: np.random.default_rng(0).uniform(0.5, 1.5, (2, 3, 4))}
    for name in ("sum", "prod", "max", "mean", "var", "std"):
        y = getattr(sc, name)(x, axis=(0, 2))
        check_derivatives(y, [x], values)


def test_empty_reductions():
    x = sc.input("x", (0, 3))
    nothing = {x: np.zeros((0, 3), "float32")}
    np.testing.assert_array_equal(evaluate_graph(sc.sum(x, 0), nothing), [0, 0, 0])
    np.testing.assert_array_equal(evaluate_graph(sc.prod(x, 0), nothing), [1, 1, 1])
    assert evaluate_graph(sc.max(x, 1), nothing).shape == (0,)
    for name in ("max", "min", "argmax", "argmin"):
        with pytest.raises(sc.ShapeError, match="empty axis has no value"):
            getattr(sc, name)(x, axis=0)


def test_an_empty_maximum_is_refused_when_the_size_is_known():
    x = sc.input("x", (None, 3))
    f = sc.function([x], sc.max(x, axis=0), device="reference")
    with pytest.raises(sc.ShapeError, match="empty axis has no value"):
        f(np.zeros((0, 3), "float32"))


@pytest.mark.parametrize("axis", [2, -3, (0, 0), (0, -2)])
def test_wrong_axes(axis):
    with pytest.raises(sc.ShapeError, match="axis"):
        sc.sum(sc.input("x", (2, 3)), axis=axis)


def test_axes_that_are_no_integers():
    with pytest.raises(sc.DTypeError, match="axis must be an integer"):
        sc.sum(sc.input("x", (2, 3)), axis=1.5)
    with pytest.raises(sc.DTypeError, match="one integer or None"):
        sc.argmax(sc.input("x", (2, 3)), axis=(0, 1))


@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_from_peak_to_peak(axis):
    value = np.random.default_rng(0).normal(size=(4, 3))
    x = sc.input("x", (None, 3), "float64")
    np.testing.assert_array_equal(evaluate_graph(np.ptp(x, axis=axis), {x: value}), np.ptp(value, axis=axis))
