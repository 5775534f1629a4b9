"""Folds to loops, in one of two forms.

*Inside* the innermost loop of a nest, with the accumulator in a variable: where the fold itself runs along contiguous
memory (rows of a softmax), or where it is so short that LLVM unrolls it (a 2x2 window).

*By rows*: where neighbours in memory belong to neighbouring results (a window over pixels with many channels, a sum
over a batch), the loops of the fold run outside, the innermost loop stays a plain loop along the row, and there is one
accumulator per element of the row, in memory private to the chunk. Conditions that do not depend on the place in the
row (is this pixel padding?) are then evaluated once per row, and those that bound the place shorten the loop.

Folds over the same axes share their loops.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symcnn.backends.nests.expressions import (
    Expressions,
    Row,
    Scope,
    coefficient,
    contiguity,
    from_memory,
    indent,
    literal,
    loads_below,
    to_memory,
)
from symcnn.ir.loops import BOOL, INT, Axis, Call, Const, Expr, Fold, Index, call, children, const

if TYPE_CHECKING:
    from collections.abc import Callable

SUMMED_IN_FLOAT32 = 256  # elements; the sums of such blocks are added in float64

UNROLLED = 16  # iterations of a fold that is rather unrolled than taken by rows

STEP = {
    "sum": "{0} + {1}", "prod": "{0} * {1}", "max": "maximum({0}, {1})", "min": "minimum({0}, {1})",
    "any": "{0} or {1}", "all": "{0} and {1}",
}  # fmt: skip


class Folds(Expressions):
    """Emits folds; `rows` are the accumulators in private memory, name and dtype."""

    float64_sums = True  # of float32, if they may be long

    def __init__(self):
        super().__init__()
        self.rows: list[tuple[str, np.dtype]] = []
        self.together: list[Fold] = []  # those of the nest that are evaluated whatever the data

    def by_rows(self, fold: Fold, row: Row) -> bool:
        loads = [load for load in loads_below(fold.body) if row.axis in self.free_in(load)]
        if not loads or any(contiguity(load, row.axis) != 1 for load in loads):
            return False
        return not is_short(fold) or bool(self.conditions(fold, row)[0])

    def fold(self, fold: Fold, scope: Scope, row: Row | None) -> str:
        conditions, _ = self.conditions(fold, row)
        folds = self.companions(fold, scope, row, conditions)
        bodies = [self.conditions(f, row)[1] for f in folds]
        accumulators = self.accumulators(folds, bodies, row)
        work = Scope(scope, frozenset())  # what is computed before the loops comes before the start, too
        starts = [line for a in accumulators for line in a.start()]
        if row is None:
            work.lines += starts
        else:
            self._along(row, work, (), lambda inner: inner.lines.extend(starts))

        def update(inner):
            for accumulator, body in zip(accumulators, bodies, strict=True):
                inner.lines += accumulator.update(body, inner)

        def innermost(inner, rest):
            if row is None:
                update(inner)
            else:
                self._along(row, inner, rest, update)

        blocks = [a for a in accumulators if isinstance(a, Total) and a.in_blocks]
        self._loops(work, list(fold.axes), conditions, row, innermost, blocks)
        scope.lines += work.lines
        for f, accumulator in zip(folds, accumulators, strict=True):
            scope.names[f] = accumulator.result()
            if row is None:
                self.name(f, scope.names[f], scope)
        return scope.names[fold]

    def accumulators(self, folds: list[Fold], bodies: list[Expr], row: Row | None) -> list[Total | Position | Best]:
        """What is kept while `folds` over `bodies` share their loops."""
        positions = {f: Position(self, f, row) for f in folds if f.kind.startswith("arg")}
        found = {(f.kind[3:], body): positions[f] for f, body in zip(folds, bodies, strict=True) if f in positions}
        return [
            positions[f] if f in positions
            else Best(found[f.kind, body]) if (f.kind, body) in found
            else Total(self, f, row)
            for f, body in zip(folds, bodies, strict=True)
        ]  # fmt: skip

    # ---- loops

    def _loops(self, scope: Scope, axes: list[Axis], conditions, row, innermost: Callable, blocks):
        """`innermost` inside one loop per axis and, as far out as they are known, the conditions."""
        later = {axis.name for axis in axes} | ({row.axis} if row else set())
        known = [c for c in conditions if not self.free_in(c) & later]
        if known:
            inner = Scope(scope, frozenset(), guarded=True)
            test = " and ".join(self.condition(c, scope) for c in known)
            self._loops(inner, axes, [c for c in conditions if c not in set(known)], row, innermost, blocks)
            scope.lines += [f"if {test}:", *indent(inner.lines)]
            return
        if not axes:
            innermost(scope, conditions)
            return
        axis, *rest = axes
        counter, extent = self.counter(axis), self.integer(axis.extent, scope)
        inner = Scope(scope, frozenset((axis.name,)))
        self._loops(inner, rest, conditions, row, innermost, blocks)
        if rest or not blocks:
            scope.lines += [f"for {counter} in range({extent}):", *indent(inner.lines)]
            return
        start = self.temporary("start")
        scope.lines += [
            f"for {start} in range(0, {extent}, {SUMMED_IN_FLOAT32}):",
            *(f"    {a.part} = float32(0.0)" for a in blocks),
            f"    for {counter} in range({start}, minimum({start} + {SUMMED_IN_FLOAT32}, {extent})):",
            *indent(indent(inner.lines)),
            *(f"    {a.total} = {a.total} + {a.part}" for a in blocks),
        ]

    def _along(self, row: Row, scope: Scope, conditions, body: Callable):
        """The loop along the row, where the conditions hold."""
        first, last = [row.first], [row.last]
        for condition in conditions:
            (first if condition.function.startswith("greater") else last).append(
                self.emit(_limit(condition, row.axis), scope)
            )
        low = nested("maximum", first)
        high = nested("minimum", last)
        inner = Scope(scope, frozenset((row.axis,)), row=row)
        body(inner)
        span = high if low == "0" else f"{low}, {high}"
        scope.lines += [f"for {self.counters[row.axis]} in range({span}):", *indent(inner.lines)]

    # ---- which folds, under which conditions

    def companions(self, fold: Fold, scope: Scope, row, conditions) -> list[Fold]:
        """The folds that can share the loops of `fold`, with it."""
        outside: Scope | None = scope
        while outside is not None:
            if outside.guarded and not outside.whole:
                return [fold]
            outside = outside.parent
        found = [fold]
        for f in self.together:
            if (
                f not in set(found)
                and f.axes == fold.axes
                and self.free_in(f) == self.free_in(fold)
                and scope.lookup(f) is None
                and (row is None or self.by_rows(f, row))
                and list(self.conditions(f, row)[0]) == list(conditions)
                and not any(_contains(f, g) or _contains(g, f) for g in found)
            ):
                found.append(f)
        return found

    def conditions(self, fold: Fold, row: Row | None) -> tuple[tuple[Any, ...], Expr]:
        """The conditions outside which `fold` sees what changes nothing, as far as loops can heed them, and its body
        where they hold."""
        body = fold.body
        if not (isinstance(body, Call) and body.function == "guard"):
            return (), body
        test, value, other = body.args
        if not (
            isinstance(other, Const) and other.dtype == value.dtype and other.value == initial(fold.kind, other.dtype)
        ):
            return (), body
        parts = _conjuncts(test)
        kept = [c for c in parts if row is None or row.axis not in self.free_in(c) or bounds(c, row.axis)]
        for c in parts:
            if c not in set(kept):
                value = Call("guard", (c, value, other), value.dtype)
        return tuple(kept), value


class Total:
    """The accumulator of a sum, a maximum and the like."""

    def __init__(self, emitter: Folds, fold: Fold, row: Row | None):
        self.emitter, self.fold, self.row = emitter, fold, row
        constant = all(isinstance(axis.extent, Const) for axis in fold.axes)
        long = emitter.float64_sums and fold.kind == "sum" and fold.dtype == np.float32 and not constant
        self.dtype = np.dtype("float64") if long else fold.dtype
        self.in_blocks = long and row is None
        self.total = element(emitter, "f", self.dtype, row)
        self.part = emitter.temporary("part") if self.in_blocks else self.total

    def start(self):
        return [
            f"{self.total} = {stored(literal(initial(self.fold.kind, self.dtype), self.dtype), self.row, self.dtype)}"
        ]

    def update(self, body: Expr, scope: Scope):
        value = self.emitter.emit(body.cast(self.fold.dtype), scope)
        text = STEP[self.fold.kind].format(loaded(self.part, self.row, self.dtype), value)
        if self.dtype.kind in "iu" and self.dtype.itemsize < 8:
            text = f"{self.dtype.name}({text})"
        return [f"{self.part} = {stored(text, self.row, self.dtype)}"]

    def result(self):
        text = loaded(self.total, self.row, self.dtype)
        return text if self.dtype == self.fold.dtype else f"{self.fold.dtype.name}({text})"


class Position:
    """The accumulators of argmax and argmin: the best value so far, and where it was."""

    def __init__(self, emitter: Folds, fold: Fold, row: Row | None):
        self.emitter, self.fold, self.row = emitter, fold, row
        self.value_dtype = fold.body.dtype
        constant = all(isinstance(axis.extent, Const) for axis in fold.axes)
        self.dtype = np.dtype("int32") if constant else INT
        self.best = element(emitter, "best", self.value_dtype, row)
        self.at = element(emitter, "at", self.dtype, row)

    def start(self):
        worst = literal(initial(self.fold.kind, self.value_dtype), self.value_dtype)
        return [f"{self.best} = {stored(worst, self.row, self.value_dtype)}", f"{self.at} = {literal(0, self.dtype)}"]

    def update(self, body: Expr, scope: Scope):
        value = self.emitter.name(body, self.emitter.emit(body, scope), scope)
        best = loaded(self.best, self.row, self.value_dtype)
        better = f"{value} {'>' if self.fold.kind == 'argmax' else '<'} {best}"
        if self.value_dtype.kind == "f":  # the first NaN is better than any number, and nothing is better than it
            better = f"not ({value} {'<=' if self.fold.kind == 'argmax' else '>='} {best}) and {best} == {best}"
        position: Expr = const(0)
        for axis in self.fold.axes:
            position = position * axis.extent + Index(axis.name)
        where, value = self.emitter.integer(position, scope), stored(value, self.row, self.value_dtype)
        chosen = self.emitter.temporary("b")
        return [
            f"{chosen} = {better}",
            f"{self.best} = {value} if {chosen} else {self.best}",
            f"{self.at} = {where if self.dtype == INT else f'{self.dtype.name}({where})'} if {chosen} else {self.at}",
        ]

    def result(self):
        return f"int64({self.at})" if self.dtype != INT else self.at


class Best:
    """A maximum whose place is looked for anyway."""

    def __init__(self, position: Position):
        self.position = position

    def start(self):
        return []

    def update(self, body: Expr, scope: Scope):
        return []

    def result(self):
        return loaded(self.position.best, self.position.row, self.position.value_dtype)


def element(emitter: Folds, letter: str, dtype: np.dtype, row: Row | None) -> str:
    """A new variable, or the element of a new row."""
    name = emitter.temporary(letter)
    if row is None:
        return name
    emitter.rows.append((name, dtype))
    counter = emitter.counters[row.axis]
    return f"{name}[{counter}]" if row.first == "0" else f"{name}[{counter} - {row.first}]"


def loaded(text: str, row: Row | None, dtype: np.dtype) -> str:
    """The value of a variable or of an element of a row."""
    return text if row is None else from_memory(text, dtype)


def stored(text: str, row: Row | None, dtype: np.dtype) -> str:
    """What to assign to it for the value `text`."""
    return text if row is None else to_memory(text, dtype)


def always_evaluated(values) -> list[Fold]:
    """The folds below `values` that do not stand in a branch."""
    found: dict[Fold, None] = {}
    stack, seen = list(reversed(values)), set()
    while stack:
        expr = stack.pop()
        if expr in seen:
            continue
        seen.add(expr)
        if isinstance(expr, Fold):
            found[expr] = None
        stack.extend(expr.args[:1] if isinstance(expr, Call) and expr.function == "guard" else children(expr))
    return list(found)


def initial(kind: str, dtype: np.dtype):
    """What a fold starts from, and what changes nothing in it."""
    kind = kind.removeprefix("arg")
    if kind not in ("max", "min"):
        return {"sum": 0, "prod": 1, "any": False, "all": True}[kind]
    if dtype.kind == "f":
        return -np.inf if kind == "max" else np.inf
    if dtype == BOOL:
        return kind == "min"
    return int(getattr(np.iinfo(dtype), "min" if kind == "max" else "max"))


def _contains(outer: Fold, inner: Fold) -> bool:
    stack, seen = [outer.body], set()
    while stack:
        expr = stack.pop()
        if expr is inner:
            return True
        if expr not in seen:
            seen.add(expr)
            stack.extend(children(expr))
    return False


def _conjuncts(condition: Expr) -> list[Expr]:
    if isinstance(condition, Call) and condition.function == "logical_and":
        return [c for x in condition.args for c in _conjuncts(x)]
    return [condition]


def bounds(condition: Expr, axis: str) -> bool:
    """Whether `condition` is one of ``place >= bound``, ``place < bound``.. where the place moves with the counter."""
    if not isinstance(condition, Call) or condition.function not in ("less", "less_equal", "greater", "greater_equal"):
        return False
    place, bound = condition.args
    return place.dtype == INT and coefficient(place, axis) == 1 and coefficient(bound, axis) == 0


def _limit(condition: Any, axis: str) -> Expr:
    """The least value, or the first one too large, of the counter that `condition` bounds."""
    place, bound = condition.args
    limit = call("subtract", bound, at_zero(place, axis))
    return limit + 1 if condition.function in ("greater", "less_equal") else limit


def is_short(fold: Fold) -> bool:
    """Whether LLVM unrolls it."""
    extents = [axis.extent for axis in fold.axes]
    return (
        all(isinstance(n, Const) for n in extents)
        and prod(int(n.value) for n in extents if isinstance(n, Const)) <= UNROLLED
    )


def at_zero(place: Expr, axis: str) -> Expr:
    """`place` where the counter is 0."""
    if isinstance(place, Index):
        return const(0) if place.axis == axis else place
    if isinstance(place, Call):
        return call(place.function, *(at_zero(x, axis) for x in place.args), dtype=place.dtype)
    return place


def nested(function: str, texts: list[str]) -> str:
    """``f(f(a, b), c)`` for the texts a, b, c."""
    first, *others = texts
    for text in others:
        first = f"{function}({first}, {text})"
    return first
