"""From expressions to Python text: every one is written in the outermost loop in which all of its counters are known.

What does not depend on an inner loop is thus computed once before it. A value that is used twice gets a name; names
and counters are numbered in the order in which they are met, so that equal structure gives equal text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from symcnn.ir.loops import BOOL, INT, Axis, Call, Const, Expr, Fold, Index, Load, Param, Size, Stride, children
from symcnn.ops.elementwise import ROWS

if TYPE_CHECKING:
    from symcnn.ir.loops import Store
    from symcnn.ir.variable import Variable

BOOLEAN = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or",
           "logical_not", "logical_xor", "isnan", "isinf", "isfinite", "where", "guard", "cast", "positive"}  # fmt: skip

SHORT = 16  # characters of index arithmetic that are rather repeated than named

MERGED = Index("merged")  # in place of the counter of an axis that its right neighbour counts too

_OPERATORS = {"floor_divide": "//", "remainder": "%"}  # of integers: Python's, where the divisor is surely not 0

_CALL = re.compile(r"\w*\(.*\)$")  # a template that needs no parentheses around it


@dataclass(eq=False)
class Scope:
    """A loop body or a branch under construction.

    Attributes
    ----------
    parent : Scope or None
    axes : frozenset of str
        The counters it binds.
    lines : list of str
    names : dict
        Expr -> the text that stands for its value from here on.
    guarded : bool
        A branch, in which everything stays that reads memory.
    whole : bool
        A branch in which all of the stores are made, as in the other one.
    row : Row or None
        Set in the body of the loop along the rows in which folds may be taken, see `folds`.
    """

    parent: Scope | None
    axes: frozenset[str]
    lines: list[str] = field(default_factory=list)
    names: dict[Expr, str] = field(default_factory=dict)
    guarded: bool = False
    whole: bool = False
    row: Row | None = None

    def lookup(self, expr: Expr) -> str | None:
        """The text that stands for `expr` here, if it has been computed."""
        scope: Scope | None = self
        while scope is not None:
            if expr in scope.names:
                return scope.names[expr]
            scope = scope.parent
        return None


@dataclass(frozen=True)
class Row:
    """The loop over the innermost axis of a nest, which can be written as often as is needed.

    Attributes
    ----------
    axis : str
    first, last : str
        Text of its range.
    """

    axis: str
    first: str
    last: str


class Expressions:
    """Text of expressions, and the argument block that it needs: `operands` and `integers`."""

    pointers, numbers = "x", "n"  # what their names begin with

    def __init__(self):
        self.operands: dict[Any, str] = {}
        self.integers: dict[Expr, str] = {}
        self.counters: dict[str, str] = {}
        self.free: dict[Expr, frozenset[str]] = {}
        self.loads: dict[Expr, bool] = {}
        self.uses: dict[Expr, int] = {}
        self.temporaries = 0
        self.fold_counters = 0

    def fold(self, fold: Fold, scope: Scope, row: Row | None) -> str:
        """Emit the loops of `fold` in `scope`, by rows if `row` is given; the text of its result."""
        raise NotImplementedError

    def by_rows(self, fold: Fold, row: Row) -> bool:
        """Whether the loops of `fold` should rather run outside the loop along `row`."""
        raise NotImplementedError

    def integer(self, expr: Expr, scope: Scope) -> str:
        """Text of a position or a size, of which no number is large."""
        return self.emit(expr, scope)

    def condition(self, expr: Expr, scope: Scope) -> str:
        """Text of what decides between branches: as a rule, comparisons of positions."""
        return self.emit(expr, scope)

    # ---- analysis

    def analyse(self, root: Expr) -> None:
        """Free counters, use counts and presence of loads for everything below `root`."""
        stack = [(root, False)]
        self.uses[root] = self.uses.get(root, 0) + 1
        while stack:
            expr, ready = stack.pop()
            if expr in self.free:
                continue
            below = children(expr)
            if not ready:
                stack.append((expr, True))
                for child in below:
                    self.uses[child] = self.uses.get(child, 0) + 1
                    stack.append((child, False))
                continue
            free = frozenset().union(*(self.free[c] for c in below)) if below else frozenset()
            if isinstance(expr, Index):
                free = frozenset((expr.axis,))
            elif isinstance(expr, Fold):
                free -= {a.name for a in expr.axes}
            self.free[expr] = free
            self.loads[expr] = isinstance(expr, Load) or any(self.loads[c] for c in below)

    def free_in(self, expr: Expr) -> frozenset[str]:
        """The counters that `expr` needs; it may have been made just now."""
        if expr not in self.free:
            self.analyse(expr)
        return self.free[expr]

    # ---- expressions

    def emit(self, expr: Expr, scope: Scope) -> str:
        """Text for the value of `expr` inside `scope`."""
        if isinstance(expr, Const):
            return literal(expr.value, expr.dtype)
        if isinstance(expr, (Size, Param)):
            return self.number(expr)
        if isinstance(expr, Index):
            return self.counters[expr.axis]
        found = scope.lookup(expr)
        if found is not None:
            return found
        free = self.free_in(expr)
        home = scope
        while home.parent is not None and not free & home.axes and not (home.guarded and self.loads[expr]):
            home = home.parent
        if isinstance(expr, Fold):
            if home.row is not None and home.parent is not None and self.by_rows(expr, home.row):
                return self.fold(expr, home.parent, home.row)
            return self.fold(expr, home, None)
        text = self._text(expr, home)
        once = self.uses.get(expr, 1) < 2
        if isinstance(expr, Call) and expr.dtype == INT and not self.loads[expr]:
            return text if once or len(text) <= SHORT else self.name(expr, text, home)
        if home is scope and once and (scope.guarded or not (isinstance(expr, Call) and expr.function == "guard")):
            return text
        return self.name(expr, text, home)

    def _text(self, expr: Expr, scope: Scope) -> str:
        if isinstance(expr, Load):
            text = f"{self.operand(expr.variable)}[{self.offset(expr.variable, expr.index, scope)}]"
            return from_memory(text, expr.dtype)
        assert isinstance(expr, Call)
        if expr.function == "guard":
            condition, a, b = expr.args
            return self._guard(condition, a, b, scope)
        args = [self.emit(x, scope) for x in expr.args]
        if expr.function == "cast":
            return f"({args[0]} != 0)" if expr.dtype == BOOL else f"{expr.dtype.name}({args[0]})"
        if (
            expr.dtype == INT
            and expr.function in _OPERATORS
            and isinstance(expr.args[1], Const)
            and expr.args[1].value > 0
        ):
            return f"({args[0]} {_OPERATORS[expr.function]} {args[1]})"
        code = ROWS[expr.function].code
        # an argument that the template repeats is named, and so is what `where` chooses from: then it is a select
        args = [
            self.name(x, text, scope)
            if (code.count(f"{{{k}}}") > 1 or expr.function == "where") and not _simple(text)
            else text
            for k, (x, text) in enumerate(zip(expr.args, args, strict=True))
        ]
        text = code.format(*args)
        if expr.dtype == BOOL and expr.function not in BOOLEAN:
            return f"({text} != 0)"
        if expr.dtype.kind in "iu" and expr.dtype.itemsize < 8:
            return f"{expr.dtype.name}({text})"
        return text if _CALL.match(code) else f"({text})"

    def _guard(self, condition: Expr, a: Expr, b: Expr, scope: Scope) -> str:
        """A choice of which only one side is evaluated: a conditional expression, or statement where a side needs names."""
        test = self.condition(condition, scope)
        sides = [Scope(scope, frozenset(), guarded=True) for _ in (a, b)]
        texts = [self.emit(x, side) for x, side in zip((a, b), sides, strict=True)]
        if not any(side.lines for side in sides):
            return f"({texts[0]} if {test} else {texts[1]})"
        name = self.temporary("g")
        for head, side, text in zip((f"if {test}:", "else:"), sides, texts, strict=True):
            scope.lines += [head, *indent([*side.lines, f"{name} = {text}"])]
        return name

    def offset(self, variable, index, scope: Scope) -> str:
        """Flat offset of an element of contiguous memory."""
        terms = []
        for dimension, i in enumerate(index):
            if (isinstance(i, Const) and i.value == 0) or i is MERGED:
                continue
            text = self.integer(i, scope)
            if all(d == 1 for d in variable.shape[dimension + 1 :]):
                terms.append(text)
            else:
                key = Stride(variable, dimension)
                terms.append(f"{text} * {self.number(key)}")
        return " + ".join(terms) or "0"

    # ---- stores

    def stores(self, scope: Scope, stores) -> None:
        """All values first, then all writes: a write may replace an operand of another value."""
        values = [self.stored_value(store, scope, named=len(stores) > 1) for store in stores]
        for store, text in zip(stores, values, strict=True):
            self.write(store, text, scope)

    def stored_value(self, store: Store, scope: Scope, named: bool) -> str:
        """Text of the value of `store`, if need be a name."""
        text = self.emit(store.value, scope)
        return self.name(store.value, text, scope) if named and not text.isidentifier() else text

    def write(self, store: Store, text: str, scope: Scope) -> None:
        """Write the value `text` where `store` has it."""
        target, text = self.operand(store.target), to_memory(text, store.target.dtype)
        scope.lines.append(f"{target}[{self.offset(store.target, store.index, scope)}] = {text}")

    # ---- names

    def operand(self, variable: Variable) -> str:
        """The pointer to `variable`."""
        return self.operands.setdefault(variable, f"{self.pointers}{len(self.operands)}")

    def number(self, expr: Expr) -> str:
        """The run-time integer `expr`."""
        return self.integers.setdefault(expr, f"{self.numbers}{len(self.integers)}")

    def name(self, expr: Expr, text: str, scope: Scope) -> str:
        """A name for the value of `expr`, which is `text`."""
        name = text
        if not text.isidentifier():
            name = self.temporary("t")
            scope.lines.append(f"{name} = {text}")
        scope.names[expr] = name
        return name

    def counter(self, axis: Axis) -> str:
        """The counter of an axis of a fold."""
        if axis.name not in self.counters:
            self.counters[axis.name] = f"r{self.fold_counters}"
            self.fold_counters += 1
        return self.counters[axis.name]

    def temporary(self, letter: str) -> str:
        """A new name."""
        self.temporaries += 1
        return f"{letter}{self.temporaries}"


def loads_below(root: Expr) -> list[Load]:
    """Every load below `root`."""
    found, stack, seen = [], [root], set()
    while stack:
        expr = stack.pop()
        if expr not in seen:
            seen.add(expr)
            stack.extend(children(expr))
            if isinstance(expr, Load):
                found.append(expr)
    return found


def contiguity(load: Load, axis: str) -> int | None:
    """How far the element that `load` reads moves when the counter of `axis` grows by one: 0, 1, or ``None`` if farther."""
    found: int | None = 0
    for dimension, i in enumerate(load.index):
        step = coefficient(i, axis)
        if step != 0:
            last = all(d == 1 for d in load.variable.shape[dimension + 1 :])
            found = 1 if step == 1 and last and found == 0 else None
    return found


def coefficient(expr: Expr, axis: str) -> int | None:
    """a in ``expr = a * counter + rest``; ``None`` if it is not of that form."""
    if isinstance(expr, Index):
        return int(expr.axis == axis)
    if not isinstance(expr, (Call, Load, Fold)):
        return 0
    steps: list[Any] = [coefficient(x, axis) for x in children(expr)]
    if not any(step != 0 for step in steps):
        return 0
    if not isinstance(expr, Call) or None in steps:
        return None
    if expr.function == "add":
        return steps[0] + steps[1]
    if expr.function == "subtract":
        return steps[0] - steps[1]
    if expr.function == "multiply":
        a, b = expr.args
        if isinstance(b, Const):
            return steps[0] * int(b.value)
        return steps[1] * int(a.value) if isinstance(a, Const) else None
    return None


def rebuilt(expr: Expr, swaps: dict[Expr, Expr]) -> Expr:
    """`expr` with others in place of the expressions in `swaps`, in which it also notes what it has rebuilt."""
    if expr in swaps:
        return swaps[expr]
    if isinstance(expr, Call):
        made: Expr = Call(expr.function, tuple(rebuilt(x, swaps) for x in expr.args), expr.dtype)
    elif isinstance(expr, Load):
        made = Load(expr.variable, tuple(rebuilt(x, swaps) for x in expr.index))
    elif isinstance(expr, Fold):
        axes = tuple(Axis(a.name, rebuilt(a.extent, swaps)) for a in expr.axes)
        made = Fold(expr.kind, axes, rebuilt(expr.body, swaps), expr.dtype)
    else:
        made = expr
    swaps[expr] = made
    return made


def _simple(text: str) -> bool:
    return text.isidentifier() or text.replace(".", "").isdigit()


def literal(value, dtype) -> str:
    """Text of a number: the shortest that gives this value in this dtype."""
    if dtype == BOOL:
        return str(bool(value))
    if dtype == INT:
        return str(int(value)) if value >= 0 else f"({int(value)})"
    if dtype.kind in "iu":
        return f"{dtype.name}({int(value)})"
    value = float(value)
    if value != value or value in (np.inf, -np.inf):
        return f"{dtype.name}({'nan' if value != value else 'inf' if value > 0 else '-inf'})"
    return f"{dtype.name}({dtype.type(value)!s})"


def storage(dtype) -> str:
    """The name of the numbers in memory that stand for values of `dtype`."""
    return "uint8" if dtype == BOOL else dtype.name


def from_memory(text: str, dtype) -> str:
    """The value of an element of memory."""
    return f"({text} != 0)" if dtype == BOOL else text


def to_memory(text: str, dtype) -> str:
    """What to assign to an element of memory for the value `text`."""
    return f"{storage(dtype)}({text})" if dtype == BOOL else text


def indent(lines) -> list[str]:
    """`lines`, one level further in."""
    return [f"    {line}" for line in lines]
