"""``x[key]``: slices, which are views, and at most one array of positions.

The adjoint of reading a part is placing it, written as a gather too: each element of the result asks what was read
from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import DTypeError, ShapeError
from symcnn.ir.loops import INT, const, select, within
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import normalize_axes, shape_text
from symcnn.ir.variable import Variable, apply, constant, user_origin
from symcnn.ops.elementwise import as_variable, cast
from symcnn.ops.gather import integer_array, take
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
        k = constant(integer_array(k))
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
