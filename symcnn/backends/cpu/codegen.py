"""From a loop nest to the Python source of a kernel.

A kernel does a range of tasks (points of the outer axes), so the executor can split it over threads; sizes and strides
come from its argument block, so it serves every batch. Source is canonical: equal structure gives equal text, and the
text is the key of the kernel cache.

The one idea: every expression is emitted in the outermost loop in which all of its counters are known. A fold that
does not depend on the inner loop is thus computed once before it, which is what makes softmax a row pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from symcnn.backends.cpu.launch import HEADER
from symcnn.ir.loops import BOOL, INT, Axis, Call, Const, Expr, Fold, Index, Load, Param, Size, Stride, children
from symcnn.ops.elementwise import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symcnn.ir.variable import Variable
    from symcnn.schedule.lower import Step

BOOLEAN = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or",
           "logical_not", "logical_xor", "isnan", "isinf", "isfinite", "where", "guard", "cast", "positive"}  # fmt: skip


SHORT = 16  # characters of index arithmetic that are rather repeated than named

SUMMED_IN_FLOAT32 = 256  # elements; the sums of such blocks are added in float64

IN_ANY_ORDER = "# float sums are taken in any order"  # tells the compiler, and people, that this kernel has some

_CALL = re.compile(r"\w*\(.*\)$")  # a template that needs no parentheses around it


@dataclass(frozen=True, eq=False)
class Generated:
    """A generated kernel and what to put in its argument block.

    Attributes
    ----------
    source : str
        Python; ``kernel(lo, hi, args)``.
    operands : tuple of Variables
        Their addresses come first.
    integers : tuple of Size, Param or Stride
        Then these.
    tasks : tuple of Axis
        The product of their extents is the number of tasks.
    work : tuple
        Expressions whose product is roughly the number of scalar operations per task.
    """

    source: str
    operands: tuple[Variable, ...]
    integers: tuple
    tasks: tuple[Axis, ...]
    work: tuple


@dataclass(eq=False)
class _Scope:
    """A loop body or a branch under construction: its lines, the counters it binds, the values it has named. In a
    guarded one, a branch, stays everything that reads memory."""

    parent: _Scope | None
    axes: frozenset[str]
    lines: list[str] = field(default_factory=list)
    names: dict[Expr, str] = field(default_factory=dict)
    guarded: bool = False


def generate(step: Step, in_place: Mapping[Variable, Variable]) -> Generated:
    """The kernel of one step; a result that is written over an operand goes through the operand's pointer, for LLVM
    vectorises a loop over one pointer, but not over two that turn out to be equal.

    The tasks of an epilogue are the rows of the tuned kernel's result, all its axes but the last.
    """
    return _Generator(step, in_place).run()


class _Generator:
    def __init__(self, step: Step, in_place):
        self.step, self.nest, self.in_place = step, step.nest, in_place
        self.operands: dict[Variable, str] = {}
        self.integers: dict[object, str] = {}
        self.free: dict[Expr, frozenset[str]] = {}
        self.loads: dict[Expr, bool] = {}
        self.uses: dict[Expr, int] = {}
        self.temporaries = 0
        for store in self.nest.stores:
            self._analyse(store.value)
        self.merged, self.axes = self._merge_axes()
        # Loop counters by their place, so that the text does not depend on where in a graph the loops come from.
        self.counters = {axis.name: f"i{k}" for k, axis in enumerate(self.axes)}

    def run(self) -> Generated:
        outer_count = self.nest.outer
        in_a_row = len(self.nest.axes) - outer_count
        flat = bool(self.step.tuned is not None and in_a_row and len(self.axes) == 1 < len(self.nest.axes))
        if self.step.tuned is not None:
            outer_count = 1 if flat else len(self.axes) - in_a_row
        elif self.merged:
            outer_count = max(len(self.axes) - 1, min(len(self.axes), 1))
        outer, inner = self.axes[:outer_count], self.axes[outer_count:]
        top = _Scope(None, frozenset())
        body = _Scope(top, frozenset(a.name for a in outer))
        self._decompose(body, outer)
        rows = [s for s in self.nest.stores if not set(s.axes) - body.axes and inner]
        points = [s for s in self.nest.stores if s not in rows]
        self._stores(body, rows)
        if points:
            self._loops(body, list(inner), lambda scope: self._stores(scope, points))
        counter = self._counter(outer[0]) if len(outer) == 1 else "task"
        bounds = "lo, hi"
        if flat:  # rows without a seam
            length = self._emit(self.nest.axes[-1].extent, top)
            bounds = f"lo * {length}, hi * {length}"
        lines = [f"for {counter} in range({bounds}):", *_indent(body.lines)]
        header = [f'"""{self.step.name}"""', "block = int64_at(args)"]
        if any(isinstance(e, Fold) and e.kind in ("sum", "prod") and e.dtype.kind == "f" for e in self.uses):
            header.insert(1, IN_ANY_ORDER)
        header += [f"{name} = {_storage(v.dtype)}_at(block[{k}])" for k, (v, name) in enumerate(self.operands.items())]
        first = len(self.operands) + HEADER
        header += [f"{name} = block[{first + k}]" for k, name in enumerate(self.integers.values())]
        source = "\n".join(["def kernel(lo, hi, args):", *_indent([*header, *top.lines, *lines])]) + "\n"
        work = [a.extent for a in inner]
        folds = {e for e in self.uses if isinstance(e, Fold)}
        largest = max(folds, key=lambda f: len(f.axes), default=None)
        work += [a.extent for a in largest.axes] if largest else []
        weight = Const(max(sum(isinstance(e, Call) and e.dtype != INT for e in self.uses), 1), INT)
        return Generated(source, tuple(self.operands), tuple(self.integers), tuple(outer), (*work, weight))

    # ---- analysis

    def _analyse(self, root: Expr):
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

    def _merge_axes(self):
        """Axes that merge; in an epilogue all, or not the last of the result, for a task is a row of it."""
        merged, axes = self._merged(self.nest.axes)
        if self.step.tuned is not None and len(axes) > 1:
            merged, axes = self._merged(self.nest.axes[: self.nest.outer])
            axes += self.nest.axes[self.nest.outer :]
        return merged, axes

    def _merged(self, axes):
        """Neighbouring axes that every access walks together (or not at all) become one long axis."""
        if not self.step.collapsible or len(axes) < 2:
            return {}, axes
        accesses = {e.index for e in self.free if isinstance(e, Load)} | {s.index for s in self.nest.stores}
        merged: dict[str, str] = {}
        result = [axes[0]]
        for left, axis in pairwise(axes):
            pairs = [
                (
                    Index(left.name) in index,
                    Index(axis.name) in index,
                    _adjacent(index, Index(left.name), Index(axis.name)),
                )
                for index in accesses
            ]
            if all(not (a or b) or (a and b and near) for a, b, near in pairs):
                group = result.pop()
                merged[left.name] = ""  # counted by the merged axis
                result.append(Axis(axis.name, group.extent * axis.extent))
            else:
                result.append(axis)
        return merged, tuple(result)

    # ---- loops

    def _decompose(self, scope: _Scope, outer):
        """The counters of the outer axes from the task number."""
        if len(outer) < 2:
            return
        rest = "task"
        for axis in reversed(outer[1:]):
            extent = self._emit(axis.extent, scope)
            counter = self._counter(axis)
            scope.lines.append(f"{counter} = {rest} % {extent}")
            scope.lines.append(f"rest_{counter} = {rest} // {extent}")
            rest = f"rest_{counter}"
        scope.lines.append(f"{self._counter(outer[0])} = {rest}")

    def _loops(self, scope: _Scope, axes, body):
        """`body` inside one loop per axis."""
        if not axes:
            body(scope)
            return
        axis, *rest = axes
        inner = _Scope(scope, frozenset((axis.name,)))
        counter, extent = self._counter(axis), self._emit(axis.extent, scope)
        self._loops(inner, rest, body)
        scope.lines.append(f"for {counter} in range({extent}):")
        scope.lines.extend(_indent(inner.lines))

    def _stores(self, scope: _Scope, stores):
        """All values first, then all writes: a write may replace an operand of another value."""
        values = []
        for store in stores:
            text = self._emit(store.value, scope)
            if len(stores) > 1 and not text.isidentifier():
                text = self._name(store.value, text, scope)
            values.append(text)
        for store, text in zip(stores, values, strict=True):
            target = self._operand(store.target)
            if store.target.dtype == BOOL:
                text = f"uint8({text})"
            scope.lines.append(f"{target}[{self._offset(store.target, store.index, scope)}] = {text}")

    def _fold(self, fold: Fold, scope: _Scope) -> str:
        """Emit the loops of a fold in `scope`; the name of its result."""
        if fold.kind in ("argmax", "argmin"):
            return self._arg_fold(fold, scope)
        if fold.kind == "sum" and fold.dtype == np.float32 and not isinstance(fold.axes[-1].extent, Const):
            return self._long_sum(fold, scope)
        total = self._temporary("f")
        scope.lines.append(f"{total} = {self._initial(fold)}")
        step = {
            "sum": "{0} + {1}", "prod": "{0} * {1}", "max": "maximum({0}, {1})", "min": "minimum({0}, {1})",
            "any": "{0} or {1}", "all": "{0} and {1}",
        }[fold.kind]  # fmt: skip

        def body(inner):
            text = step.format(total, self._emit(fold.body.cast(fold.dtype), inner))
            narrow = fold.dtype.kind in "iu" and fold.dtype.itemsize < 8
            inner.lines.append(f"{total} = {fold.dtype.name}({text})" if narrow else f"{total} = {text}")

        self._loops(scope, list(fold.axes), body)
        return total

    def _long_sum(self, fold: Fold, scope: _Scope) -> str:
        """A float32 sum over an axis of any length: blocks of it in float32, which vectorises, their sums in float64,
        so that the error does not grow with the length."""
        total, part, start = self._temporary("f"), self._temporary("part"), self._temporary("start")
        scope.lines.append(f"{total} = float64(0.0)")

        def blocks(outer):
            axis = fold.axes[-1]
            counter, extent = self._counter(axis), self._emit(axis.extent, outer)
            inner = _Scope(outer, frozenset((axis.name,)))
            value = self._emit(fold.body.cast(fold.dtype), inner)
            inner.lines.append(f"{part} = {part} + {value}")
            outer.lines += [
                f"for {start} in range(0, {extent}, {SUMMED_IN_FLOAT32}):",
                f"    {part} = float32(0.0)",
                f"    for {counter} in range({start}, min({start} + {SUMMED_IN_FLOAT32}, {extent})):",
                *_indent(_indent(inner.lines)),
                f"    {total} = {total} + {part}",
            ]

        self._loops(scope, list(fold.axes[:-1]), blocks)
        return self._name(fold, f"float32({total})", scope)

    def _arg_fold(self, fold: Fold, scope: _Scope) -> str:
        best, position, counter = self._temporary("best"), self._temporary("at"), self._temporary("k")
        scope.lines += [f"{best} = {_literal(0, fold.body.dtype)}", f"{position} = 0", f"{counter} = 0"]
        sign = ">" if fold.kind == "argmax" else "<"

        def body(inner):
            value = self._name(fold.body, self._emit(fold.body, inner), inner)
            inner.lines += [
                f"if {counter} == 0 or {value} {sign} {best} or ({value} != {value} and {best} == {best}):",
                f"    {best} = {value}",
                f"    {position} = {counter}",
                f"{counter} += 1",
            ]

        self._loops(scope, list(fold.axes), body)
        return position

    def _initial(self, fold: Fold) -> str:
        if fold.kind in ("max", "min"):
            if fold.dtype.kind == "f":
                return _literal(-np.inf if fold.kind == "max" else np.inf, fold.dtype)
            if fold.dtype == BOOL:
                return str(fold.kind == "min")
            limits = np.iinfo(fold.dtype)
            return _literal(limits.min if fold.kind == "max" else limits.max, fold.dtype)
        return _literal({"sum": 0, "prod": 1, "any": False, "all": True}[fold.kind], fold.dtype)

    # ---- expressions

    def _emit(self, expr: Expr, scope: _Scope) -> str:
        """Text for the value of `expr` inside `scope`."""
        if isinstance(expr, Const):
            return _literal(expr.value, expr.dtype)
        if isinstance(expr, (Size, Param)):
            return self.integers.setdefault(expr, f"n{len(self.integers)}")
        if isinstance(expr, Index):
            return self.counters[expr.axis]
        found = _lookup(expr, scope)
        if found is not None:
            return found
        self._analyse_late(expr)
        home = scope
        while home.parent is not None and not self.free[expr] & home.axes and not (home.guarded and self.loads[expr]):
            home = home.parent
        if isinstance(expr, Fold):
            name = self._fold(expr, home)
            home.names[expr] = name
            return name
        text = self._text(expr, home)
        once = self.uses.get(expr, 1) < 2
        if isinstance(expr, Call) and expr.dtype == INT and not self.loads[expr]:
            return text if once or len(text) <= SHORT else self._name(expr, text, home)
        if home is scope and once and (scope.guarded or not (isinstance(expr, Call) and expr.function == "guard")):
            return text
        return self._name(expr, text, home)

    def _analyse_late(self, expr: Expr):
        if expr not in self.free:  # made here, by a cast
            self._analyse(expr)

    def _text(self, expr: Expr, scope: _Scope) -> str:
        if isinstance(expr, Load):
            text = f"{self._operand(expr.variable)}[{self._offset(expr.variable, expr.index, scope)}]"
            return f"({text} != 0)" if expr.dtype == BOOL else text
        assert isinstance(expr, Call)
        if expr.function == "guard":
            condition, a, b = expr.args
            return self._guard(condition, a, b, scope)
        args = [self._emit(x, scope) for x in expr.args]
        if expr.function == "cast":
            return f"({args[0]} != 0)" if expr.dtype == BOOL else f"{expr.dtype.name}({args[0]})"
        code = ROWS[expr.function].code
        # an argument that the template repeats is named, and so is what `where` chooses from: then it is a select
        args = [
            self._name(x, text, scope)
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

    def _guard(self, condition: Expr, a: Expr, b: Expr, scope: _Scope) -> str:
        """A choice of which only one side is evaluated: a conditional expression, or statement where a side needs names."""
        test = self._emit(condition, scope)
        sides = [_Scope(scope, frozenset(), guarded=True) for _ in (a, b)]
        texts = [self._emit(x, side) for x, side in zip((a, b), sides, strict=True)]
        if not any(side.lines for side in sides):
            return f"({texts[0]} if {test} else {texts[1]})"
        name = self._temporary("g")
        for head, side, text in zip((f"if {test}:", "else:"), sides, texts, strict=True):
            scope.lines += [head, *_indent([*side.lines, f"{name} = {text}"])]
        return name

    def _offset(self, variable, index, scope) -> str:
        """Flat offset of an element of contiguous memory."""
        if self.step.collapsible and index == self.nest.stores[0].index:
            # At the point itself everything is of one shape; to say so shows LLVM that equal pointers mean equal elements.
            variable = self.nest.stores[0].target
        terms = []
        for dimension, i in enumerate(index):
            if isinstance(i, Const) and i.value == 0:
                continue
            if isinstance(i, Index) and i.axis in self.merged:
                continue
            text = self._emit(i, scope)
            if all(d == 1 for d in variable.shape[dimension + 1 :]):
                terms.append(text)
            else:
                key = Stride(variable, dimension)
                terms.append(f"{text} * {self.integers.setdefault(key, f'n{len(self.integers)}')}")
        return " + ".join(terms) or "0"

    def _operand(self, variable) -> str:
        if variable is self.step.tuned or variable in set(self.step.writes):
            variable = self.in_place.get(variable, variable)
        return self.operands.setdefault(variable, f"x{len(self.operands)}")

    def _name(self, expr, text, scope) -> str:
        name = text
        if not text.isidentifier():
            name = self._temporary("t")
            scope.lines.append(f"{name} = {text}")
        scope.names[expr] = name
        return name

    def _counter(self, axis: Axis) -> str:
        return self.counters.setdefault(axis.name, f"r{len(self.counters) - len(self.axes)}")

    def _temporary(self, letter) -> str:
        self.temporaries += 1
        return f"{letter}{self.temporaries}"


def _lookup(expr, scope):
    while scope is not None:
        if expr in scope.names:
            return scope.names[expr]
        scope = scope.parent
    return None


def _adjacent(index, left, right) -> bool:
    return (
        left in index
        and right in index
        and index.index(right) == index.index(left) + 1
        and index.count(left) == index.count(right) == 1
    )


def _simple(text: str) -> bool:
    return text.isidentifier() or text.replace(".", "").isdigit()


def _literal(value, dtype) -> str:
    if dtype == BOOL:
        return str(bool(value))
    if dtype == INT:
        return str(int(value)) if value >= 0 else f"({int(value)})"
    if dtype.kind in "iu":
        return f"{dtype.name}({int(value)})"
    value = float(value)
    if value != value or value in (np.inf, -np.inf):
        return f"{dtype.name}({'nan' if value != value else 'inf' if value > 0 else '-inf'})"
    return f"{dtype.name}({dtype.type(value)!s})"  # the shortest text that gives this value in this dtype


def _storage(dtype) -> str:
    return "uint8" if dtype == BOOL else dtype.name


def _indent(lines) -> list[str]:
    return [f"    {line}" for line in lines]
