"""Rows of the elementwise table, and casts: one operator each, or a few.

Operands are brought to the dtypes that NumPy computes in, which ONNX leaves to the graph.
"""

from __future__ import annotations

import numpy as np

from symcnn.interop.onnx.export.registry import form
from symcnn.ops.elementwise import Cast
from symcnn.ops.stop_gradient import StopGradient

# Ours -> ONNX's, where one operator says it for floats and for all other dtypes that the row computes in.
SAME = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "maximum": "Max", "minimum": "Min", "where": "Where",
    "sign": "Sign", "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "sin": "Sin", "cos": "Cos", "tan": "Tan",
    "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "tanh": "Tanh", "erf": "Erf", "sigmoid": "Sigmoid",
    "softplus": "Softplus", "equal": "Equal", "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater",
    "greater_equal": "GreaterOrEqual", "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "logical_not": "Not",
}  # fmt: skip
# What arithmetic on booleans is in NumPy.
OF_BOOLEANS = {"add": "Or", "multiply": "And", "maximum": "Or", "minimum": "And"}
ORDERS = ("less", "less_equal", "greater", "greater_equal")
ROUNDINGS = {"floor": "Floor", "ceil": "Ceil", "rint": "Round"}


def row(*names: str):
    """Decorator: ``write(writer, dtype, *operands)``, with operands in the dtype that the row computes in."""

    def register(write):
        def write_row(writer, variable, *operands):
            computed, _ = variable.op.row.dtypes(*(x.dtype for x in variable.inputs))
            given = [
                writer.cast(name, x, dtype)
                for name, x, dtype in zip(operands, variable.inputs, computed, strict=True)
            ]  # fmt: skip
            return write(writer, variable.op.function, computed[-1], *given)

        form(*names)(write_row)
        return write

    return register


@row(*SAME)
def same(writer, name, dtype, *operands):
    if dtype.kind == "b" and name in OF_BOOLEANS:
        return writer(OF_BOOLEANS[name], *operands)
    if dtype.kind == "b" and name in ORDERS:
        operands = [writer.to(x, "int32") for x in operands]
    return writer(SAME[name], *operands)


@row("not_equal")
def not_equal(writer, name, dtype, x, y):
    return writer("Not", writer("Equal", x, y))


@row("negative")
def negative(writer, name, dtype, x):
    return writer("Sub", writer.constant(0, dtype), x) if dtype.kind == "u" else writer("Neg", x)


@row("positive")
def positive(writer, name, dtype, x):
    return x


@row("absolute")
def absolute(writer, name, dtype, x):
    return x if dtype.kind == "b" else writer("Abs", x)


@row("reciprocal")
def reciprocal(writer, name, dtype, x):
    return writer("Reciprocal", x) if dtype.kind == "f" else writer("Div", writer.constant(1, dtype), x)


@row("square")
def square(writer, name, dtype, x):
    return writer("And" if dtype.kind == "b" else "Mul", x, x)


@row("power")
def power(writer, name, dtype, x, y):
    if dtype.kind == "f" or dtype in ("int32", "int64"):
        return writer("Pow", x, y)
    return writer.to(writer("Pow", writer.to(x, "int64"), writer.to(y, "int64")), dtype)


@row("relu")
def relu(writer, name, dtype, x):
    return writer("Relu", x) if dtype.kind == "f" else writer("Max", x, writer.constant(0, dtype))


@row("remainder")
def remainder(writer, name, dtype, x, y):
    """With the sign of `y`, as ONNX has it for integers."""
    if dtype.kind != "f":
        return writer("Mod", x, y)
    left, wrong = _left(writer, dtype, x, y)
    return writer("Where", wrong, writer("Add", left, y), left)


@row("floor_divide")
def floor_divide(writer, name, dtype, x, y):
    """What is divided without remainder; floor(x / y) would be off by one where the quotient is rounded up."""
    if dtype.kind != "f":
        return writer("Div", writer("Sub", x, writer("Mod", x, y)), y)
    left, wrong = _left(writer, dtype, x, y)
    whole = writer("Round", writer("Div", writer("Sub", x, left), y))
    by_zero = writer("Equal", y, writer.constant(0, dtype))
    return writer("Where", by_zero, writer("Div", x, y), writer("Sub", whole, writer.to(wrong, dtype)))


def _left(writer, dtype, x, y):
    """What is left of x with the sign of `x`, and whether that is not the sign of `y`."""
    left, zero = writer("Mod", x, y, fmod=1), writer.constant(0, dtype)
    differ = writer("Xor", writer("Less", left, zero), writer("Less", y, zero))
    return left, writer("And", differ, writer("Not", writer("Equal", left, zero)))


@row(*ROUNDINGS)
def rounding(writer, name, dtype, x):
    return writer(ROUNDINGS[name], x) if dtype.kind == "f" else x


@row("trunc")
def trunc(writer, name, dtype, x):
    if dtype.kind != "f":
        return x
    return writer("Where", writer("Less", x, writer.constant(0, dtype)), writer("Ceil", x), writer("Floor", x))


@row("isnan", "isinf", "isfinite")
def kind(writer, name, dtype, x):
    if dtype.kind != "f":
        equal = writer("Equal", x, x)
        return equal if name == "isfinite" else writer("Not", equal)
    if name == "isfinite":
        return writer("Not", writer("Or", writer("IsNaN", x), writer("IsInf", x)))
    return writer({"isnan": "IsNaN", "isinf": "IsInf"}[name], x)


@row("erfc")
def erfc(writer, name, dtype, x):
    """1 - erf(x): there is no operator that keeps the digits of a tiny value."""
    return writer("Sub", writer.constant(1, dtype), writer("Erf", x))


@row("expm1")
def expm1(writer, name, dtype, x):
    """exp(x) - 1, near 0 as 2 sinh(x / 2) exp(x / 2), in which nothing cancels."""
    half = writer("Mul", x, writer.constant(0.5, dtype))
    near = writer("Mul", writer("Mul", writer("Sinh", half), writer("Exp", half)), writer.constant(2, dtype))
    return _near(writer, dtype, x, near, writer("Sub", writer("Exp", x), writer.constant(1, dtype)))


@row("log1p")
def log1p(writer, name, dtype, x):
    """log(1 + x), near 0 as 2 artanh(x / (2 + x)), in which nothing is rounded away."""
    ratio = writer("Div", x, writer("Add", x, writer.constant(2, dtype)))
    near = writer("Mul", writer("Atanh", ratio), writer.constant(2, dtype))
    return _near(writer, dtype, x, near, writer("Log", writer("Add", x, writer.constant(1, dtype))))


def _near(writer, dtype, x, near, far):
    """`near` where x is within 1/2 of 0, else `far`."""
    return writer("Where", writer("Less", writer("Abs", x), writer.constant(0.5, dtype)), near, far)


@form(Cast)
def cast(writer, variable, x):
    return writer.to(x, variable.dtype)


@form(StopGradient)
def stop_gradient(writer, variable, x):
    return x


def is_exact(number: float, dtype) -> bool:
    """Whether an attribute, which ONNX holds in float32, is the same number in `dtype`."""
    return dtype == np.float32 or float(np.float32(number)) == number
