"""Counts, means and variances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import TensorType, normalize_axes
from symcnn.ir.variable import Variable, apply, constant
from symcnn.ops.elementwise import as_variable, cast, sqrt, square
from symcnn.ops.reduce import max, min, sum


@dataclass(frozen=True)
class CountLike(Op):
    """How many elements of `like` one result of a reduction over `axes` sees: a scalar."""

    axes: tuple[int, ...]
    dtype: np.dtype

    pattern = "gather"
    shape_only = (0,)
    examples = (
        Example(((2, 3, 4),), {"axes": (0, 2), "dtype": np.dtype("float32")}),
        Example(((0, 3),), {"axes": (0,), "dtype": np.dtype("float64")}),
        Example(((),), {"axes": (), "dtype": np.dtype("float32")}),
    )

    def infer(self, like):
        return TensorType(self.dtype, ())

    def parameters(self, like):
        return (math.prod(like.shape[k] for k in self.axes),)

    def reference(self, like):
        return np.asarray(math.prod(like.shape[k] for k in self.axes), self.dtype)

    def pullback(self, inputs, output, cotangent):
        return (None,)

    def nest(self, result, like):
        return result.param(0).cast(self.dtype)


def _as_float(x) -> Variable:
    x = as_variable(x)
    # NumPy's rule for means: floats stay, all else becomes float64.
    return x if x.type.is_float else cast(x, "float64")


@builder("count")
def count(x, axis=None) -> Variable:
    """How many elements a reduction of `x` over `axis` sees, as a scalar of the dtype of ``mean(x)``.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.count(sc.input("x", (None, 3)), axis=0).type
    TensorType(dtype=dtype('float32'), shape=())
    """
    x = as_variable(x)
    dtype = x.dtype if x.type.is_float else np.dtype("float64")
    axes = normalize_axes(axis, x.ndim)
    sizes = [x.shape[k] for k in axes]
    return apply(CountLike(axes, dtype), x) if None in sizes else constant(math.prod(sizes), dtype)


@builder("mean")
def mean(x, axis=None, keepdims=False) -> Variable:
    r"""Mean :math:`\frac1n \sum x` over `axis`; of integers in float64; of nothing NaN.

    Parameters
    ----------
    x : Variable or array_like
    axis : int, tuple of int or None
    keepdims : bool

    Raises
    ------
    ShapeError
        If an axis is out of range or named twice.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.mean(sc.input("x", (None, 3)), axis=0).shape
    (3,)
    """
    x = _as_float(x)
    return sum(x, axis, keepdims) / count(x, axis)


@builder("var")
def var(x, axis=None, ddof=0, keepdims=False) -> Variable:
    r"""Variance :math:`\frac1{n - ddof} \sum (x - \bar x)^2` over `axis`.

    Parameters
    ----------
    x : Variable or array_like
    axis : int, tuple of int or None
    ddof : int or float
        0 for the variance of the sample itself, 1 for the unbiased estimate of a population's.
    keepdims : bool

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.var(sc.input("x", (4, 3)), axis=0, ddof=1).shape
    (3,)
    """
    x = _as_float(x)
    deviation = x - mean(x, axis, keepdims=True)
    return sum(square(deviation), axis, keepdims) / (count(x, axis) - ddof)


@builder("std")
def std(x, axis=None, ddof=0, keepdims=False) -> Variable:
    """Standard deviation, the root of `var`; its derivative is infinite where the deviation is 0.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.std(sc.input("x", (4, 3)), axis=0).shape
    (3,)
    """
    return sqrt(var(x, axis, ddof, keepdims))


@builder("ptp")
def ptp(x, axis=None, keepdims=False) -> Variable:
    """From peak to peak: the maximum less the minimum over `axis`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.ptp(sc.input("x", (4, 3)), axis=0).shape
    (3,)
    """
    return max(x, axis, keepdims) - min(x, axis, keepdims)
