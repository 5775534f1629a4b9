"""The names that kernels use, in plain NumPy: for Numba's simulator, which runs kernels as Python.

They take and give NumPy scalars of the dtype in which the compiled function computes, and raise no warnings.
"""

from __future__ import annotations

import math
import operator

import numpy as np
from numba import cuda

from symcnn.ir.types import DTYPES
from symcnn.ops import random  # noqa: F401  (its rows stand in the table, too)
from symcnn.ops.elementwise import ROWS

_ROW = {"atan": "arctan"}
_RANDOM = ("random_uniform", "random_uniform64", "random_normal", "random_normal64")
_FUNCTIONS = (
    "maximum", "minimum", "absolute", "sign", "reciprocal", "sqrt", "floor_divide", "remainder", "power", "floor",
    "ceil", "trunc", "rint", "isnan", "isinf", "isfinite", "exp", "expm1", "log", "log1p", "tanh", "sigmoid", "softplus",
    "erf", "sin", "cos", "tan", "atan", "sinh", "cosh",
)  # fmt: skip


class _Integer:
    """A dtype of integers: given a number it wraps around, or cuts off the fraction; NumPy itself would raise."""

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype)
        limits = np.iinfo(self.dtype)
        self._low, self._count = int(limits.min), 2**limits.bits

    def __call__(self, number):
        whole = int(number) if math.isfinite(number) else self._low
        return self.dtype.type((whole - self._low) % self._count + self._low)


def _double(name):
    function = ROWS[_ROW.get(name, name)].numpy

    def double(*operands):
        dtype = np.result_type(*operands)
        with np.errstate(all="ignore"):
            result = function(*(np.asarray(x).astype(dtype)[()] for x in operands))
        return np.asarray(result, None if name.startswith("is") else dtype)[()]

    return double


def _random(name):
    function = ROWS[name].numpy
    return lambda *operands: function(*operands)[()]


def _power(x, y):
    """A negative power of an integer is the nearest integer below 1 in size."""
    if np.result_type(x, y).kind == "i" and y < 0:
        dtype = np.result_type(x, y).type
        return dtype({1: 1, -1: 1 - 2 * (int(y) & 1)}.get(int(x), 0))
    return _of_numbers(x, y)


_of_numbers = _double("power")


def _reciprocal(x):
    """Of an integer, 0 too, it is 0 or the integer itself."""
    return _of_number(x) if np.result_type(x).kind == "f" else np.result_type(x).type(x if abs(int(x)) == 1 else 0)


_of_number = _double("reciprocal")


def load4(pointer, index):
    """Four elements from `index` on."""
    return pointer[index], pointer[index + 1], pointer[index + 2], pointer[index + 3]


def store4(pointer, index, a, b, c, d):
    """Write four elements from `index` on."""
    pointer[index] = a
    pointer[index + 1] = b
    pointer[index + 2] = c
    pointer[index + 3] = d


_int32 = _Integer("int32")

NAMES: dict[str, object] = {
    **{name: _double(name) for name in _FUNCTIONS},
    **{name: _random(name) for name in _RANDOM},
    "power": _power,
    "reciprocal": _reciprocal,
    **{d.name: d.type if d.kind == "f" else _Integer(d) for d in DTYPES if d.name != "bool"},
    "nan": np.nan,
    "inf": np.inf,
    "cuda": cuda,
    "math": math,
    "quotient": lambda a, b: _int32(operator.floordiv(int(a), int(b))),
    "rest": lambda a, b: _int32(operator.mod(int(a), int(b))),
    "load4": load4,
    "store4": store4,
}
"""The same names as `symcnn.backends.cuda.namespace.NAMES`."""
