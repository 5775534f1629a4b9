"""Reductions: folds over axes.

The gradient of a fold is written without new folds where it can be: the sum's by broadcasting, the maximum's by
comparing every position with the first extreme, so that both fuse with what surrounds them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from symcnn.errors import DTypeError, ShapeError
from symcnn.ir.loops import BOOL, INT, call
from symcnn.ir.op import Example, Op, build, builder
from symcnn.ir.types import TensorType, normalize_axes, shape_text
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.elementwise import as_variable, equal, where

_KINDS = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min, "any": np.any, "all": np.all}


def kept(shape, axes) -> tuple:
    """`shape` with the reduced axes at size 1."""
    return tuple(1 if k in axes else d for k, d in enumerate(shape))


def dropped(shape, axes) -> tuple:
    """`shape` without the reduced axes."""
    return tuple(d for k, d in enumerate(shape) if k not in axes)


@dataclass(frozen=True)
class Reduce(Op):
    """``out[p] = fold(kind, x[p, r])`` over the axes r."""

    kind: str
    axes: tuple[int, ...]
    keepdims: bool = False

    @property
    def name(self):
        return self.kind

    @property
    def smooth(self):
        return self.kind in ("sum", "prod", "max", "min")

    def label(self):
        return f"{self.kind}(axes={self.axes}{', keepdims' if self.keepdims else ''})"

    def infer(self, x):
        dtype = x.dtype
        if self.kind in ("any", "all"):
            dtype = BOOL
        elif self.kind in ("sum", "prod") and not x.is_float:
            dtype = np.dtype("uint64" if dtype.kind == "u" else "int64")
        if self.kind in ("max", "min"):
            refuse_empty(self, x, self.axes)
        return TensorType(dtype, (kept if self.keepdims else dropped)(x.shape, self.axes))

    def reference(self, x):
        result = self.infer(type_of(x))
        dtype = result.dtype
        if result.size == 0:  # NumPy refuses the maximum of no elements even where there is no result to give
            return np.zeros(result.shape, dtype)
        options = {}
        if self.kind in ("sum", "prod"):  # NumPy's sums in float32 are accurate over the last axes only
            options["dtype"] = "float64" if x.dtype.kind == "f" else dtype
        with np.errstate(all="ignore"):
            found = _KINDS[self.kind](x, axis=self.axes, keepdims=self.keepdims, **options)
            return np.asarray(found, dtype)

    def pullback(self, inputs, output, cotangent):
        (x,) = inputs
        if not x.type.is_float or not output.type.is_float:
            return (None,)
        if not self.keepdims:
            cotangent = build("expand_dims", cotangent, self.axes)
        if not self.axes:
            return (cotangent,)
        if self.kind == "sum":
            return (build("broadcast_like", cotangent, x),)
        if self.kind == "prod":
            return (cotangent * products_of_the_others(x, self.axes),)
        first = apply(ArgReduce("arg" + self.kind, self.axes, keepdims=True), x)
        return (where(equal(build("position_like", x, self.axes), first), cotangent, 0),)

    def nest(self, result, x):
        index = full_index(result.index, self.axes, x.ndim, self.keepdims)

        def element(*r):
            value = x[index(r)]
            return call("not_equal", value, 0, dtype=BOOL) if self.kind in ("any", "all") else value.cast(result.dtype)

        return result.fold(self.kind, [x.shape[k] for k in self.axes], element)

    def flops(self, output, x):
        return x.size

    examples = (
        *(Example(((2, 3, 4),), {"kind": k, "axes": a, "keepdims": d})
          for k in ("sum", "prod", "max", "min") for a, d in (((1,), False), ((0, 2), True), ((0, 1, 2), False))),
        *(Example(((3, 1, 2, 2),), {"kind": k, "axes": (1, 3), "keepdims": False}) for k in ("sum", "max", "prod")),
        *(Example(((2, 0, 3),), {"kind": k, "axes": (1,), "keepdims": d}) for k, d in (("sum", False), ("prod", True))),
        *(Example(((0, 3),), {"kind": k, "axes": (1,), "keepdims": True}) for k in ("max", "min")),
        *(Example(((0, 0),), {"kind": k, "axes": (1,), "keepdims": False}) for k in ("max", "min")),
        *(Example(((2, 3),), {"kind": k, "axes": (), "keepdims": False}) for k in ("sum", "max")),
        Example(((),), {"kind": "sum", "axes": ()}),
        *(Example(((4, 3),), {"kind": k, "axes": (1,)}, dtypes=("int32",), integers={0: 5}) for k in ("sum", "prod", "max", "min", "any", "all")),
        *(Example(((4, 3),), {"kind": k, "axes": (0,), "keepdims": True}, dtypes=("bool",), integers={0: 2}) for k in ("sum", "max", "any", "all")),
        *(Example(((2, 0),), {"kind": k, "axes": (1,)}, dtypes=("bool",), integers={0: 2}) for k in ("any", "all")),
    )  # fmt: skip


@dataclass(frozen=True)
class ArgReduce(Op):
    """Flat position (int64) over the axes, in scan order, of the first extreme; a NaN is the extreme."""

    kind: str
    axes: tuple[int, ...]
    keepdims: bool = False

    smooth = False

    @property
    def name(self):
        return self.kind

    def label(self):
        return f"{self.kind}(axes={self.axes}{', keepdims' if self.keepdims else ''})"

    def infer(self, x):
        refuse_empty(self, x, self.axes)
        return TensorType(INT, (kept if self.keepdims else dropped)(x.shape, self.axes))

    def reference(self, x):
        rest = dropped(x.shape, self.axes)
        shape = kept(x.shape, self.axes) if self.keepdims else rest
        rows = np.moveaxis(x, self.axes, range(x.ndim - len(self.axes), x.ndim))
        rows = rows.reshape(*rest, math.prod(x.shape[k] for k in self.axes))
        if rows.shape[-1] == 0:
            return np.zeros(shape, INT)
        return getattr(np, self.kind)(rows, axis=-1).reshape(shape)

    def pullback(self, inputs, output, cotangent):
        return (None,)

    def nest(self, result, x):
        index = full_index(result.index, self.axes, x.ndim, self.keepdims)
        return result.fold(self.kind, [x.shape[k] for k in self.axes], lambda *r: x[index(r)], INT)

    def flops(self, output, x):
        return x.size

    examples = (
        *(Example(((3, 4),), {"kind": k, "axes": a, "keepdims": d})
          for k in ("argmax", "argmin") for a, d in (((0,), False), ((1,), True), ((0, 1), False))),
        Example(((2, 3, 4, 2),), {"kind": "argmax", "axes": (1, 3), "keepdims": True}),
        Example(((5, 6),), {"kind": "argmin", "axes": (1,)}, dtypes=("int64",), integers={0: 3}),
        Example(((0, 3),), {"kind": "argmax", "axes": (1,)}),
    )  # fmt: skip


def type_of(array: np.ndarray) -> TensorType:
    """The concrete type of an array."""
    return TensorType(array.dtype, array.shape)


def refuse_empty(op: Op, x: TensorType, axes):
    """max, argmax .. have no value for no elements (if there is a result to give at all)."""
    rest = dropped(x.shape, axes)
    if 0 in (x.shape[k] for k in axes) and None not in rest and 0 not in rest:
        raise ShapeError(f"{op.name} of an empty axis has no value", expected=f"sizes of at least 1 along axes {axes}",
                         found=shape_text(x.shape), hint="check the size before, or reduce with sc.sum")  # fmt: skip


def full_index(index, axes, ndim, keepdims):
    """A function from the counters of the reduced axes to the operand's index."""

    def at(counters):
        rest, counter = iter(index), iter(counters)
        found = []
        for k in range(ndim):
            if k not in axes:
                found.append(next(rest))
            else:
                found.append(next(counter))
                if keepdims:
                    next(rest)
        return tuple(found)

    return at


def products_of_the_others(x: Variable, axes) -> Variable:
    """At each element the product over `axes` of all the other elements, right where some are zero.

    One axis at a time: a row is laid out as a matrix without its diagonal, whose products over rows are what is asked.
    """
    partial = [x]
    for axis in axes[:0:-1]:
        partial.append(apply(Reduce("prod", (axis,), keepdims=True), partial[-1]))
    found = None
    for axis, y in zip(axes, reversed(partial), strict=True):
        position = build("position_like", y, (axis,))
        itself = equal(build("expand_dims", position, axis + 1), build("expand_dims", position, axis))
        others = prod(where(itself, 1, build("expand_dims", y, axis)), axis=axis + 1)
        found = others if found is None else found * others
    return build("ones_like", x) if found is None else found


def _reduction(kind, summary, rule, *aliases):
    def function(x, axis=None, keepdims=False):
        x = as_variable(x)
        return apply(Reduce(kind, normalize_axes(axis, x.ndim), bool(keepdims)), x)

    function.__name__ = function.__qualname__ = kind
    function.__module__ = __name__
    function.__doc__ = f"""{summary} over `axis`.

    Parameters
    ----------
    x : Variable or array_like
    axis : int, tuple of int or None
        ``None``: all axes.
    keepdims : bool
        Keep the reduced axes, with size 1.

    Returns
    -------
    Variable
        {rule}

    Raises
    ------
    ShapeError
        If an axis is out of range or named twice{", or a reduced axis is empty" if kind in ("max", "min") else ""}.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (2, 3))
    >>> sc.{kind}(x, axis=1).shape, sc.{kind}(x, axis=(0, 1), keepdims=True).shape
    ((2,), (1, 1))
    """
    return builder(kind, *aliases)(function)


sum = _reduction("sum", "Sum", "Small integers and booleans add up in 64 bits, as in NumPy; an empty sum is 0.")


prod = _reduction("prod", "Product", "Small integers multiply in 64 bits, as in NumPy; an empty product is 1.")


max = _reduction(
    "max", "Maximum", "dtype of `x`; NaN wins; the derivative goes to the first maximum in scan order.", "amax"
)


min = _reduction(
    "min", "Minimum", "dtype of `x`; NaN wins; the derivative goes to the first minimum in scan order.", "amin"
)


any = _reduction("any", "Whether an element is true (not zero)", "bool; of nothing: false.")


all = _reduction("all", "Whether every element is true (not zero)", "bool; of nothing: true.")


def _arg_reduction(kind, extreme):
    def function(x, axis=None, keepdims=False):
        x = as_variable(x)
        if isinstance(axis, (tuple, list)):
            raise DTypeError(f"{kind}: axis must be one integer or None", found=repr(axis), where=user_origin())
        if x.ndim == 0:
            return build("zeros_like", x, INT)
        return apply(ArgReduce(kind, normalize_axes(axis, x.ndim), bool(keepdims)), x)

    function.__name__ = function.__qualname__ = kind
    function.__module__ = __name__
    function.__doc__ = f"""Position of the first {extreme} along `axis` (int64); of the flattened `x` when it is None.

    Parameters
    ----------
    x : Variable or array_like
    axis : int or None
    keepdims : bool

    Raises
    ------
    ShapeError
        If the axis is out of range or empty.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.{kind}(sc.input("x", (2, 3)), axis=1).type
    TensorType(dtype=dtype('int64'), shape=(2,))
    """
    return builder(kind)(function)


argmax = _arg_reduction("argmax", "maximum")


argmin = _arg_reduction("argmin", "minimum")
