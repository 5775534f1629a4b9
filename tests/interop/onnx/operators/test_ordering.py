"""The largest and smallest few, and where they are, against stable sorts."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.registry import OPERATORS, Node

pytest.importorskip("onnx")
from tests.interop.onnx.graphs import apply

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8"])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("k", [0, 1, 3])
@pytest.mark.parametrize("largest", [0, 1])
def test_top_k_is_the_head_of_a_stable_sort(dtype, axis, k, largest):
    x = RNG.integers(0, 4, (3, 5, 4)).astype(dtype)  # with ties
    order = np.argsort(-x.astype("int64") if largest else x, axis, kind="stable").take(range(k), axis)
    values, indices = apply("TopK", x, np.array([k]), count=2, axis=axis, largest=largest)
    assert (values.dtype, indices.dtype) == (dtype, "int64")
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_array_equal(values, np.take_along_axis(x, order, axis))


def test_top_k_with_infinities_and_its_old_form():
    x = np.array([[np.inf, 1, -np.inf, 2]], "float32")
    for values, indices in (
        apply("TopK", x, count=2, opset=6, k=4),
        apply("TopK", x, np.array([4]), count=2, opset=10),
    ):
        np.testing.assert_array_equal(values, [[np.inf, 2, 1, -np.inf]])
        np.testing.assert_array_equal(indices, [[0, 3, 1, 2]])


def test_top_k_of_too_few_is_refused():
    with pytest.raises(InputError, match="k is out of range"):
        apply("TopK", np.zeros((2, 3), "float32"), np.array([4]), count=2)


def test_the_derivative_of_top_k_goes_to_what_was_chosen():
    x = sc.input("x", (4,), "float64")
    values, _ = OPERATORS["TopK"].translate(Node("TopK", "t", ("x", "k"), ("v", "i"), {}, 21), x, np.array([2]))
    gradient = sc.function([x], sc.grad(sc.sum(values * np.array([10.0, 1.0])), x), device="reference")
    np.testing.assert_array_equal(gradient([3.0, 1, 4, 2]), [1, 0, 10, 0])


@pytest.mark.parametrize(("op", "function"), [("ArgMax", np.argmax), ("ArgMin", np.argmin)])
@pytest.mark.parametrize("axis", [0, -1])
def test_the_first_or_the_last_extreme(op, function, axis):
    x = RNG.integers(0, 3, (4, 5)).astype("float32")
    np.testing.assert_array_equal(apply(op, x, axis=axis, keepdims=0), function(x, axis))
    last = x.shape[axis] - 1 - function(np.flip(x, axis), axis)
    np.testing.assert_array_equal(apply(op, x, axis=axis, keepdims=0, select_last_index=1), last)
