"""Short windows that lie wholly inside the image need no conditions: most do.

Whether a window does is tested once per row. If so its terms are unrolled inside the innermost loop, with the
accumulators in registers; only the windows at the edges are folded by rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symcnn.backends.cpu.halos import Halos
from symcnn.backends.nests.expressions import Row, coefficient, rebuilt
from symcnn.backends.nests.folds import is_short
from symcnn.ir.loops import Call, Expr, Fold, Index, Store, call, const

if TYPE_CHECKING:
    from collections.abc import Sequence


class Interiors(Halos):
    def interior(self, stores: Sequence[Store], row: Row) -> tuple[list[Expr], list[Store]] | None:
        """Conditions under which all terms of all short windows count, and the stores where they hold."""
        tests: dict[Expr, None] = {}
        swaps: dict[Expr, Expr] = {}
        for fold in self.together:
            conditions, body = self.conditions(fold, None)
            if not conditions or not is_short(fold) or not self.by_rows(fold, row):
                continue
            found = [self._for_all(c, fold, row) for c in conditions]
            if None in found:
                continue
            tests.update(dict.fromkeys(test for test in found if test is not None))
            swaps[fold] = Fold(fold.kind, fold.axes, body, fold.dtype)
        if not swaps:
            return None
        stores = [Store(s.target, s.axes, s.index, rebuilt(s.value, swaps)) for s in stores]
        for store in stores:
            self.analyse(store.value)
        self.together += [fold for fold in swaps.values() if isinstance(fold, Fold) and fold not in set(self.together)]
        return list(tests), stores

    def _for_all(self, condition: Expr, fold: Fold, row: Row) -> Expr | None:
        """What means that `condition`, a comparison, holds for every term of `fold`."""
        if not isinstance(condition, Call) or condition.function not in (
            "less",
            "less_equal",
            "greater",
            "greater_equal",
        ):
            return None
        if row.axis in self.free_in(condition):
            return None
        place, bound = condition.args
        swaps: dict[Expr, Expr] = {}
        for axis in fold.axes:
            step = coefficient(place, axis.name)
            if step is None or coefficient(bound, axis.name) != 0:
                return None
            extent: Any = axis.extent
            smallest = (step > 0) == condition.function.startswith("greater")
            swaps[Index(axis.name)] = const(0 if smallest else extent.value - 1)
        return Call(condition.function, (_at(place, swaps), bound), condition.dtype)


def _at(expr: Expr, swaps: dict[Expr, Expr]) -> Expr:
    """`expr` with other counters, and the arithmetic of numbers done."""
    if expr in swaps:
        return swaps[expr]
    if isinstance(expr, Call):
        return call(expr.function, *(_at(x, swaps) for x in expr.args), dtype=expr.dtype)
    return expr
