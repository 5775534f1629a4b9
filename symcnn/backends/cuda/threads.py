"""Expressions and folds as the text of one GPU thread: positions in 32 bits, sums in their own precision.

A GPU divides and multiplies 64-bit integers slowly, so what positions are computed with is brought to 32 bits wherever
it is used or named; a plan with more elements than that is refused. Values of int64 stay as they are.
"""

from __future__ import annotations

from symcnn.backends.nests.expressions import SHORT, Scope
from symcnn.backends.nests.folds import Folds
from symcnn.ir.loops import BOOL, INT, Call, Const, Expr, Fold, Index, Param, Size, children

_SIGNS = {"add": "+", "subtract": "-", "multiply": "*"}


class ThreadCode(Folds):
    float64_sums = False  # a GPU has few units for them; sums are split among threads instead

    def by_rows(self, fold, row):
        return False

    # ---- positions

    def integer(self, expr: Expr, scope: Scope) -> str:
        """Text of a position, in 32 bits."""
        if isinstance(expr, (Const, Index, Size, Param)):
            return self.emit(expr, scope)
        if not self.is_position(expr):
            return f"int32({self.emit(expr, scope)})"
        key = Call("position", (expr,), INT)  # apart from the same expression as a value, which has 64 bits
        found = scope.lookup(key)
        if found is not None:
            return found
        free, home = self.free_in(expr), scope
        while home.parent is not None and not free & home.axes:
            home = home.parent
        text = f"int32({self._position(expr, home)})"
        if self.uses.get(expr, 1) > 1 and len(text) > SHORT + len("int32()"):
            return self.name(key, text, home)
        return text

    def _position(self, expr, scope: Scope) -> str:
        """The arithmetic of a position, of which the low 32 bits count."""
        args = [self.integer(x, scope) for x in expr.args]
        sign = _SIGNS.get(expr.function)
        if sign is None:
            return f"{expr.function}({', '.join(_in_32_bits(x) for x in args)})"
        a, b = (x[6:-1] if _is_wrapped(x) else x for x in args)
        if expr.function != "add" and _is_wrapped(args[1]):
            b = f"({b})"
        if expr.function == "multiply" and _is_wrapped(args[0]):
            a = f"({a})"
        return f"{a} {sign} {b}"

    def count(self, scope: Scope, axes, point: str) -> None:
        """Name the counters of `axes` at the point whose number is called `point`."""
        rest, counters = point, [self.counter(axis) for axis in axes]
        for axis, counter in reversed(list(zip(axes, counters, strict=True))[1:]):
            extent = _in_32_bits(self.integer(axis.extent, scope))
            scope.lines += [f"{counter} = rest({rest}, {extent})", f"over_{counter} = quotient({rest}, {extent})"]
            rest = f"over_{counter}"
        if axes:
            scope.lines.append(f"{counters[0]} = {rest}")

    def is_position(self, expr: Expr) -> bool:
        """Whether `expr` is computed from counters and sizes alone."""
        self.free_in(expr)
        return isinstance(expr, Call) and expr.dtype == INT and not self.loads[expr] and not self._has_fold(expr)

    def _has_fold(self, expr: Expr) -> bool:
        return isinstance(expr, Fold) or any(map(self._has_fold, children(expr)))

    def condition(self, expr: Expr, scope: Scope) -> str:
        if isinstance(expr, Call) and expr.function == "logical_and" and expr.dtype == BOOL:
            return " and ".join(self.condition(x, scope) for x in expr.args)
        if not isinstance(expr, Call) or expr.function not in _COMPARISONS:
            return self.emit(expr, scope)
        simple = (isinstance(x, (Const, Index, Size, Param)) or self.is_position(x) for x in expr.args)
        if any(x.dtype != INT for x in expr.args) or not all(simple):
            return self.emit(expr, scope)
        a, b = (self.integer(x, scope) for x in expr.args)
        return f"{a} {_COMPARISONS[expr.function]} {b}"

    def offset(self, variable, index, scope: Scope) -> str:
        text = super().offset(variable, index, scope)
        return text if text.isidentifier() or text.isdecimal() or _is_wrapped(text) else f"int32({text})"


_COMPARISONS = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}


def _is_wrapped(text: str) -> bool:
    """Whether `text` is one call of int32."""
    if not text.startswith("int32(") or not text.endswith(")"):
        return False
    depth = 0
    for k, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and letter == ")":
            return k == len(text) - 1
    return False


def _in_32_bits(text: str) -> str:
    return text if text.isidentifier() or _is_wrapped(text) else f"int32({text})"
