"""More elements around a Variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.loops import const, select, within
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import shape_text
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.elementwise import as_variable
from symcnn.ops.indexing import WHOLE, slice_axes
from symcnn.ops.joining import concat
from symcnn.ops.shape import expand_dims


@dataclass(frozen=True)
class Pad(Op):
    """`value` around `x`: per axis (before, after)."""

    widths: tuple[tuple[int, int], ...]
    value: float = 0.0

    pattern = "gather"
    examples = (
        Example(((2, 3),), {"widths": ((1, 0), (2, 3))}),
        Example(((2, 0, 1),), {"widths": ((0, 0), (1, 1), (0, 2)), "value": -1.5}),
        Example(((),), {"widths": ()}),
        Example(((2, 3),), {"widths": ((1, 1), (0, 1)), "value": 7}, dtypes=("int32",), integers={0: 5}),
    )

    def label(self):
        return f"pad({self.widths}{f', value={self.value}' if self.value else ''})"

    def infer(self, x):
        return x.with_shape(
            None if n is None else n + low + high for n, (low, high) in zip(x.shape, self.widths, strict=True)
        )

    def reference(self, x):
        return np.pad(x, self.widths, constant_values=self.value) if x.ndim else x

    def pullback(self, inputs, output, cotangent):
        return (slice_axes(cotangent, tuple((low or None, -high or None, None) for low, high in self.widths)),)

    def nest(self, result, x):
        index = tuple(i - low for i, (low, _) in zip(result.index, self.widths, strict=True))
        bounds = [(i, 0, n) for i, n, width in zip(index, x.shape, self.widths, strict=True) if any(width)]
        return select(within(*bounds), x[index], const(self.value, x.dtype))


@builder("pad")
def pad(x, pad_width, mode="constant", constant_values=0) -> Variable:
    """`x` with more elements around it, as ``np.pad``.

    Parameters
    ----------
    x : Variable or array_like
    pad_width : int, (before, after), or one such pair per axis
    mode : {"constant", "edge", "reflect"}
        `constant_values`, the outermost element, or the elements mirrored at it.
    constant_values : float

    Raises
    ------
    ShapeError
        If a width is negative, or larger than ``n - 1`` for ``"reflect"``.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.pad(sc.input("x", (2, 3)), ((0, 0), (1, 2))).shape
    (2, 6)
    """
    x = as_variable(x)
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        if isinstance(constant_values, Variable) or np.ndim(constant_values):
            raise DTypeError(
                "pad: constant_values must be one number", found=repr(constant_values), where=user_origin()
            )
        value = np.asarray(constant_values).astype(x.dtype).item()
        return apply(Pad(widths, value), x) if any(map(any, widths)) else x
    if mode not in ("edge", "reflect"):
        raise InputError(f"pad: unknown mode {mode!r}", expected="'constant', 'edge' or 'reflect'", where=user_origin())
    for axis, (low, high) in enumerate(widths):
        x = _mirror(x, axis, low, high, mode)
    return x


def _widths(pad_width, ndim):
    try:
        widths = tuple((int(low), int(high)) for low, high in np.broadcast_to(np.asarray(pad_width), (ndim, 2)))
    except ValueError:
        widths = None
    if widths is None or any(w < 0 for pair in widths for w in pair):
        raise ShapeError("pad: widths do not fit", expected=f"(before, after), at least 0, for each of {ndim} axes",
                         found=repr(pad_width), where=user_origin())  # fmt: skip
    return widths


def _mirror(x, axis, low, high, mode):
    """Elements of `x` itself before and after it: single slices, so that an unknown size is no obstacle."""
    if low == high == 0:
        return x
    n = x.shape[axis]
    needed = max(low, high) + 1 if mode == "reflect" else 1
    if n is not None and n < needed:
        raise ShapeError(f"pad: axis {axis} is too short to {mode}", expected=f"a size of at least {needed}", found=shape_text(x.shape),
                         where=user_origin())  # fmt: skip

    def at(k):
        return expand_dims(slice_axes(x, (WHOLE,) * axis + (k,) + (WHOLE,) * (x.ndim - axis - 1)), axis)

    before = [at(k if mode == "reflect" else 0) for k in range(low, 0, -1)]
    after = [at(-1 - k if mode == "reflect" else -1) for k in range(1, high + 1)]
    return concat([*before, x, *after], axis)
