"""Arithmetic and the functions of analysis, element by element."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

import symcnn as sc
from symcnn.interop.onnx.operators.operands import aligned
from symcnn.interop.onnx.registry import operator

FUNCTIONS = {
    "Abs": sc.abs, "Neg": sc.negative, "Sign": sc.sign, "Floor": sc.floor, "Ceil": sc.ceil, "Round": sc.rint,
    "Exp": sc.exp, "Log": sc.log, "Sqrt": sc.sqrt, "Erf": sc.erf, "Reciprocal": sc.reciprocal,
    "Sin": sc.sin, "Cos": sc.cos, "Tan": sc.tan, "Atan": sc.arctan, "Sinh": sc.sinh, "Cosh": sc.cosh, "Tanh": sc.tanh,
}  # fmt: skip
FOLDS = {"Sum": sc.add, "Max": sc.maximum, "Min": sc.minimum}


for _name, _function in FUNCTIONS.items():
    operator(_name)(lambda node, x, function=_function: function(x))
for _name, _function in FOLDS.items():
    operator(_name)(lambda node, *xs, function=_function: reduce(function, xs))


@operator("Mean")
def mean(node, *xs):
    return reduce(sc.add, xs) / len(xs)


@operator("Add")
def add(node, x, y):
    return x + aligned(node, x, y)


@operator("Sub")
def sub(node, x, y):
    return x - aligned(node, x, y)


@operator("Mul")
def mul(node, x, y):
    return x * aligned(node, x, y)


@operator("Div")
def div(node, x, y):
    """Integers are divided towards zero, as in C."""
    y = aligned(node, x, y)
    if x.type.is_float:
        return x / y
    return sc.floor_divide(x, y) if x.dtype.kind == "u" else sc.sign(x) * sc.sign(y) * (abs(x) // abs(y))


@operator("Pow")
def power(node, x, y):
    """In the dtype of the base, whatever that of the exponent is."""
    y = aligned(node, x, y)
    wide = x.dtype if x.type.is_float or not y.type.is_float else np.dtype("float64")
    return sc.astype(sc.power(sc.astype(x, wide), sc.astype(y, wide)), x.dtype)


@operator("Mod")
def modulo(node, x, y):
    """The remainder has the sign of the divisor, or with `fmod` that of the dividend."""
    if not node.get("fmod", 0) or x.dtype.kind == "u":
        return sc.remainder(x, y)
    return sc.sign(x) * sc.remainder(abs(x), abs(y))


@operator("Clip")
def clip(node, x, low=None, high=None):
    """The limits are attributes until opset 10; where they cross, the upper one wins."""
    low = node.get("min") if low is None else low
    high = node.get("max") if high is None else high
    if low is not None:
        x = sc.maximum(x, low)
    return x if high is None else sc.minimum(x, high)


@operator("Asin")
def asin(node, x):
    return sc.arctan(x / sc.sqrt((1 - x) * (1 + x)))


@operator("Acos")
def acos(node, x):
    return 2 * sc.arctan(sc.sqrt((1 - x) / (1 + x)))


@operator("Asinh")
def asinh(node, x):
    return sc.sign(x) * _asinh_of_positive(abs(x))


@operator("Acosh")
def acosh(node, x):
    return 2 * _asinh_of_positive(sc.sqrt((x - 1) / 2))


@operator("Atanh")
def atanh(node, x):
    return 0.5 * (sc.log1p(x) - sc.log1p(-x))


def _asinh_of_positive(x):
    """Accurate near 0, and by its asymptote where the square of `x` would overflow."""
    bounded = sc.minimum(x, 1e6)
    near = sc.log1p(bounded + bounded * bounded / (1 + sc.sqrt(1 + bounded * bounded)))
    return sc.where(x < 1e6, near, sc.log(sc.maximum(x, 1)) + math.log(2))
