"""Other shapes for the same elements: reshapes, transposes, axes of size 1. None of them computes anything.

A reshape is the same memory under another shape ("alias"); the others find each element by strides ("view").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from symcnn.errors import DTypeError, ShapeError
from symcnn.ir.loops import const
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import normalize_axes, normalize_axis, shape_text
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.elementwise import as_variable
from symcnn.ops.reduce import type_of


@dataclass(frozen=True)
class Reshape(Op):
    """The same elements in the same order under `newshape`: an int is a size, ``None`` the operand's size at that
    position, one -1 whatever remains."""

    newshape: tuple[int | None, ...]

    pattern = "alias"
    examples = (
        Example(((2, 3, 4),), {"newshape": (4, 6)}),
        Example(((2, 3, 4),), {"newshape": (None, -1)}),
        Example(((2, 3),), {"newshape": (-1, 1, 3, 1)}),
        Example(((0, 3, 2),), {"newshape": (None, -1)}),
        Example(((1,),), {"newshape": ()}),
        Example(((),), {"newshape": (1, 1)}),
        Example(((4, 3),), {"newshape": (-1,)}, dtypes=("int32",), integers={0: 9}),
    )

    def infer(self, x):
        copied = [k for k, d in enumerate(self.newshape) if d is None]
        if copied and copied[-1] >= x.ndim:
            raise ShapeError(f"position {copied[-1]} of the new shape copies a dimension that is not there",
                             found=str(x), hint="give the size, or -1 for one of them")  # fmt: skip
        shape = [x.shape[k] if d is None else d for k, d in enumerate(self.newshape)]
        # What was copied cancels: the remaining sizes have to match, known or not.
        left = [d for k, d in enumerate(x.shape) if k not in copied]
        given = math.prod(d for d in self.newshape if d is not None and d >= 0)
        if None in left:
            if -1 in shape:
                shape[shape.index(-1)] = None
            return x.with_shape(shape)
        count = math.prod(left)
        if -1 in shape:
            if given == 0 or count % given:
                self._refuse(x)
            shape[shape.index(-1)] = count // given
        elif count != given and not (0 in shape and 0 in x.shape):
            self._refuse(x)
        return x.with_shape(shape)

    def _refuse(self, x):
        raise ShapeError("the number of elements differs", expected=f"{x.size if x.is_concrete else '?'} elements as in {shape_text(x.shape)}",
                         found=shape_text(None if d == -1 else d for d in self.newshape), hint="one size may be -1: it takes what remains")  # fmt: skip

    def reference(self, x):
        return x.reshape(self.infer(type_of(x)).shape)

    def pullback(self, inputs, output, cotangent):
        return (reshape_like(cotangent, inputs[0]),)

    def nest(self, result, x):
        return x[unflatten(flat_index(result.index, result.shape), x.shape)]


@dataclass(frozen=True)
class ReshapeLike(Op):
    """The elements of `x` in the same order, in the shape of `like`."""

    pattern = "alias"
    shape_only = (1,)
    examples = (Example(((2, 6), (3, 4))), Example(((0, 3), (3, 2, 0))), Example(((1, 1), ())))

    def infer(self, x, like):
        if None not in (x.size, like.size) and x.size != like.size:
            raise ShapeError(
                "the number of elements differs", expected=shape_text(like.shape), found=shape_text(x.shape)
            )
        return x.with_shape(like.shape)

    def reference(self, x, like):
        return x.reshape(like.shape)

    def pullback(self, inputs, output, cotangent):
        return reshape_like(cotangent, inputs[0]), None

    def nest(self, result, x, like):
        return x[unflatten(flat_index(result.index, result.shape), x.shape)]


@dataclass(frozen=True)
class Transpose(Op):
    """``out[i] = x[j]`` with ``i[k] = j[axes[k]]``."""

    axes: tuple[int, ...]

    pattern = "view"
    examples = (
        Example(((2, 3, 4),), {"axes": (2, 0, 1)}),
        Example(((2, 1, 3, 4),), {"axes": (0, 2, 3, 1)}),
        Example(((3, 0),), {"axes": (1, 0)}),
        Example(((3,),), {"axes": (0,)}),
        Example(((),), {"axes": ()}),
    )

    def keeps_order(self, shape) -> bool:
        """Whether the elements of an operand of this shape stay in their order: only axes of size 1 move."""
        moved = [k for k in self.axes if shape[k] != 1]
        return moved == sorted(moved)

    def infer(self, x):
        if sorted(self.axes) != list(range(x.ndim)):
            raise ShapeError(f"axes must name each of the {x.ndim} axes once", found=self.axes)
        return x.with_shape(x.shape[k] for k in self.axes)

    def reference(self, x):
        return x.transpose(self.axes)

    def pullback(self, inputs, output, cotangent):
        return (transpose(cotangent, tuple(self.axes.index(k) for k in range(len(self.axes)))),)

    def nest(self, result, x):
        return x[tuple(result.index[self.axes.index(k)] for k in range(x.ndim))]


@dataclass(frozen=True)
class ExpandDims(Op):
    """New axes of size 1 at the positions `axes` of the result."""

    axes: tuple[int, ...]

    pattern = "view"
    examples = (
        Example(((2, 3),), {"axes": (0, 2)}),
        Example(((),), {"axes": (0,)}),
        Example(((0, 2),), {"axes": (1,)}),
    )

    def infer(self, x):
        rest = iter(x.shape)
        return x.with_shape(1 if k in self.axes else next(rest) for k in range(x.ndim + len(self.axes)))

    def reference(self, x):
        return np.expand_dims(x, self.axes)

    def pullback(self, inputs, output, cotangent):
        return (apply(Squeeze(self.axes), cotangent),)

    def nest(self, result, x):
        return x[tuple(i for k, i in enumerate(result.index) if k not in self.axes)]


@dataclass(frozen=True)
class Squeeze(Op):
    """Removes `axes`, each of size 1."""

    axes: tuple[int, ...]

    pattern = "view"
    examples = (
        Example(((1, 2, 1, 3),), {"axes": (0, 2)}),
        Example(((1,),), {"axes": (0,)}),
        Example(((1, 0),), {"axes": (0,)}),
    )

    def infer(self, x):
        for k in self.axes:
            if x.shape[k] not in (1, None):
                raise ShapeError(f"axis {k} cannot be removed", expected="size 1", found=shape_text(x.shape),
                                 hint="reduce it, or take one element of it by indexing")  # fmt: skip
        return x.with_shape(d for k, d in enumerate(x.shape) if k not in self.axes)

    def reference(self, x):
        return np.squeeze(x, self.axes)

    def pullback(self, inputs, output, cotangent):
        return (apply(ExpandDims(self.axes), cotangent),)

    def nest(self, result, x):
        rest = iter(result.index)
        return x[tuple(const(0) if k in self.axes else next(rest) for k in range(x.ndim))]


def flat_index(index, shape):
    """The position in C order of the point `index` of an array of `shape`."""
    flat = const(0)
    for i, n in zip(index, shape, strict=True):
        flat = flat * n + i
    return flat


def unflatten(flat, shape):
    """The point at position `flat` in C order."""
    index = []
    for n in reversed(shape[1:]):
        index.append(flat % n)
        flat = flat // n
    return (flat, *reversed(index)) if shape else ()


def as_shape(shape, more=()) -> tuple:
    """A tuple of sizes from a tuple, a list, or sizes given one by one."""
    sizes: tuple[Any, ...] = tuple(shape) if isinstance(shape, (tuple, list)) and not more else (shape, *more)
    found = []
    for d in sizes:
        if isinstance(d, (Variable, float)) or (d is not None and not hasattr(d, "__index__")):
            raise DTypeError("a shape is made of integers", found=repr(sizes), where=user_origin())
        found.append(None if d is None else d.__index__())
    return tuple(found)


def axes_argument(axes) -> tuple:
    return tuple(axes) if isinstance(axes, (tuple, list)) else (axes,)


@builder("reshape")
def reshape(x, shape, *more) -> Variable:
    """The elements of `x`, in C order, under another shape.

    Parameters
    ----------
    x : Variable or array_like
    shape : tuple of int, or int
        One size may be -1: it takes what remains. ``None`` keeps the size that `x` has at that position, so
        ``x.reshape(x.shape[0], -1)`` works while the batch size is unknown.

    Raises
    ------
    ShapeError
        If the number of elements differs (at the call, while sizes are unknown).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.reshape(sc.input("x", (None, 3, 4)), (None, -1)).shape
    (None, 12)
    """
    x, sizes = as_variable(x), as_shape(shape, more)
    if sizes.count(-1) > 1 or any(d is not None and d < -1 for d in sizes):
        raise ShapeError("reshape: sizes are positive, and at most one is -1", found=sizes, where=user_origin())
    return x if x.type.is_concrete and sizes == x.shape else apply(Reshape(sizes), x)


@builder("reshape_like")
def reshape_like(x, like) -> Variable:
    """The elements of `x`, in C order, in the shape of `like`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.reshape_like(sc.input("x", (6,)), sc.input("y", (2, 3))).shape
    (2, 3)
    """
    x, like = as_variable(x), as_variable(like)
    return reshape(x, like.shape) if like.type.is_concrete else apply(ReshapeLike(), x, like)


@builder("flatten", "ravel")
def flatten(x, start=0) -> Variable:
    """All axes from `start` on as one; ``flatten(x, 1)`` keeps the batch axis.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (None, 3, 4))
    >>> sc.flatten(x, 1).shape, x[:2].flatten().ndim
    ((None, 12), 1)
    """
    x = as_variable(x)
    start = normalize_axis(start, x.ndim, "start") if x.ndim else 0
    return x if x.ndim == start + 1 else reshape(x, (None,) * start + (-1,))


@builder("transpose", "permute_dims")
def transpose(x, axes=None, *more) -> Variable:
    """Axes in another order: axis k of the result is axis ``axes[k]`` of `x`; without `axes`, reversed.

    Raises
    ------
    ShapeError
        If `axes` does not name every axis once.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.transpose(sc.input("x", (2, 3, 4)), (0, 2, 1)).shape
    (2, 4, 3)
    """
    x = as_variable(x)
    if axes is None:
        order = tuple(reversed(range(x.ndim)))
    else:
        order = tuple(normalize_axis(k, x.ndim) for k in (*axes_argument(axes), *more))
    return x if order == tuple(range(x.ndim)) else apply(Transpose(order), x)


@builder("swapaxes")
def swapaxes(x, axis1, axis2) -> Variable:
    """Two axes exchanged.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.swapaxes(sc.input("x", (2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    x = as_variable(x)
    a, b = normalize_axis(axis1, x.ndim), normalize_axis(axis2, x.ndim)
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return transpose(x, order)


@builder("moveaxis")
def moveaxis(x, source, destination) -> Variable:
    """Axes moved from the positions `source` to `destination`; the others keep their order.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.moveaxis(sc.input("x", (2, 3, 4)), 1, -1).shape
    (2, 4, 3)
    """
    x = as_variable(x)
    given = [tuple(normalize_axis(k, x.ndim) for k in axes_argument(a)) for a in (source, destination)]
    if len(given[0]) != len(given[1]) or any(len(set(a)) != len(a) for a in given):
        raise ShapeError(
            "moveaxis: source and destination name as many axes, each once",
            found=(source, destination),
            where=user_origin(),
        )
    order = [k for k in range(x.ndim) if k not in given[0]]
    for to, start in sorted(zip(given[1], given[0], strict=True)):
        order.insert(to, start)
    return transpose(x, order)


@builder("expand_dims", "unsqueeze")
def expand_dims(x, axis) -> Variable:
    """New axes of size 1 at the positions `axis` (an int or a tuple) of the result.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.expand_dims(sc.input("x", (2, 3)), (0, -1)).shape
    (1, 2, 3, 1)
    """
    x, axes = as_variable(x), axes_argument(axis)
    axes = normalize_axes(axes, x.ndim + len(axes))
    return apply(ExpandDims(axes), x) if axes else x


@builder("squeeze")
def squeeze(x, axis=None) -> Variable:
    """Axes of size 1 removed: those named, or all that are known to have it.

    Raises
    ------
    ShapeError
        If a named axis has another size (at the call, while it is unknown).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.squeeze(sc.input("x", (None, 1, 3, 1))).shape
    (None, 3)
    """
    x = as_variable(x)
    axes = tuple(k for k, d in enumerate(x.shape) if d == 1) if axis is None else normalize_axes(axis, x.ndim)
    return apply(Squeeze(axes), x) if axes else x
