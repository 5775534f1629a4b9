"""The names that kernels use, in plain NumPy: for Numba's simulator, which runs kernels as Python.

They take and give NumPy scalars of the dtype in which the compiled function computes, and raise no warnings.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numba import cuda

from symcnn.backends.scalars import functions
from symcnn.ir.types import DTYPES
from symcnn.ops.elementwise import ROWS

_ROW = {"atan": "arctan"}


class _Integer:
    """A dtype of integers: given a number it wraps around, or cuts off the fraction; NumPy itself would raise.

    An int32 is given as int64, because that is what Numba makes of arithmetic with it: a value of 64 bits that is computed
    from positions is then as large as it is.
    """

    def __init__(self, dtype: Any):
        self.dtype = np.dtype(dtype)
        self._type = np.int64 if self.dtype == np.int32 else self.dtype.type
        limits = np.iinfo(dtype)
        self._low, self._count = int(limits.min), 2**limits.bits

    def __call__(self, number):
        whole = int(number) if math.isfinite(number) else self._low
        return self._type((whole - self._low) % self._count + self._low)


def _double(name: str):
    """The function of that name in the elementwise table."""
    function = ROWS[_ROW.get(name, name)].numpy

    def double(*operands):
        dtype = np.result_type(*operands)
        with np.errstate(all="ignore"):
            # as arrays: of scalars NumPy takes the power 1/2 by another function
            result = function(*(np.asarray(x).astype(dtype).reshape(1) for x in operands))
        return result.astype(result.dtype if name.startswith("is") else dtype)[0]

    return double


def _random(name):
    """Three integers of 64 bits to a random number."""
    function = ROWS[name].numpy
    return lambda *operands: function(*operands)[()]


def _where_integer(of_integers, name):
    """The function of that name, but for integers, of which NumPy refuses some or makes floats."""
    double = _double(name)

    def chosen(*operands):
        dtype = np.result_type(*operands)
        return double(*operands) if dtype.kind == "f" else dtype.type(of_integers(double, *map(int, operands), dtype))

    return chosen


def _power(double, x, y, dtype):
    inverse = {1: 1, -1: 1 - 2 * (y & 1)}  # a negative power is the nearest integer below 1 in size
    return double(dtype.type(x), dtype.type(y)) if y >= 0 else inverse.get(x, 0)


def load4(pointer, index):
    """Four elements from `index` on."""
    return pointer[index], pointer[index + 1], pointer[index + 2], pointer[index + 3]


def store4(pointer, index, a, b, c, d):
    """Write four elements from `index` on."""
    pointer[index] = a
    pointer[index + 1] = b
    pointer[index + 2] = c
    pointer[index + 3] = d


def to_tf32(x):
    """A float32 with its fraction rounded to 10 bits, of two the one farther from 0."""
    if not np.isfinite(x):
        return x
    return np.int32((np.float32(x).view(np.int32) + 0x1000) & -0x2000).view(np.float32)


def multiply_tiles(shared, left, left_own, left_step, right, right_own, right_step, sums, at, lane):
    """A thread's elements of the product of two tiles of shared memory, added to its sums."""
    for k in range(4):
        row, column = lane // 4 + k // 2 * 8, lane % 4 * 2 + k % 2
        total = sums[at + k]
        for step in range(8):
            a = shared[left + row * left_own + step * left_step]
            total += a * shared[right + column * right_own + step * right_step]
        sums[at + k] = total


_int32 = _Integer("int32")

NAMES: dict[str, object] = {
    **{name: (_random if name.startswith("random") else _double)(name) for name in functions.NAMES},
    "power": _where_integer(_power, "power"),
    "reciprocal": _where_integer(lambda double, x, dtype: x if abs(x) == 1 else 0, "reciprocal"),
    "rint": _where_integer(lambda double, x, dtype: x, "rint"),
    **{d.name: d.type if d.kind == "f" else _Integer(d) for d in DTYPES if d.name != "bool"},
    "nan": np.nan,
    "inf": np.inf,
    "cuda": cuda,
    "math": math,
    "quotient": lambda a, b: _int32(operator.floordiv(int(a), int(b))),
    "rest": lambda a, b: _int32(operator.mod(int(a), int(b))),
    "load4": load4,
    "store4": store4,
    "to_tf32": to_tf32,
    "multiply_tiles": multiply_tiles,
}
"""The same names as `symcnn.backends.cuda.namespace.NAMES`."""
