"""Arithmetic in its old forms, and what ONNX's cases do not ask: accuracy at the ends, dtypes, derivatives."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.registry import OPERATORS, Node

pytest.importorskip("onnx")
from tests.interop.onnx.graphs import apply

RNG = np.random.default_rng(0)
BINARY = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power}


def draw(*shape, dtype="float32"):
    return RNG.uniform(0.5, 2, shape).astype(dtype)


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize(("axis", "shape"), [(1, (3, 4)), (0, (2,)), (-1, (5,)), (None, (4, 5)), (2, ()), (-3, (3, 1))])
def test_until_opset_6_an_axis_says_where_the_second_operand_belongs(op, axis, shape):
    x, y = draw(2, 3, 4, 5), draw(*shape)
    where = {} if axis is None else {"axis": axis}
    start = x.ndim - y.ndim if axis is None else axis % x.ndim
    expected = BINARY[op](x, y.reshape(*y.shape, *[1] * (x.ndim - start - y.ndim)))
    np.testing.assert_allclose(apply(op, x, y, opset=6, broadcast=1, **where), expected, rtol=1e-6)


@pytest.mark.parametrize(("op", "function"), [("Greater", np.greater), ("Less", np.less), ("Equal", np.equal)])
def test_comparisons_have_the_same_axis(op, function):
    x, y = RNG.integers(0, 3, (2, 3, 4)), RNG.integers(0, 3, 3)
    np.testing.assert_array_equal(apply(op, x, y, opset=6, broadcast=1, axis=1), function(x, y[:, None]))


def test_an_operand_without_a_place_is_refused():
    with pytest.raises(InputError, match="no place at its axis"):
        apply("Add", draw(2, 3), draw(3, 4), opset=6, broadcast=1, axis=1)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
def test_integers_are_divided_towards_zero(dtype):
    x, y = (a.ravel() for a in np.meshgrid(np.arange(-7, 8), [-3, -2, -1, 1, 2, 3]))
    found = apply("Div", x.astype(dtype), y.astype(dtype))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.trunc(x / y))


@pytest.mark.parametrize("dtype", ["int16", "int64", "float32"])
def test_the_remainder_has_the_sign_of_either_operand(dtype):
    x, y = (a.ravel().astype(dtype) for a in np.meshgrid(np.arange(-7, 8), [-3, -2, 2, 3]))
    np.testing.assert_array_equal(apply("Mod", x, y, fmod=1), np.fmod(x, y))
    if dtype != "float32":
        np.testing.assert_array_equal(apply("Mod", x, y), np.mod(x, y))


@pytest.mark.parametrize(
    ("x", "y"), [("float32", "int64"), ("int32", "float32"), ("float32", "float64"), ("int64", "int32")]
)
def test_powers_have_the_dtype_of_the_base(x, y):
    base, exponent = np.array([1, 2, 3], x), np.array([2, 3, 2], y)
    found = apply("Pow", base, exponent)
    assert found.dtype == x
    np.testing.assert_array_equal(found, [1, 8, 9])


def test_limits_of_clip_are_attributes_first_and_inputs_later():
    x = np.array([-2, -1, 0, 1, 2], "float32")
    np.testing.assert_array_equal(apply("Clip", x, opset=6, min=-1.0), np.maximum(x, -1))
    np.testing.assert_array_equal(apply("Clip", x, opset=6, max=1.0), np.minimum(x, 1))
    np.testing.assert_array_equal(apply("Clip", x, opset=6), x)
    np.testing.assert_array_equal(apply("Clip", x, None, np.float32(1)), np.minimum(x, 1))
    np.testing.assert_array_equal(apply("Clip", x, np.float32(1), np.float32(-1)), np.full(5, -1))


INVERSE = {"Asin": np.arcsin, "Acos": np.arccos, "Atanh": np.arctanh, "Asinh": np.arcsinh, "Acosh": np.arccosh}
ENDS = {
    "Asin": [-1, -1 + 1e-6, -1e-8, 0, 0.5, 1 - 1e-6, 1],
    "Acos": [-1, -1 + 1e-6, -0.5, 0, 0.5, 1 - 1e-6, 1],
    "Atanh": [-1, -1 + 1e-6, -1e-8, 0, 1e-4, 1 - 1e-6, 1],
    "Asinh": [-1e30, -1e6, -1, -1e-8, 0, 1e-4, 1, 999999, 1e6, 1e30],
    "Acosh": [1, 1 + 1e-6, 1.5, 10, 1e6, 1e30],
}


@pytest.mark.parametrize("op", INVERSE)
def test_inverse_functions_are_accurate_to_the_ends(op):
    x = np.array(ENDS[op], "float32")
    with np.errstate(divide="ignore"):
        expected = INVERSE[op](x.astype("float64"))
    np.testing.assert_allclose(apply(op, x), expected, rtol=4e-7)


@pytest.mark.parametrize(("op", "x"), [("Asin", 0.3), ("Acos", -0.4), ("Atanh", 0.2), ("Asinh", -0.7), ("Acosh", 1.8), ("Celu", -0.5),
                                       ("Mish", 0.4), ("Shrink", 0.9), ("Softsign", -0.6), ("HardSwish", 1.1)])  # fmt: skip
def test_compositions_have_derivatives(op, x):
    v = sc.input("x", (), "float64")
    y = OPERATORS[op].translate(Node(op, op, ("x",), ("y",), {}, 21), v)
    sc.check_grad(y, v, values={v: np.array(x)})


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_bits_of_integers(dtype):
    info = np.iinfo(dtype)
    x, y = (
        np.array(v, dtype)
        for v in zip(*[(a, b) for a in (info.min, 0, 5, 77, info.max) for b in (info.min, 1, 6, info.max)], strict=True)
    )
    for op, function in {
        "BitwiseAnd": np.bitwise_and,
        "BitwiseOr": np.bitwise_or,
        "BitwiseXor": np.bitwise_xor,
    }.items():
        np.testing.assert_array_equal(apply(op, x, y), function(x, y))
    np.testing.assert_array_equal(apply("BitwiseNot", x), ~x)
    shifts = np.resize(np.array([0, 1, 3, info.bits - 1], dtype), x.shape)
    np.testing.assert_array_equal(apply("BitShift", x, shifts, direction="LEFT"), np.left_shift(x, shifts))
    np.testing.assert_array_equal(apply("BitShift", x, shifts, direction="RIGHT"), np.right_shift(x, shifts))
