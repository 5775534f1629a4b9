"""The names that the source of a kernel may use.

Besides what is here, kernels are plain Python as numba.cuda compiles it. Nothing here needs a driver.
"""

from __future__ import annotations

import math

import numpy as np
from numba import cuda
from numba.core import types

from symcnn.backends.cuda import tensor_cores, vectors
from symcnn.backends.scalars import functions
from symcnn.backends.scalars.formula import convert, formula
from symcnn.ir.types import DTYPES


def _naturals(function):
    """`function` of two int32 that are not negative, the second not 0: without signs, a division is shorter."""

    def of_int32(a, b):
        return convert(function(convert(a, types.uint32), convert(b, types.uint32)), types.int32)

    return formula(of_int32, operands=types.int32)


NAMES: dict[str, object] = {
    **functions.NAMES,
    **{d.name: getattr(np, d.name) for d in DTYPES if d.name != "bool"},
    "nan": np.nan,
    "inf": np.inf,
    "cuda": cuda,
    "math": math,
    "quotient": _naturals(lambda a, b: a // b),
    "rest": _naturals(lambda a, b: a % b),
    "load4": vectors.load4,
    "store4": vectors.store4,
    "to_tf32": tensor_cores.to_tf32,
    "multiply_tiles": tensor_cores.multiply_tiles,
}
"""Name in the source of a kernel -> function, type or number."""
