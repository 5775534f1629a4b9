"""Repeating along axes of size 1: views with stride 0, and their adjoint, which sums.

Where the target is known only as the shape of another Variable, that Variable is an operand used for its shape alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import ShapeError
from symcnn.ir.loops import const
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import TensorType, broadcast_shapes, shape_text
from symcnn.ir.variable import Variable, apply
from symcnn.ops.elementwise import as_variable, match
from symcnn.ops.reduce import type_of
from symcnn.ops.shape import as_shape


class _Broadcast(Op):
    """What the two broadcasts share. `stretch` lists the axes of the result along which the operand has size 1, or is
    of unknown size and may turn out to have it; along all others the sizes agree, which binding checks."""

    pattern = "view"
    stretch: tuple[int, ...]

    def _check(self, x: TensorType, shape):
        for k, (d, e) in enumerate(zip(x.shape, shape[len(shape) - x.ndim :], strict=True), len(shape) - x.ndim):
            if None not in (d, e) and d != e and not (d == 1 and k in self.stretch):
                raise ShapeError("the operand cannot be broadcast to that shape", expected=shape_text(shape), found=shape_text(x.shape),
                                 hint="sizes must agree or be 1, counted from the last axis")  # fmt: skip
        return x.with_shape(shape)

    def _unbroadcast(self, x: Variable, cotangent: Variable) -> Variable:
        summed = match(cotangent, x)
        extra = cotangent.ndim - x.ndim
        maybe = tuple(k - extra for k in self.stretch if k >= extra and x.shape[k - extra] is None)
        return apply(SumLike(maybe), summed, x) if maybe else summed

    def parameters(self, x, *like):
        # A stretched axis has stride 0; for one whose size is unknown that is decided here.
        shape = self.infer(x, *like).shape
        return tuple(0 if k < len(shape) - x.ndim or x.shape[k - len(shape)] == 1 else 1 for k in self.stretch)

    def nest(self, result, x, *like):
        extra = len(result.index) - x.ndim
        index = []
        for k, d in enumerate(x.variable.shape, extra):
            if k not in self.stretch:
                index.append(result.index[k])
            else:
                index.append(const(0) if d == 1 else result.index[k] * result.param(self.stretch.index(k)))
        return x[tuple(index)]


@dataclass(frozen=True)
class BroadcastTo(_Broadcast):
    """`x` repeated along its axes of size 1 and along new leading axes; ``None`` in `shape` keeps the size of `x`."""

    shape: tuple[int | None, ...]
    stretch: tuple[int, ...]

    examples = (
        Example(((3, 1),), {"shape": (2, 3, 4), "stretch": (2,)}),
        Example(((),), {"shape": (2, 2), "stretch": ()}),
        Example(((1, 3),), {"shape": (0, None), "stretch": (0,)}),
        Example(((2, 3),), {"shape": (2, 3), "stretch": (0, 1)}),
        Example(((1,),), {"shape": (1,), "stretch": (0,)}),
    )

    def infer(self, x):
        extra = len(self.shape) - x.ndim
        if extra < 0 or None in self.shape[:extra]:
            raise ShapeError(
                "new leading axes need a size", expected=f"rank of at least {x.ndim}", found=shape_text(self.shape)
            )
        return self._check(x, tuple(x.shape[k - extra] if d is None else d for k, d in enumerate(self.shape)))

    def reference(self, x):
        return np.broadcast_to(x, self.infer(type_of(x)).shape)

    def pullback(self, inputs, output, cotangent):
        return (self._unbroadcast(inputs[0], cotangent),)


@dataclass(frozen=True)
class BroadcastLike(_Broadcast):
    """`x` repeated to the shape of `like`."""

    stretch: tuple[int, ...]

    shape_only = (1,)
    examples = (
        Example(((3, 1), (2, 3, 4)), {"stretch": (2,)}),
        Example(((), (2, 3)), {"stretch": ()}),
        Example(((1, 1), (1, 0)), {"stretch": (0, 1)}),
        Example(((2, 3), (2, 3)), {"stretch": (1,)}),
    )

    def infer(self, x, like):
        if like.ndim < x.ndim:
            raise ShapeError(
                "the operand has more axes than the target", expected=shape_text(like.shape), found=shape_text(x.shape)
            )
        return self._check(x, like.shape)

    def reference(self, x, like):
        return np.broadcast_to(x, like.shape)

    def pullback(self, inputs, output, cotangent):
        return self._unbroadcast(inputs[0], cotangent), None


@dataclass(frozen=True)
class SumLike(Op):
    """Sums `x` over the axes at which `like` has size 1 and `x` does not: the adjoint of a broadcast whose stretched
    axes are known only when the sizes are. `maybe` lists the axes of unknown size; the others agree."""

    maybe: tuple[int, ...]

    shape_only = (1,)
    examples = (
        Example(((2, 3, 4), (2, 1, 4)), {"maybe": (0, 1)}),
        Example(((2, 3), (1, 1)), {"maybe": (0, 1)}),
        Example(((2, 3), (2, 3)), {"maybe": (1,)}),
    )

    def infer(self, x, like):
        for k, (a, b) in enumerate(zip(x.shape, like.shape, strict=True)):
            if None not in (a, b) and a != b and not (b == 1 and k in self.maybe):
                raise ShapeError(
                    "cannot be summed to that shape", expected=shape_text(like.shape), found=shape_text(x.shape)
                )
        return x.with_shape(like.shape)

    def reference(self, x, like):
        axes = tuple(k for k, (a, b) in enumerate(zip(x.shape, like.shape, strict=True)) if b == 1 != a)
        return x.sum(axis=axes, keepdims=True, dtype=x.dtype)

    def pullback(self, inputs, output, cotangent):
        return broadcast_like(cotangent, inputs[0], maybe=self.maybe), None

    def parameters(self, x, like):
        return tuple(x.shape[k] if like.shape[k] == 1 else 1 for k in self.maybe)

    def nest(self, result, x, like):
        def element(*r):
            index = list(result.index)
            for k, counter in zip(self.maybe, r, strict=True):
                index[k] = index[k] + counter  # one of the two is always 0
            return x[tuple(index)]

        return result.fold("sum", [result.param(k) for k in range(len(self.maybe))], element)

    def flops(self, output, x, like):
        return x.size


@builder("broadcast_to")
def broadcast_to(x, shape) -> Variable:
    """`x` repeated to `shape`, by NumPy's rule: sizes agree or are 1, counted from the last axis.

    Parameters
    ----------
    x : Variable or array_like
    shape : tuple of int or None
        ``None`` or -1 keeps the size that `x` has there.

    Raises
    ------
    ShapeError
        If a size is neither 1 nor that of `shape`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.broadcast_to(sc.input("x", (None, 1)), (5, None, 4)).shape
    (5, None, 4)
    """
    x, sizes = as_variable(x), tuple(None if d == -1 else d for d in as_shape(shape))
    extra = len(sizes) - x.ndim
    stretch = tuple(
        k for k in range(max(extra, 0), len(sizes)) if x.shape[k - extra] in (1, None) and sizes[k] not in (1, None)
    )
    if extra == 0 and all(d in (None, e) for d, e in zip(sizes, x.shape, strict=True)):
        return x
    return apply(BroadcastTo(sizes, stretch), x)


@builder("broadcast_like")
def broadcast_like(x, like, maybe=()) -> Variable:
    """`x` repeated to the shape of `like`, of which nothing but the shape is used.

    Parameters
    ----------
    x, like : Variable or array_like
    maybe : tuple of int
        Axes of `like` along which `x` is of unknown size and may turn out to be stretched. Along other axes of
        unknown size the two must agree.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.broadcast_like(sc.input("x", (3, 1)), sc.input("y", (None, 3, 4))).shape
    (None, 3, 4)
    """
    x, like = as_variable(x), as_variable(like)
    extra = like.ndim - x.ndim
    known = {k + extra for k, d in enumerate(x.shape) if extra >= 0 and d == 1 != like.shape[k + extra]}
    if x is like or (x.type.is_concrete and x.shape == like.shape):
        return x
    return apply(BroadcastLike(tuple(sorted(known | set(maybe)))), x, like)


@builder("broadcast_arrays")
def broadcast_arrays(*xs) -> list[Variable]:
    """All operands repeated to one common shape, which must be known.

    Examples
    --------
    >>> import symcnn as sc
    >>> [v.shape for v in sc.broadcast_arrays(sc.input("x", (3, 1)), sc.input("y", (4,)))]
    [(3, 4), (3, 4)]
    """
    xs = [as_variable(x) for x in xs]
    shape = broadcast_shapes(*(x.shape for x in xs))
    return [broadcast_to(x, shape) for x in xs]
