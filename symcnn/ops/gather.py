"""Reading at positions given by an integer Variable, and the adjoint: adding up what was read from each place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.loops import INT, call, const, select
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import TensorType, as_dtype, normalize_axis, shape_text
from symcnn.ir.variable import Constant, Variable, apply, constant, user_origin
from symcnn.ops.elementwise import as_variable


def _require_integers(op: Op, indices: TensorType):
    if indices.dtype.kind not in "iu":
        raise DTypeError(
            f"{op.name}: positions must be integers",
            expected="an integer dtype",
            found=str(indices),
            hint="convert them with .astype('int64')",
        )


def _position(indices, index, size):
    """An index read from memory, negative ones counted from the end, brought into range so that no load leaves it."""
    i = indices[index].cast(INT)
    i = call("where", i < 0, i + size, i, dtype=INT)
    return call("maximum", call("minimum", i, size - 1), 0)


def _from_the_front(indices, size):
    """The same in NumPy."""
    found = indices.astype(INT)
    return np.clip(np.where(found < 0, found + size, found), 0, max(size - 1, 0))


@dataclass(frozen=True)
class Take(Op):
    """``out[.., j.., ..] = x[.., indices[j..], ..]`` along `axis`; negative indices count from the end."""

    axis: int

    pattern = "gather"
    checked_indices = (1,)
    examples = (
        Example(((4, 3), (5,)), {"axis": 0}, dtypes=("float", "int64"), integers={1: 4}),
        Example(((2, 4, 3), (2, 2)), {"axis": 1}, dtypes=("float", "int32"), integers={1: 4}),
        Example(((4, 3), ()), {"axis": 1}, dtypes=("float", "uint8"), integers={1: 3}),
        Example(((4,), (0,)), {"axis": 0}, dtypes=("float", "int64"), integers={1: 4}),
        Example(((1, 2), (3,)), {"axis": 0}, dtypes=("float", "int64"), integers={1: 1}),
    )

    def infer(self, x, indices):
        _require_integers(self, indices)
        if x.shape[self.axis] == 0 and indices.size not in (None, 0):
            raise ShapeError(
                f"nothing can be taken from axis {self.axis}: it is empty", found=f"{x} at {shape_text(indices.shape)}"
            )
        return x.with_shape((*x.shape[: self.axis], *indices.shape, *x.shape[self.axis + 1 :]))

    def index_bound(self, position, x, indices):
        return -x.shape[self.axis], x.shape[self.axis] - 1

    def reference(self, x, indices):
        size = x.shape[self.axis]
        if not indices.size:
            return np.zeros((*x.shape[: self.axis], *indices.shape, *x.shape[self.axis + 1 :]), x.dtype)
        return np.take(x, _from_the_front(indices, size), self.axis)

    def pullback(self, inputs, output, cotangent):
        return apply(TakeGrad(self.axis), cotangent, inputs[1], inputs[0]), None

    def nest(self, result, x, indices):
        end = self.axis + indices.ndim
        i = _position(indices, result.index[self.axis : end], x.shape[self.axis])
        return x[(*result.index[: self.axis], i, *result.index[end:])]


@dataclass(frozen=True)
class TakeGrad(Op):
    """Adjoint of `Take`: what was taken from each element adds up there, asked element by element so that no two
    threads write to one place."""

    axis: int

    shape_only = (2,)
    checked_indices = (1,)
    examples = (
        Example(((5, 3), (5,), (4, 3)), {"axis": 0}, dtypes=("float", "int64", "float"), integers={1: 4}),
        Example(((2, 2, 2, 3), (2, 2), (2, 4, 3)), {"axis": 1}, dtypes=("float", "int32", "float"), integers={1: 4}),
        Example(((4,), (), (4, 3)), {"axis": 1}, dtypes=("float", "uint8", "float"), integers={1: 3}),
        Example(((0,), (0,), (4,)), {"axis": 0}, dtypes=("float", "int64", "float"), integers={1: 4}),
    )

    def infer(self, g, indices, like):
        _require_integers(self, indices)
        return like.with_dtype(g.dtype)

    def index_bound(self, position, g, indices, like):
        return -like.shape[self.axis], like.shape[self.axis] - 1

    def reference(self, g, indices, like):
        found = np.zeros(like.shape, g.dtype)
        end = self.axis + indices.ndim
        rows = np.moveaxis(g, range(self.axis, end), range(indices.ndim))  # indexed axes first
        np.add.at(np.moveaxis(found, self.axis, 0), _from_the_front(indices, like.shape[self.axis]), rows)
        return found

    def pullback(self, inputs, output, cotangent):
        return apply(Take(self.axis), cotangent, inputs[1]), None, None

    def nest(self, result, g, indices, like):
        before, i, after = result.index[: self.axis], result.index[self.axis], result.index[self.axis + 1 :]

        def share(*j):
            taken_here = _position(indices, j, like.shape[self.axis]).equals(i)
            return select(taken_here, g[(*before, *j, *after)], 0)

        return result.fold("sum", indices.shape, share)

    def flops(self, output, g, indices, like):
        return g.size


@dataclass(frozen=True)
class OneHot(Op):
    """1 where the label is, else 0: a new axis of size `depth` at position `axis`."""

    depth: int
    axis: int
    dtype: np.dtype

    pattern = "gather"
    checked_indices = (0,)
    examples = (
        Example(((4,),), {"depth": 3, "axis": 1, "dtype": np.dtype("float32")}, dtypes=("int64",), integers={0: 3}),
        Example(((2, 3),), {"depth": 4, "axis": 1, "dtype": np.dtype("float64")}, dtypes=("uint8",), integers={0: 4}),
        Example(((),), {"depth": 2, "axis": 0, "dtype": np.dtype("float32")}, dtypes=("int32",), integers={0: 2}),
        Example(((0,),), {"depth": 2, "axis": 1, "dtype": np.dtype("int64")}, dtypes=("int64",), integers={0: 2}),
    )

    def label(self):
        return f"one_hot({self.depth}, axis={self.axis})"

    def infer(self, labels):
        _require_integers(self, labels)
        return TensorType(self.dtype, (*labels.shape[: self.axis], self.depth, *labels.shape[self.axis :]))

    def index_bound(self, position, labels):
        return 0, self.depth - 1

    def reference(self, labels):
        positions = np.arange(self.depth).reshape(-1, *(1,) * (labels.ndim - self.axis))
        return (np.expand_dims(labels, self.axis) == positions).astype(self.dtype)

    def pullback(self, inputs, output, cotangent):
        return (None,)

    def nest(self, result, labels):
        index = result.index
        here = labels[(*index[: self.axis], *index[self.axis + 1 :])].cast(INT).equals(index[self.axis])
        return call("where", here, const(1, self.dtype), const(0, self.dtype), dtype=self.dtype)


@builder("take")
def take(x, indices, axis=0) -> Variable:
    """Elements (rows, ..) of `x` at `indices` along `axis`.

    Parameters
    ----------
    x : Variable or array_like
    indices : Variable or array_like of integers
        Any rank; their axes replace `axis`. Negative ones count from the end.
    axis : int

    Raises
    ------
    DTypeError
        If `indices` are not integers.
    InputError
        If one is out of range (at the call, unless `indices` is a constant).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.take(sc.input("x", (4, 3)), [[0, 1], [-1, 2]], axis=0).shape
    (2, 2, 3)
    """
    x, axis = as_variable(x), normalize_axis(axis, x.ndim)
    indices = indices if isinstance(indices, Variable) else constant(integer_array(indices))
    n = x.shape[axis]
    if isinstance(indices, Constant) and n is not None and indices.value.size and indices.dtype.kind in "iu":
        low, high = indices.value.min(), indices.value.max()
        if low < -n or high >= n:
            raise InputError(
                f"take: an index is out of range for axis {axis}",
                where=user_origin(),
                expected=f"{-n} <= index < {n}",
                found=f"{low} .. {high}",
            )
    return apply(Take(axis), x, indices)


def integer_array(values):
    array = np.asarray(values)
    return array.astype(INT) if array.size == 0 else array


@builder("one_hot")
def one_hot(labels, depth, dtype="float32", axis=-1) -> Variable:
    """1 at the label, 0 elsewhere, along a new axis.

    Parameters
    ----------
    labels : Variable or array_like of integers
        0 to ``depth - 1``; others are an InputError at the call.
    depth : int
    dtype : optional
    axis : int
        Position of the new axis in the result.

    Raises
    ------
    DTypeError
        If the labels are not integers.

    Examples
    --------
    >>> import symcnn as sc
    >>> t = sc.input("t", (None,), dtype="int64")
    >>> sc.function([t], sc.one_hot(t, 3), device="reference")([2, 0])
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    labels = as_variable(labels)
    if not hasattr(depth, "__index__") or isinstance(depth, Variable) or depth < 0:
        raise ShapeError("one_hot: depth must be an integer of at least 0", found=repr(depth), where=user_origin())
    return apply(OneHot(depth.__index__(), normalize_axis(axis, labels.ndim + 1), as_dtype(dtype)), labels)
