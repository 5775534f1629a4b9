"""Short windows along the innermost axis (a sum over neighbouring channels), without conditions at the edges.

What the windows look at is put into a row in private memory that goes on beyond both ends, filled with what changes
nothing in the fold. Every window is then a few shifted loads, so the innermost loop vectorises from end to end, and what
is computed for an element before it is folded is computed once, however many windows see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symcnn.backends.nests.expressions import Scope, coefficient, indent, literal, rebuilt
from symcnn.backends.nests.folds import Folds, at_zero, bounds, initial, is_short, nested
from symcnn.ir.loops import Axis, Const, Expr, Fold, Index, Load, Store, children, const

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, eq=False)
class PrivateRow:
    """A row of private memory; stands where loads have a Variable."""

    name: str
    dtype: np.dtype
    shape = (None,)


@dataclass(frozen=True)
class _Window:
    """``fold(body)`` over windows that look at `place`, from `before` elements back on and `reach` elements long, where
    the conditions hold."""

    fold: Fold
    body: Expr
    place: Expr
    before: int
    reach: int
    conditions: tuple[Any, ...]


class Halos(Folds):
    def __init__(self):
        super().__init__()
        self.halo = 0  # elements by which private rows are longer than the axis

    def operand(self, variable):
        return variable.name if isinstance(variable, PrivateRow) else super().operand(variable)

    def with_halos(self, stores: Sequence[Store], axis: Axis, scope: Scope) -> Sequence[Store]:
        """`stores` where windows along `axis`, the innermost, look into private rows; these are filled in `scope`."""
        swaps: dict[Expr, Expr] = {}
        for window in [w for w in (self._window(fold, axis) for fold in self.together) if w is not None]:
            row: Any = PrivateRow(self.temporary("h"), window.body.dtype)
            self.rows.append((row.name, row.dtype))
            self.halo = max(self.halo, window.reach)
            self._fill(row, window, axis, scope)
            seen = Load(row, (Index(axis.name) + Index(window.fold.axes[0].name),))
            swaps[window.fold] = Fold(window.fold.kind, window.fold.axes, seen, window.fold.dtype)
        if not swaps:
            return stores
        stores = [Store(s.target, s.axes, s.index, rebuilt(s.value, swaps)) for s in stores]
        for store in stores:
            self.analyse(store.value)
        return stores

    def _window(self, fold: Fold, axis: Axis) -> _Window | None:
        conditions, body = self.conditions(fold, None)
        places = {c.args[0] for c in conditions if bounds(c, axis.name)}
        if len(places) != 1 or len(fold.axes) != 1 or not is_short(fold) or fold.kind.startswith("arg"):
            return None
        (place,), (inside,) = places, fold.axes
        extent: Any = inside.extent
        start: Any = at_zero(at_zero(place, axis.name), inside.name)
        elsewhere = [rebuilt(body, {place: const(0)}), *(c.args[1] for c in conditions)]
        simple = (
            all(bounds(c, axis.name) for c in conditions)
            and coefficient(place, inside.name) == 1
            and isinstance(start, Const)
            and not any(self.free_in(e) & {axis.name, inside.name} for e in elsewhere)
            and not _has_fold(body)
        )
        return _Window(fold, body, place, -int(start.value), extent.value - 1, conditions) if simple else None

    def _fill(self, row: PrivateRow, window: _Window, axis: Axis, scope: Scope):
        """Loops that put into the row what the windows look at, and beyond the ends what changes nothing."""
        counter, total = self.counters[axis.name], self.emit(axis.extent + window.reach, scope)
        firsts, lasts = ["0"], [total]
        for condition in window.conditions:
            beyond = condition.function in ("greater", "less_equal")
            bound = self.emit(condition.args[1] + (window.before + beyond), scope)
            (firsts if condition.function.startswith("greater") else lasts).append(bound)
        begin, end = self.temporary("begin"), self.temporary("end")
        inner = Scope(scope, frozenset((axis.name,)))
        text = self.emit(rebuilt(window.body, {window.place: Index(axis.name) - window.before}), inner)
        outside = f"    {row.name}[{counter}] = {literal(initial(window.fold.kind, row.dtype), row.dtype)}"
        scope.lines += [
            f"{begin} = {nested('maximum', firsts)}",
            f"{end} = maximum({begin}, {nested('minimum', lasts)})",
            f"for {counter} in range({begin}):", outside,
            f"for {counter} in range({begin}, {end}):", *indent([*inner.lines, f"{row.name}[{counter}] = {text}"]),
            f"for {counter} in range({end}, {total}):", outside,
        ]  # fmt: skip


def _has_fold(expr: Expr) -> bool:
    return isinstance(expr, Fold) or any(map(_has_fold, children(expr)))
