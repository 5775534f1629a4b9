"""Putting Variables together and taking them apart again: concat, stack, split, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.loops import Expr, const, select
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import normalize_axis, shape_text
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.broadcast import broadcast_to
from symcnn.ops.elementwise import as_operands, as_variable, cast
from symcnn.ops.fill import zeros_like
from symcnn.ops.indexing import WHOLE, slice_axes
from symcnn.ops.shape import expand_dims, reshape

MAX_OPERANDS = 16  # of one kernel; more are joined in a tree


@dataclass(frozen=True)
class Concat(Op):
    """The operands one after the other along `axis`."""

    axis: int

    pattern = "gather"
    examples = (
        Example(((2, 3), (2, 1), (2, 4)), {"axis": 1}),
        Example(((2, 3), (0, 3)), {"axis": 0}),
        Example(((2, 1, 3), (2, 2, 3)), {"axis": 1}),
        Example(((3,),), {"axis": 0}),
    )

    def infer(self, *types):
        first = types[0]
        shape = list(first.shape)
        for t in types[1:]:
            if t.dtype != first.dtype:
                raise DTypeError("the operands must have one dtype", expected=first.dtype, found=t.dtype)
            if t.ndim != first.ndim:
                self._refuse(types)
            for k, d in enumerate(t.shape):
                if k == self.axis:
                    shape[k] = None if None in (shape[k], d) else shape[k] + d
                elif None not in (shape[k], d) and shape[k] != d:
                    self._refuse(types)
                elif shape[k] is None:
                    shape[k] = d
        return first.with_shape(shape)

    def _refuse(self, types):
        raise ShapeError("the operands do not fit together", expected=f"equal sizes along all axes but {self.axis}",
                         found=" and ".join(shape_text(t.shape) for t in types))  # fmt: skip

    def reference(self, *arrays):
        return np.concatenate(arrays, self.axis)

    def pullback(self, inputs, output, cotangent):
        return tuple(apply(Part(self.axis, k, len(inputs)), cotangent, *inputs) for k in range(len(inputs)))

    def nest(self, result, *operands):
        i = result.index[self.axis]
        starts: list[Expr] = [const(0)]
        for x in operands[:-1]:
            starts.append(starts[-1] + x.shape[self.axis])

        def element(x, start):
            index = list(result.index)
            index[self.axis] = i - start
            return x[tuple(index)]

        found = element(operands[-1], starts[-1])
        for k in reversed(range(len(operands) - 1)):
            found = select(i < starts[k + 1], element(operands[k], starts[k]), found)
        return found


@dataclass(frozen=True)
class Part(Op):
    """The part of `x` that came from operand `position` of a `Concat`; the operands follow `x`, for their shapes."""

    axis: int
    position: int
    count: int

    pattern = "view"
    examples = (
        Example(((2, 8), (2, 3), (2, 1), (2, 4)), {"axis": 1, "position": 2, "count": 3}),
        Example(((5, 2), (2, 2), (3, 2)), {"axis": 0, "position": 0, "count": 2}),
        Example(((2,), (2,), (0,)), {"axis": 0, "position": 1, "count": 2}),
    )

    @property
    def shape_only(self):
        return tuple(range(1, self.count + 1))

    def infer(self, x, *like):
        sizes = [t.shape[self.axis] for t in like]
        if None not in (*sizes, x.shape[self.axis]) and sum(sizes) != x.shape[self.axis]:
            raise ShapeError("the parts do not add up", expected=sum(sizes), found=x.shape[self.axis])
        return x.with_shape((*x.shape[: self.axis], sizes[self.position], *x.shape[self.axis + 1 :]))

    def parameters(self, x, *like):
        return (sum(t.shape[self.axis] for t in like[: self.position]),)

    def reference(self, x, *like):
        start = sum(t.shape[self.axis] for t in like[: self.position])
        return x[(slice(None),) * self.axis + (slice(start, start + like[self.position].shape[self.axis]),)]

    def pullback(self, inputs, output, cotangent):
        parts = [cotangent if k == self.position else zeros_like(x, cotangent.dtype) for k, x in enumerate(inputs[1:])]
        return apply(Concat(self.axis), *parts), *(None for _ in parts)

    def nest(self, result, x, *like):
        index = list(result.index)
        index[self.axis] = index[self.axis] + result.param(0)
        return x[tuple(index)]


def as_list(xs, what) -> list:
    """The operands that `xs` lists, at least one."""
    if isinstance(xs, Variable) or not hasattr(xs, "__iter__"):
        raise DTypeError(f"{what} takes a list of Variables", found=repr(xs), where=user_origin())
    xs = list(xs)
    if not xs:
        raise InputError(f"{what} of nothing", expected="at least one Variable", where=user_origin())
    return xs


def _common(xs, what):
    """Variables of one dtype, and at least one."""
    xs = as_operands(*as_list(xs, what))
    dtype = np.result_type(*(x.dtype for x in xs))
    return [cast(x, dtype) for x in xs]


@builder("concat", "concatenate")
def concat(xs, axis=0) -> Variable:
    """The Variables of a list one after the other along `axis`; dtypes promote as in NumPy.

    Parameters
    ----------
    xs : sequence of Variable or array_like
    axis : int

    Raises
    ------
    ShapeError
        If other sizes than those along `axis` differ.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.concat([sc.input("x", (None, 3)), sc.input("y", (None, 4))], axis=1).shape
    (None, 7)
    """
    xs = _common(xs, "concat")
    axis = normalize_axis(axis, xs[0].ndim)
    while len(xs) > MAX_OPERANDS:
        xs = [concat(xs[k : k + MAX_OPERANDS], axis) for k in range(0, len(xs), MAX_OPERANDS)]
    return xs[0] if len(xs) == 1 else apply(Concat(axis), *xs)


@builder("stack")
def stack(xs, axis=0) -> Variable:
    """The Variables of a list, all of one shape, side by side along a new axis.

    Parameters
    ----------
    xs : sequence of Variable or array_like
    axis : int
        Position of the new axis in the result.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.stack([sc.input("x", (2, 3)), sc.input("y", (2, 3))], axis=-1).shape
    (2, 3, 2)
    """
    xs = _common(xs, "stack")
    first = xs[0]
    if any(
        x.ndim != first.ndim or any(None not in (a, b) and a != b for a, b in zip(x.shape, first.shape, strict=True))
        for x in xs
    ):
        raise ShapeError(
            "stack: the shapes differ",
            expected=shape_text(first.shape),
            found=" and ".join(map(repr, xs)),
            where=user_origin(),
        )
    axis = normalize_axis(axis, first.ndim + 1)
    return concat([expand_dims(x, axis) for x in xs], axis)


@builder("split")
def split(x, sections, axis=0) -> list[Variable]:
    """`x` cut along `axis`.

    Parameters
    ----------
    x : Variable or array_like
    sections : int or sequence of int
        A number of equal parts, or the positions at which to cut.
    axis : int

    Raises
    ------
    ShapeError
        If `sections` does not divide the size, or the size is not known.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (6, 4))
    >>> [p.shape for p in sc.split(x, 3)], [p.shape for p in sc.split(x, [1, 3], axis=1)]
    ([(2, 4), (2, 4), (2, 4)], [(6, 1), (6, 2), (6, 1)])
    """
    x = as_variable(x)
    axis = normalize_axis(axis, x.ndim)
    if hasattr(sections, "__index__"):
        n, count = x.shape[axis], sections.__index__()
        if n is None or count < 1 or n % count:
            raise ShapeError(f"split: axis {axis} cannot be cut into {count} equal parts", expected=f"a known multiple of {count}",
                             found=shape_text(x.shape), hint="name the positions instead: split(x, [2, 5])", where=user_origin())  # fmt: skip
        cuts = [n // count * k for k in range(1, count)]
    else:
        cuts = [c.__index__() for c in sections]
    return [
        slice_axes(x, (WHOLE,) * axis + ((start, stop, None),) + (WHOLE,) * (x.ndim - axis - 1))
        for start, stop in zip([None, *cuts], [*cuts, None], strict=True)
    ]


@builder("roll")
def roll(x, shift, axis) -> Variable:
    """The elements moved by `shift` along `axis`, those that leave at one end entering at the other.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.roll(sc.input("x", (2, 3)), 1, axis=1).shape
    (2, 3)
    """
    x = as_variable(x)
    axis = normalize_axis(axis, x.ndim)
    n = x.shape[axis]
    if n is None:
        raise ShapeError(f"roll: the size of axis {axis} must be known", found=shape_text(x.shape), where=user_origin())
    cut = -shift % n if n else 0
    return concat(split(x, [cut], axis)[::-1], axis) if cut else x


@builder("repeat")
def repeat(x, repeats, axis) -> Variable:
    """Each element `repeats` times in a row along `axis`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.repeat(sc.input("x", (2, 3)), 2, axis=1).shape
    (2, 6)
    """
    return _multiply(as_variable(x), repeats, axis, 1)


@builder("tile")
def tile(x, repeats) -> Variable:
    """Copies of `x` side by side: ``repeats[k]`` of them along axis k, counted from the last axis as in NumPy.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.tile(sc.input("x", (2, 3)), (2, 1)).shape
    (4, 3)
    """
    x = as_variable(x)
    counts = tuple(repeats) if isinstance(repeats, (tuple, list)) else (repeats,)
    x = expand_dims(x, tuple(range(len(counts) - x.ndim)))
    for axis, count in zip(range(-len(counts), 0), counts, strict=True):
        x = _multiply(x, count, axis, 0)
    return x


def _multiply(x, count, axis, after):
    axis = normalize_axis(axis, x.ndim)
    if not hasattr(count, "__index__") or isinstance(count, Variable) or count < 0:
        raise ShapeError("repeat: the count must be an integer of at least 0", found=repr(count), where=user_origin())
    if count == 1:
        return x
    wide = expand_dims(x, axis + after)
    wide = broadcast_to(wide, tuple(count if k == axis + after else None for k in range(wide.ndim)))
    n = x.shape[axis]
    return reshape(
        wide, (*x.shape[:axis], -1 if n is None else n * count, *(-1 if d is None else d for d in x.shape[axis + 1 :]))
    )
