"""Running sums along an axis. Each element adds up its own part, so that all of them can be computed at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.ir.loops import select
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import normalize_axis
from symcnn.ir.variable import Variable, apply
from symcnn.ops.elementwise import as_variable, cast
from symcnn.ops.shape import flatten


@dataclass(frozen=True)
class CumSum(Op):
    """``out[.., i, ..] = sum_{k <= i} x[.., k, ..]`` along `axis`; with `reverse` the sum over k >= i."""

    axis: int
    reverse: bool = False

    examples = (
        Example(((5,),), {"axis": 0}),
        Example(((2, 3, 4),), {"axis": 1}),
        Example(((2, 3, 4),), {"axis": 1, "reverse": True}),
        Example(((3, 1),), {"axis": 1}),
        Example(((2, 0),), {"axis": 1}),
        Example(((3, 4),), {"axis": 0}, dtypes=("int64",), integers={0: 9}),
    )

    def infer(self, x):
        return x

    def reference(self, x):
        dtype = "float64" if x.dtype.kind == "f" else x.dtype
        rows = np.flip(x, self.axis) if self.reverse else x
        with np.errstate(all="ignore"):
            found = np.cumsum(rows, self.axis, dtype=dtype).astype(x.dtype)
        return np.flip(found, self.axis) if self.reverse else found

    def pullback(self, inputs, output, cotangent):
        return (apply(CumSum(self.axis, not self.reverse), cotangent),)

    def nest(self, result, x):
        i = result.index[self.axis]

        def element(k):
            index = list(result.index)
            index[self.axis] = k
            return select(k >= i if self.reverse else k <= i, x[tuple(index)], 0)

        return result.fold("sum", [x.shape[self.axis]], element)

    def flops(self, output, x):
        return output.size * x.shape[self.axis]


@builder("cumsum", "cumulative_sum")
def cumsum(x, axis=None, dtype=None) -> Variable:
    """Sums of all elements up to each one, along `axis`.

    Parameters
    ----------
    x : Variable or array_like
    axis : int or None
        ``None``: of the flattened `x`.
    dtype : optional
        Of the result; small integers and booleans add up in 64 bits unless given.

    Raises
    ------
    ShapeError
        If the axis is out of range.

    Notes
    -----
    The work grows with the square of the size of the axis.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (3,))
    >>> sc.function([x], sc.cumsum(x), device="reference")([1, 2, 3])
    array([1., 3., 6.], dtype=float32)
    """
    x = as_variable(x)
    if dtype is None and not x.type.is_float:
        dtype = "uint64" if x.dtype.kind == "u" else "int64"
    x = x if dtype is None else cast(x, dtype)
    if axis is None:
        x, axis = flatten(x), 0
    return apply(CumSum(normalize_axis(axis, x.ndim)), x)
