"""The loop-nest representation: what every op is lowered to, and all that a backend has to translate.

Grammar::

    Nest   := Nest(axes, outer, stores)            for the outer axes (parallel), then for the inner axes: stores
    Axis   := Axis(name, extent)                   0 <= name < extent, an integer Expr
    Store  := Store(target, axes, index, value)    target[index] = value, for every point of the axes it names
    Expr   := Const(value, dtype)
            | Index(axis)                          a loop counter
            | Size(variable, dimension)            a size, known when the call's shapes are
            | Stride(variable, dimension)          elements between neighbours along a dimension of contiguous memory
            | Param(variable, position)            an integer computed by op.parameters(*types)
            | Load(variable, index)                an element of a variable held in memory
            | Call(function, args, dtype)          a scalar function: a row of FUNCTIONS
            | Fold(kind, axes, body, dtype)        fold(kind, body) over axes; dtype is the accumulator's

A nest computes ``out[p] = value(p)``; reductions, windows, matrix products and convolutions are Folds inside the
value, their adjoints too, written as gathers. A Fold that does not depend on the inner axes is computed once per
outer point: that is how softmax is one row pass. Sizes and strides are run-time arguments, so a nest is built
once per function, whatever batch it is called with.

An op describes its result *at an index* (pull style)::

    def nest(self, result, x):                     # x transposed
        i, j = result.index
        return x[j, i]

    def nest(self, result, a, b):                  # a matrix product
        i, j = result.index
        return result.fold("sum", (a.shape[1],), lambda k: a[i, k] * b[k, j])

so that fusion is nothing but calling one such function from another. Expressions are interned: equal means
identical, so shared parts of a loop body are found by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, dataclass_transform
from weakref import WeakValueDictionary

import numpy as np

from symcnn.ir.graph import toposort

if TYPE_CHECKING:
    from collections.abc import Callable

    from symcnn.ir.variable import Variable

INT = np.dtype("int64")
BOOL = np.dtype("bool")

_interned: WeakValueDictionary = WeakValueDictionary()


class Expr:
    """Base of the expressions; integer ones take Python's operators, float ones too."""

    __slots__ = ("__weakref__",)
    dtype: np.dtype

    def __add__(self, other):
        return call("add", self, other)

    def __radd__(self, other):
        return call("add", other, self)

    def __sub__(self, other):
        return call("subtract", self, other)

    def __rsub__(self, other):
        return call("subtract", other, self)

    def __mul__(self, other):
        return call("multiply", self, other)

    def __rmul__(self, other):
        return call("multiply", other, self)

    def __truediv__(self, other):
        return call("divide", self, other)

    def __floordiv__(self, other):
        return call("floor_divide", self, other)

    def __mod__(self, other):
        return call("remainder", self, other)

    def __lt__(self, other):
        return call("less", self, other, dtype=BOOL)

    def __le__(self, other):
        return call("less_equal", self, other, dtype=BOOL)

    def __gt__(self, other):
        return call("greater", self, other, dtype=BOOL)

    def __ge__(self, other):
        return call("greater_equal", self, other, dtype=BOOL)

    def __and__(self, other):
        return call("logical_and", self, other, dtype=BOOL)

    def equals(self, other):
        return call("equal", self, other, dtype=BOOL)

    def cast(self, dtype) -> Expr:
        """This value converted to `dtype`."""
        dtype = np.dtype(dtype)
        if dtype == self.dtype:
            return self
        if isinstance(self, Const):
            return Const(np.asarray(self.value).astype(dtype).item(), dtype)
        return Call("cast", (self,), dtype)


@dataclass_transform(frozen_default=True)
def _node(cls):
    """A frozen, interned dataclass: constructing it again with equal fields gives the same object."""
    cls = dataclass(frozen=True, eq=False, slots=True)(cls)
    plain_new = object.__new__
    names = [f.name for f in fields(cls)]

    def __new__(klass, *args):
        key = (klass, *((type(a), repr(a) if type(a) is float else a) for a in args))  # repr: -0.0 is not 0.0
        found = _interned.get(key)
        if found is not None:
            return found
        made = plain_new(klass)
        for name, value in zip(names, args, strict=True):
            object.__setattr__(made, name, value)
        return _interned.setdefault(key, made)

    cls.__new__ = __new__
    cls.__init__ = lambda self, *args: None
    return cls


@_node
class Const(Expr):
    value: bool | int | float
    dtype: np.dtype


@_node
class Index(Expr):
    axis: str

    dtype = INT


@_node
class Size(Expr):
    variable: Variable
    dimension: int

    dtype = INT


@_node
class Stride(Expr):
    """Made by backends, for offsets."""

    variable: Variable
    dimension: int

    dtype = INT


@_node
class Param(Expr):
    variable: Variable
    position: int

    dtype = INT


@_node
class Load(Expr):
    variable: Variable
    index: tuple[Expr, ...]

    @property
    def dtype(self):
        return self.variable.dtype


@_node
class Call(Expr):
    function: str
    args: tuple[Expr, ...]
    dtype: np.dtype


@_node
class Axis(Expr):
    name: str
    extent: Expr

    dtype = INT


@_node
class Fold(Expr):
    """`kind` is sum, prod, max, min, any, all, argmax or argmin (ties: the first in scan order; NaN wins max and min)."""

    kind: str
    axes: tuple[Axis, ...]
    body: Expr
    dtype: np.dtype


@dataclass(frozen=True, eq=False)
class Store:
    target: Variable
    axes: tuple[str, ...]
    index: tuple[Expr, ...]
    value: Expr


@dataclass(frozen=True, eq=False)
class Nest:
    """Loops over `axes`; the first `outer` of them are parallel. Stores on the outer axes alone come first."""

    axes: tuple[Axis, ...]
    outer: int
    stores: tuple[Store, ...]

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(store.target for store in self.stores)


def const(value, dtype=None) -> Const:
    """A literal; Python ints are index integers."""
    if dtype is None:
        dtype = BOOL if isinstance(value, bool) else INT if isinstance(value, int) else np.dtype("float32")
    return Const(np.asarray(value).astype(dtype).item(), np.dtype(dtype))


def as_expr(value, dtype=None) -> Expr:
    return value if isinstance(value, Expr) else const(value, dtype)


def call(function: str, *args, dtype=None) -> Expr:
    """`function` of `args` (Exprs or Python numbers, which take the dtype of the others); trivial integer sums and
    products are folded so that index expressions stay in a form whose contiguity can be read off."""
    typed = next((a.dtype for a in args if isinstance(a, Expr)), None)
    args = tuple(as_expr(a, typed if not (typed == INT and isinstance(a, float)) else None) for a in args)
    dtype = np.dtype(dtype) if dtype is not None else args[0].dtype
    if dtype == INT and all(a.dtype == INT for a in args):
        simple = _fold_integers(function, *args)
        if simple is not None:
            return simple
    return Call(function, args, dtype)


def _fold_integers(function, a, b=None, *rest):
    if rest or b is None:
        return None
    x = a.value if isinstance(a, Const) else None
    y = b.value if isinstance(b, Const) else None
    if x is not None and y is not None:
        if function in ("floor_divide", "remainder") and y == 0:
            return None
        found = {
            "add": lambda: x + y, "subtract": lambda: x - y, "multiply": lambda: x * y,
            "floor_divide": lambda: x // y, "remainder": lambda: x % y,
        }.get(function)  # fmt: skip
        return const(found()) if found else None
    if function == "add":
        return b if x == 0 else a if y == 0 else None
    if function == "subtract":
        return a if y == 0 else None
    if function == "multiply":
        return const(0) if 0 in (x, y) else b if x == 1 else a if y == 1 else None
    if function == "floor_divide":
        return a if y == 1 else None
    if function == "remainder":
        return const(0) if y == 1 else None
    return None


def select(condition, a, b) -> Expr:
    """``a if condition else b``; the branch not taken is not evaluated, so it may guard a load (the function is
    "guard"; an elementwise "where" evaluates both).

    One of the two may be a Python number: it takes the other's dtype.
    """
    dtype = a.dtype if isinstance(a, Expr) else b.dtype
    if condition is True:
        return as_expr(a, dtype)
    return Call("guard", (condition, as_expr(a, dtype), as_expr(b, dtype)), dtype)


def within(*bounds) -> Expr | bool:
    """The condition ``low <= value < high`` for every triple (value, low, high) given."""
    condition: Expr | bool = True
    for value, low, high in bounds:
        one = (value >= low) & (value < high)
        condition = one if condition is True else condition & one
    return condition


class Operand:
    """An operand as `Op.nest` sees it: ``x[i, j]`` is its element, ``x.shape[d]`` its size, ``x.dtype`` its dtype.

    Whether the element is a load from memory or the body of the op that makes it is the scheduler's business.
    """

    def __init__(self, variable: Variable, element: Callable[[tuple[Expr, ...]], Expr], axes=None):
        self.variable, self._element, self._axes = variable, element, axes

    @property
    def dtype(self) -> np.dtype:
        return self.variable.dtype

    @property
    def ndim(self) -> int:
        return self.variable.ndim

    @property
    def shape(self) -> tuple[Expr, ...]:
        return shape_of(self.variable, self._axes)

    def transposed(self, axes: tuple[int, ...]) -> Operand:
        """The same operand, seen with its axes in the order `axes`."""
        return Operand(self.variable, lambda at: self[tuple(at[axes.index(k)] for k in range(len(axes)))], axes)

    def __getitem__(self, index) -> Expr:
        index = tuple(map(as_expr, index if isinstance(index, tuple) else (index,)))
        assert len(index) == self.ndim, f"{self.variable!r} indexed with {len(index)} indices"
        return self._element(index)


class Result:
    """The result as `Op.nest` sees it.

    Attributes
    ----------
    index : tuple of Expr
        The point that is asked for, one integer Expr per dimension.
    param : tuple of Expr
        The integers of `Op.parameters`, in order (as many as are unpacked).
    """

    def __init__(self, variable: Variable, index: tuple[Expr, ...], serial: int, axes=None):
        self.variable, self.index, self._serial, self._axes, self._folds = variable, index, serial, axes, 0

    @property
    def dtype(self) -> np.dtype:
        return self.variable.dtype

    @property
    def shape(self) -> tuple[Expr, ...]:
        return shape_of(self.variable, self._axes)

    def transposed(self, axes: tuple[int, ...]) -> Result:
        """The same result, seen with its axes in the order `axes`."""
        return Result(self.variable, tuple(self.index[k] for k in axes), self._serial, axes)

    def param(self, position: int) -> Expr:
        return Param(self.variable, position)

    def fold(self, kind: str, extents, body: Callable[..., Expr], dtype=None) -> Expr:
        """Fold `body` (a function of one counter per extent) with `kind`, accumulating in `dtype`.

        For argmax and argmin the result is the flat position (int64) of the extreme over the counters in scan order.
        Extents are the same at every index: a fold over a part of them selects in its body.
        """
        assert not any(isinstance(e, Index) for e in toposort(map(as_expr, extents), children)), "an extent varies"
        names = [f"r{self._serial}_{self._folds + k}" for k in range(len(extents))]
        self._folds += len(extents)
        axes = tuple(Axis(name, as_expr(n)) for name, n in zip(names, extents, strict=True) if not _is_one(n))
        value = body(*(const(0) if _is_one(n) else Index(name) for name, n in zip(names, extents, strict=True)))
        if not axes and not kind.startswith("arg"):
            return value
        return Fold(kind, axes, value, np.dtype(dtype) if dtype is not None else value.dtype)


def _is_one(extent) -> bool:
    return (extent.value if isinstance(extent, Const) else extent) == 1


def shape_of(variable: Variable, axes=None) -> tuple[Expr, ...]:
    """Sizes as Exprs, of the axes `axes` (all, unless given): literal 1 where the dimension is statically 1 (it decides
    broadcasting), run-time otherwise."""
    axes = range(variable.ndim) if axes is None else axes
    return tuple(const(1) if variable.shape[k] == 1 else Size(variable, k) for k in axes)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly below `expr`."""
    if isinstance(expr, Call):
        return expr.args
    if isinstance(expr, Load):
        return expr.index
    if isinstance(expr, Fold):
        return (*(axis.extent for axis in expr.axes), expr.body)
    return ()
