"""Triangles and diagonals, against NumPy's; derivatives to second order."""

import numpy as np
import pytest

import symcnn as sc
from tests.interpret import evaluate_graph
from tests.ops.checks import check_derivatives

rng = np.random.default_rng(0)


def agree(name, array, *args, unknown=False, **kwargs):
    x = sc.input("x", (None,) * array.ndim if unknown else array.shape, "float64")
    y = getattr(np, name)(x, *args, **kwargs)
    expected = getattr(np, name)(array, *args, **kwargs)
    found = evaluate_graph(y, {x: array})
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    if expected.size:
        check_derivatives(y * y, [x], {x: array})


@pytest.mark.parametrize("name", ["tril", "triu"])
@pytest.mark.parametrize("k", [0, 1, -2, 9])
@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (4, 2), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("unknown", [False, True])
def test_triangles(name, k, shape, unknown):
    agree(name, rng.normal(size=shape), k, unknown=unknown)


def test_triangles_hide_what_they_leave_out():
    x = sc.input("x", (2, 2), "float64")
    value = np.array([[1, np.nan], [3, 4]])
    np.testing.assert_array_equal(evaluate_graph(sc.tril(x), {x: value}), [[1, 0], [3, 4]])


@pytest.mark.parametrize("name", ["diagonal", "trace"])
@pytest.mark.parametrize("offset", [0, 1, -2, 5, -4])
@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (4, 2)], ids=str)
def test_diagonals(name, offset, shape):
    agree(name, rng.normal(size=shape), offset)


@pytest.mark.parametrize("axes", [(0, 1), (1, 2), (2, 0), (-1, 1)])
def test_diagonals_of_stacks(axes):
    agree("diagonal", rng.normal(size=(3, 4, 5)), 1, axis1=axes[0], axis2=axes[1])


@pytest.mark.parametrize("k", [0, 2, -1])
@pytest.mark.parametrize("unknown", [False, True])
def test_diag(k, unknown):
    agree("diag", rng.normal(size=3), k, unknown=unknown)
    agree("diag", rng.normal(size=(3, 4)), k)


def test_refusals():
    for function in (sc.tril, sc.triu, sc.diagonal, sc.trace):
        with pytest.raises(sc.ShapeError, match="takes matrices"):
            function(sc.input("x", (3,)))
    with pytest.raises(sc.ShapeError, match="must be known"):
        sc.diagonal(sc.input("x", (None, 3)))
    with pytest.raises(sc.ShapeError, match="vector or a matrix"):
        sc.diag(sc.input("x", (2, 3, 4)))
