"""hstack, vstack and column_stack, against NumPy's."""

import numpy as np
import pytest

import symcnn as sc
from tests.interpret import evaluate_graph
from tests.ops.checks import check_derivatives

rng = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["hstack", "vstack", "column_stack"])
@pytest.mark.parametrize("shapes", [((3,), (3,)), ((2, 3), (2, 3)), ((), ()), ((2, 3, 4), (2, 3, 4)), ((4,),)], ids=str)
def test_like_numpy(name, shapes):
    if name == "column_stack" and shapes[0] == ():
        return  # NumPy alone makes a row of scalars
    arrays = [rng.normal(size=s) for s in shapes]
    xs = [sc.input(f"x{k}", a.shape, "float64") for k, a in enumerate(arrays)]
    y = getattr(np, name)(xs)
    values = dict(zip(xs, arrays, strict=True))
    np.testing.assert_array_equal(evaluate_graph(y, values), getattr(np, name)(arrays))
    check_derivatives(y * y, xs, values)


def test_vectors_are_rows_below_a_matrix_and_columns_beside_it():
    x, v = sc.input("x", (None, 3)), sc.input("v", (3,))
    assert sc.vstack([x, v, [1.0, 2, 3]]).shape == (None, 3)
    assert sc.column_stack([sc.input("y", (3, 2)), v]).shape == (3, 3)


@pytest.mark.parametrize("function", [sc.hstack, sc.vstack, sc.column_stack])
def test_refusals(function):
    with pytest.raises(sc.InputError, match="nothing"):
        function([])
    with pytest.raises(sc.DTypeError, match="takes a list"):
        function(sc.input("x", (2, 3)))
    with pytest.raises(sc.ShapeError, match="do not fit together"):
        function([sc.input("x", (2, 3)), sc.input("y", (4, 5))])
