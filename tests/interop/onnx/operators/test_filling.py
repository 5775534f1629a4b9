"""Constants, ranges and shapes."""

import numpy as np
import pytest

from symcnn.errors import InputError

pytest.importorskip("onnx")
import onnx

from tests.interop.onnx.graphs import apply


@pytest.mark.parametrize(
    ("form", "given", "expected"),
    [
        ("value_float", 1.5, np.float32(1.5)),
        ("value_floats", [1.5, 2], np.array([1.5, 2], "float32")),
        ("value_int", 3, np.int64(3)),
        ("value_ints", [3, 4], np.array([3, 4])),
    ],
)
def test_forms_of_a_constant(form, given, expected):
    found = apply("Constant", **{form: given})
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_a_constant_may_be_a_tensor_but_no_text():
    tensor = onnx.numpy_helper.from_array(np.eye(2))
    np.testing.assert_array_equal(apply("Constant", value=tensor), np.eye(2))
    with pytest.raises(InputError, match="this form of a value"):
        apply("Constant", value_string="text")


INTEGERS = [(0, 5, 1), (3, -4, -2), (1, 1, 1), (5, 1, 1)]


@pytest.mark.parametrize(
    ("dtype", "numbers"),
    [*((dtype, row) for dtype in ("int64", "int32", "float32") for row in INTEGERS), ("float32", (0.5, 2.0, 0.25))],
)
def test_ranges(dtype, numbers):
    found = apply("Range", *(np.array(v, dtype) for v in numbers))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.arange(*numbers).astype(dtype))


@pytest.mark.parametrize("delta", [0.0, 1e-30, np.nan])
def test_ranges_that_never_end_are_refused(delta):
    with pytest.raises(InputError, match=r"no numbers to count by|too large"):
        apply("Range", *(np.array(v, "float32") for v in (0, 5, delta)))


def test_filled_shapes():
    found = apply("ConstantOfShape", np.array([2, 3]))
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, np.zeros((2, 3)))
    value = onnx.numpy_helper.from_array(np.array([7], "int64"))
    np.testing.assert_array_equal(apply("ConstantOfShape", np.array([2]), value=value), [7, 7])
    np.testing.assert_array_equal(apply("EyeLike", np.zeros((2, 4), "float32"), k=1), np.eye(2, 4, 1))


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("k", [-1, 0, 2])
def test_triangles(upper, k):
    x = np.arange(24, dtype="float32").reshape(2, 3, 4) + 1
    np.testing.assert_array_equal(apply("Trilu", x, np.array(k), upper=upper), (np.triu if upper else np.tril)(x, k))


def test_shapes_and_sizes():
    x = np.zeros((2, 3, 4), "float32")
    np.testing.assert_array_equal(apply("Shape", x, start=-2), [3, 4])
    assert apply("Size", x) == 24
