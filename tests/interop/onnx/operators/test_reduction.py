"""Reductions in all forms, against NumPy."""

import numpy as np
import pytest

from symcnn.errors import InputError

pytest.importorskip("onnx")
from tests.interop.onnx.graphs import apply

X = np.random.default_rng(0).uniform(0.5, 2, (2, 3, 4)).astype("float32")
FUNCTIONS = {
    "ReduceSum": np.sum, "ReduceMean": np.mean, "ReduceProd": np.prod, "ReduceMax": np.max, "ReduceMin": np.min,
    "ReduceL1": lambda x, **how: np.sum(np.abs(x), **how), "ReduceL2": lambda x, **how: np.sqrt(np.sum(x * x, **how)),
    "ReduceSumSquare": lambda x, **how: np.sum(x * x, **how), "ReduceLogSum": lambda x, **how: np.log(np.sum(x, **how)),
    "ReduceLogSumExp": lambda x, **how: np.log(np.sum(np.exp(x), **how)),
}  # fmt: skip
every_reduction = pytest.mark.parametrize("op", FUNCTIONS)


@every_reduction
@pytest.mark.parametrize("axes", [None, (1,), (-1, 0), (0, 1, 2)])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_axes_are_an_attribute_first_and_an_input_later(op, axes, keepdims):
    expected = FUNCTIONS[op](X, axis=axes, keepdims=bool(keepdims))
    attribute = {} if axes is None else {"axes": axes}
    old = apply(op, X, opset=6, keepdims=keepdims, **attribute)
    given = () if axes is None else (np.array(axes, "int64"),)
    new = apply(op, X, *given, keepdims=keepdims)
    known = apply(op, X, *given, keepdims=keepdims, known=(1,) if given else ())
    for found in (old, new, known):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@every_reduction
def test_no_axes_may_mean_none(op):
    for given in ((), (np.array([], "int64"),)):
        found = apply(op, X, *given, noop_with_empty_axes=1)
        np.testing.assert_allclose(found, FUNCTIONS[op](X, axis=()), rtol=1e-5)


@pytest.mark.parametrize("op", ["ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax"])
def test_integers_stay_what_they_are(op):
    x = np.array([[1, 2], [3, 5]], "int32")
    found = apply(op, x, axes=[1], keepdims=0, opset=11)
    assert found.dtype == "int32"
    np.testing.assert_array_equal(found, FUNCTIONS[op](x, axis=1).astype("int32"))


@pytest.mark.parametrize(
    ("op", "dtype", "expected"),
    [("ReduceMax", "float32", -np.inf), ("ReduceMin", "float32", np.inf), ("ReduceMax", "int8", -128), ("ReduceMin", "uint8", 255),
     ("ReduceSum", "float32", 0), ("ReduceProd", "float32", 1), ("ReduceLogSumExp", "float32", -np.inf)],
)  # fmt: skip
def test_reductions_of_nothing(op, dtype, expected):
    found = apply(op, np.zeros((2, 0, 3), dtype), np.array([1]), keepdims=0)
    np.testing.assert_array_equal(found, np.full((2, 3), expected, dtype))


def test_an_axis_out_of_range_is_told():
    with pytest.raises(InputError, match="axis 3 is out of range"):
        apply("ReduceSum", X, np.array([3]))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
def test_running_sums(axis, exclusive, reverse):
    x = np.flip(X, axis) if reverse else X
    expected = np.cumsum(x, axis) - (x if exclusive else 0)
    expected = np.flip(expected, axis) if reverse else expected
    found = apply("CumSum", X, np.array(axis), exclusive=exclusive, reverse=reverse)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
