"""Reading parts of a Variable: slices (views), and positions given by an integer Variable (gathers).

The adjoint of reading is placing, written as a gather too: each element of the result asks what was read from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.loops import INT, call, const, select, within
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import TensorType, as_dtype, normalize_axes, normalize_axis, shape_text
from symcnn.ir.variable import Constant, Variable, apply, constant, user_origin
from symcnn.ops.elementwise import as_variable, cast
from symcnn.ops.shape import expand_dims

WHOLE = (None, None, None)


def _key(parts):
    return tuple(part if isinstance(part, int) else slice(*part) for part in parts)


def _starts(parts, shape):
    """Where reading starts along each axis, for known sizes."""
    return tuple(
        part % max(n, 1) if isinstance(part, int) else slice(*part).indices(n)[0]
        for part, n in zip(parts, shape, strict=True)
    )


def _step(part) -> int:
    return part[2] or 1


@dataclass(frozen=True)
class Slice(Op):
    """``x[parts]``: per axis an int, which removes the axis, or (start, stop, step) with the meaning of a slice."""

    parts: tuple

    pattern = "view"
    examples = (
        Example(((5, 6),), {"parts": ((1, 4, None), (None, None, 2))}),
        Example(((5, 6),), {"parts": ((None, None, -2), (-1, 0, -3))}),
        Example(((4, 3, 2),), {"parts": (-1, WHOLE, 0)}),
        Example(((4,),), {"parts": ((3, 1, None),)}),
        Example(((0, 3),), {"parts": (WHOLE, (None, -1, None))}),
        Example(((3, 1),), {"parts": ((-7, 7, None), (None, None, -1))}),
        Example(((),), {"parts": ()}),
        Example(((4, 3),), {"parts": (WHOLE, 2)}, dtypes=("int32",), integers={0: 9}),
    )

    def label(self):
        shown = (
            str(p) if isinstance(p, int) else ":".join("" if v is None else str(v) for v in (p if p[2] else p[:2]))
            for p in self.parts
        )
        return f"slice[{', '.join(shown)}]"

    def infer(self, x):
        shape = []
        for axis, (part, n) in enumerate(zip(self.parts, x.shape, strict=True)):
            if not isinstance(part, int):
                whole = part[:2] == (None, None) and abs(_step(part)) == 1
                shape.append(n if n is None or whole else len(range(*slice(*part).indices(n))))
            elif n is not None and not -n <= part < n:
                raise ShapeError(
                    f"index {part} is out of range for axis {axis}",
                    expected=f"{-n} <= index < {n}" if n else "nothing: the axis is empty",
                    found=shape_text(x.shape),
                )
        return x.with_shape(shape)

    def parameters(self, x):
        return _starts(self.parts, x.shape)

    def reference(self, x):
        return x[(*_key(self.parts), ...)]  # the dots make it a view even when no axis is left

    def pullback(self, inputs, output, cotangent):
        return (apply(Unslice(self.parts), cotangent, inputs[0]),)

    def nest(self, result, x):
        rest = iter(result.index)
        return x[tuple(self._source(result, k, part, rest) for k, part in enumerate(self.parts))]

    def _source(self, result, axis, part, rest):
        if isinstance(part, int):
            return result.param(axis)
        return start_of(result, axis, part) + next(rest) * _step(part)


def start_of(result, axis, part):
    """Where a slice starts: known now when at the front, else a parameter."""
    return const(0) if part[0] in (None, 0) and _step(part) > 0 else result.param(axis)


@dataclass(frozen=True)
class Unslice(Op):
    """Zeros in the shape of `like`, with `g` at ``[parts]``: the adjoint of `Slice`."""

    parts: tuple

    pattern = "gather"
    shape_only = (1,)
    examples = (
        Example(((3, 3), (5, 6)), {"parts": ((1, 4, None), (None, None, 2))}),
        Example(((3, 2), (5, 6)), {"parts": ((None, None, -2), (-1, 0, -3))}),
        Example(((3,), (4, 3, 2)), {"parts": (-1, WHOLE, 0)}),
        Example(((0,), (4,)), {"parts": ((3, 1, None),)}),
        Example(((), ()), {"parts": ()}),
    )

    def label(self):
        return "un" + Slice(self.parts).label()

    def infer(self, g, like):
        part = Slice(self.parts).infer(like)
        if not g.accepts(part.with_dtype(g.dtype)) and not part.with_dtype(g.dtype).accepts(g):
            raise ShapeError("the part does not fit", expected=shape_text(part.shape), found=shape_text(g.shape))
        return g.with_shape(like.shape)

    def parameters(self, g, like):
        return _starts(self.parts, like.shape)

    def reference(self, g, like):
        found = np.zeros(like.shape, g.dtype)
        found[_key(self.parts)] = g
        return found

    def pullback(self, inputs, output, cotangent):
        return apply(Slice(self.parts), cotangent), None

    def nest(self, result, g, like):
        index, conditions = [], []
        for axis, (part, i) in enumerate(zip(self.parts, result.index, strict=True)):
            if isinstance(part, int):
                conditions.append(i.equals(result.param(axis)))
                continue
            step, start, count = _step(part), start_of(result, axis, part), g.shape[len(index)]
            distance = i - start if step > 0 else start - i
            if part[:2] != (None, None) or step != 1:
                conditions.append(within((distance, 0, count * abs(step))))
            if abs(step) > 1:
                conditions.append((distance % abs(step)).equals(0))
            index.append(distance // abs(step))
        condition = True
        for one in conditions:
            condition = one if condition is True else condition & one
        return select(condition, g[tuple(index)], 0)


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
    indices = indices if isinstance(indices, Variable) else constant(_integers(indices))
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


def _integers(values):
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


@builder("flip")
def flip(x, axis=None) -> Variable:
    """The elements in reverse order along `axis` (an int, a tuple, or ``None``: all axes).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.flip(sc.input("x", (2, 3)), 1).shape
    (2, 3)
    """
    x = as_variable(x)
    axes = normalize_axes(axis, x.ndim)
    return slice_axes(x, tuple((None, None, -1) if k in axes else WHOLE for k in range(x.ndim)))


def slice_axes(x: Variable, parts) -> Variable:
    """`Slice`, or `x` itself when every part is the whole."""
    parts = tuple(part if isinstance(part, int) or part[2] != 1 else (*part[:2], None) for part in parts)
    return x if all(part == WHOLE for part in parts) else apply(Slice(parts), x)


@builder("getitem")
def getitem(x, key) -> Variable:
    """``x[key]`` with NumPy's meaning, for ints, slices, ``...``, ``None`` and at most one integer array or Variable.

    Parameters
    ----------
    x : Variable
    key : int, slice, Ellipsis, None, integer array_like or Variable, or a tuple of these

    Raises
    ------
    ShapeError
        Too many indices, or one out of range (at the call, while the size is unknown).
    DTypeError
        Masks and other keys that have no symbolic counterpart; the hint says what to use.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (5, 6, 7))
    >>> x[1:, ::-2].shape, x[..., -1].shape, x[[0, 2], None].shape
    ((4, 3, 7), (5, 6), (2, 1, 6, 7))
    """
    keys = _expand_ellipsis(x, key if isinstance(key, tuple) else (key,))
    parts, arrays, new, position, axis = [], [], [], 0, 0
    for k in keys:
        if k is None:
            new.append(position)
            position += 1
            continue
        if isinstance(k, slice):
            parts.append(_slice_part(k))
            position += 1
        elif hasattr(k, "__index__") and not isinstance(k, (Variable, bool, np.bool_, np.ndarray)):
            parts.append(k.__index__())
        else:
            k = _index_array(k)
            arrays.append((k, sum(not isinstance(p, int) for p in parts)))
            parts.append(WHOLE)
            position += k.ndim
        axis += 1
    _check_advanced(keys, arrays)
    found = slice_axes(x, tuple(parts))
    for indices, where in arrays:
        found = take(found, indices, where)
    return expand_dims(found, tuple(new))


def _expand_ellipsis(x, keys):
    given = sum(k is not None and k is not Ellipsis for k in keys)
    if given > x.ndim:
        raise ShapeError(
            "getitem: too many indices", expected=f"at most {x.ndim} for {x!r}", found=given, where=user_origin()
        )
    at = [k for k, key in enumerate(keys) if key is Ellipsis]
    if len(at) > 1:
        raise ShapeError("getitem: an index can have one ellipsis ('...')", found=len(at), where=user_origin())
    fill = (slice(None),) * (x.ndim - given)
    return (*keys[: at[0]], *fill, *keys[at[0] + 1 :]) if at else (*keys, *fill)


def _slice_part(s: slice):
    part = []
    for value in (s.start, s.stop, s.step):
        if value is not None and (isinstance(value, Variable) or not hasattr(value, "__index__")):
            raise DTypeError(
                "getitem: the ends of a slice must be known integers",
                found=repr(value),
                where=user_origin(),
                hint="take(x, indices) reads at symbolic positions",
            )
        part.append(None if value is None else value.__index__())
    if part[2] == 0:
        raise ShapeError("getitem: the step of a slice cannot be 0", where=user_origin())
    return tuple(part)


def _index_array(k) -> Variable:
    if not isinstance(k, Variable):
        if isinstance(k, (str, float)):
            raise DTypeError(
                "getitem: not an index", found=repr(k), where=user_origin(), expected="ints, slices, ... or None"
            )
        k = constant(_integers(k))
    if k.dtype.kind not in "iu":
        boolean = k.dtype.kind == "b"
        raise DTypeError(
            "getitem: a mask would make the shape depend on values"
            if boolean
            else "getitem: an index must be an integer",
            found=repr(k),
            where=user_origin(),
            hint="sc.where(mask, x, 0) keeps the shape" if boolean else "convert it with .astype('int64')",
        )
    return cast(k, INT) if k.dtype == np.uint64 else k


def _check_advanced(keys, arrays):
    if len(arrays) > 1:
        raise DTypeError(
            "getitem: only one index may be an array",
            found=len(arrays),
            where=user_origin(),
            hint="for x[arange(n), labels] use sc.sum(x * sc.one_hot(labels, depth), axis=-1)",
        )
    if not arrays:
        return
    # NumPy moves the indexed axes to the front when ints and arrays are apart: too surprising to reproduce.
    advanced = [k for k, key in enumerate(keys) if key is not None and not isinstance(key, slice)]
    if advanced[-1] - advanced[0] + 1 != len(advanced):
        raise DTypeError(
            "getitem: an int and an index array must stand next to each other",
            where=user_origin(),
            hint="index in two steps: x[0][:, indices]",
        )
