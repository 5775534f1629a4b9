"""Values made from a shape alone: zeros, ones, any constant, and the position of each element."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from symcnn.ir.loops import INT, const
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import as_dtype, normalize_axes
from symcnn.ir.variable import Variable, apply, constant
from symcnn.ops.broadcast import broadcast_like, broadcast_to
from symcnn.ops.elementwise import as_variable, cast
from symcnn.ops.shape import as_shape, flat_index


@dataclass(frozen=True)
class ZerosLike(Op):
    """Zeros in the shape of the operand."""

    dtype: np.dtype

    pattern = "gather"
    shape_only = (0,)
    examples = (
        Example(((2, 3),), {"dtype": np.dtype("float32")}),
        Example(((),), {"dtype": np.dtype("int64")}),
        Example(((0, 2),), {"dtype": np.dtype("float64")}),
    )

    def infer(self, like):
        return like.with_dtype(self.dtype)

    def reference(self, like):
        return np.zeros(like.shape, self.dtype)

    def pullback(self, inputs, output, cotangent):
        return (None,)

    def nest(self, result, like):
        return const(0, self.dtype)


@dataclass(frozen=True)
class PositionLike(Op):
    """For each element of `like` its flat position (int64) over `axes`, the last of which runs fastest."""

    axes: tuple[int, ...]

    pattern = "gather"
    shape_only = (0,)
    smooth = False
    examples = (
        Example(((2, 3, 4),), {"axes": (0, 2)}),
        Example(((2, 3, 4),), {"axes": (0, 2, 1)}),
        Example(((2, 3),), {"axes": ()}),
        Example(((0, 3),), {"axes": (1,)}),
    )

    def infer(self, like):
        return like.with_dtype(INT)

    def reference(self, like):
        sizes = [like.shape[k] for k in self.axes]
        positions = np.arange(math.prod(sizes), dtype=INT).reshape(sizes).transpose(np.argsort(self.axes))
        rest = [k for k in range(like.ndim) if k not in self.axes]
        return np.broadcast_to(np.expand_dims(positions, rest), like.shape)

    def pullback(self, inputs, output, cotangent):
        return (None,)

    def nest(self, result, like):
        return flat_index([result.index[k] for k in self.axes], [result.shape[k] for k in self.axes])


@builder("zeros_like")
def zeros_like(x, dtype=None) -> Variable:
    """Zeros in the shape (and dtype, unless given) of `x`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.zeros_like(sc.input("x", (None, 3))).shape
    (None, 3)
    """
    x = as_variable(x)
    return apply(ZerosLike(x.dtype if dtype is None else as_dtype(dtype)), x)


@builder("full_like")
def full_like(x, value, dtype=None) -> Variable:
    """`value` (a scalar, possibly symbolic) in the shape (and dtype, unless given) of `x`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.full_like(sc.input("x", (None, 3)), 7).type
    TensorType(dtype=dtype('float32'), shape=(None, 3))
    """
    x = as_variable(x)
    dtype = x.dtype if dtype is None else as_dtype(dtype)
    return broadcast_like(cast(value, dtype) if isinstance(value, Variable) else constant(value, dtype), x)


@builder("ones_like")
def ones_like(x, dtype=None) -> Variable:
    """Ones in the shape (and dtype, unless given) of `x`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.ones_like(sc.input("x", (None, 3))).shape
    (None, 3)
    """
    return full_like(x, 1, dtype)


@builder("full")
def full(shape, value, dtype=None) -> Variable:
    """`value` (a scalar, possibly symbolic) in a known `shape`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.full((2, 3), 7.0).type
    TensorType(dtype=dtype('float32'), shape=(2, 3))
    """
    if isinstance(value, Variable):
        return broadcast_to(value if dtype is None else cast(value, dtype), as_shape(shape))
    return broadcast_to(constant(value, dtype), as_shape(shape))


@builder("zeros")
def zeros(shape, dtype=None) -> Variable:
    """Zeros in a known `shape`; float32 (``config.default_dtype``) unless `dtype` is given.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.zeros((2, 3)).shape
    (2, 3)
    """
    return full(shape, 0.0, dtype)


@builder("ones")
def ones(shape, dtype=None) -> Variable:
    """Ones in a known `shape`; float32 (``config.default_dtype``) unless `dtype` is given.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.ones((2, 3)).shape
    (2, 3)
    """
    return full(shape, 1.0, dtype)


@builder("position_like")
def position_like(like, axes=None) -> Variable:
    """For each element of `like` its flat position (int64) over `axes`, in scan order.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.position_like(sc.input("x", (2, 3)), 1).shape
    (2, 3)
    """
    like = as_variable(like)
    return apply(PositionLike(normalize_axes(axes, like.ndim)), like)
