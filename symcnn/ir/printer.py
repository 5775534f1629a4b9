"""Graphs as text: one line per Variable, in an order in which each line uses only lines above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symcnn.ir.graph import toposort
from symcnn.ir.loops import Const, Expr, Fold, Index, Load, Nest, Param, Size, children
from symcnn.ir.variable import Constant, Input, Shared, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable


def names_of(outputs: Iterable[Variable]) -> dict[Variable, str]:
    """A short, deterministic name for every ancestor of `outputs`; users' names are kept, made unique."""
    names: dict[Variable, str] = {}
    taken: set[str] = set()
    for variable in toposort(outputs):
        if isinstance(variable, Constant) and variable.ndim == 0:
            names[variable] = f"{variable.value.item():.6g}" if variable.type.is_float else str(variable.value.item())
            continue
        stem = variable.name or f"%{len(names)}"
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}.{number}", number + 1
        taken.add(name)
        names[variable] = name
    return names


def print_graph(outputs: Iterable[Variable], labels: Iterable[str] | None = None, origins: bool = False) -> str:
    """The graph under `outputs` as text.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (None, 3))
    >>> print(print_graph([sc.exp(x) * 2]))
    x = input : float32[?, 3]
    %1 = exp(x) : float32[?, 3]
    %3 = multiply(%1, 2) : float32[?, 3]
    return %3
    """
    outputs = list(outputs)
    names = names_of(outputs)
    lines = []
    for variable in toposort(outputs):
        if isinstance(variable, Constant) and variable.ndim == 0:
            continue
        place = f"  # {variable.origin}" if origins and variable.op else ""
        lines.append(f"{names[variable]} = {_right_side(variable, names)} : {variable.type}{place}")
    results = [names[v] for v in outputs]
    if labels is not None:
        results = [f"{label}={name}" for label, name in zip(labels, results, strict=True)]
    return "\n".join([*lines, "return " + ", ".join(results)])


def _right_side(variable: Variable, names: dict[Variable, str]) -> str:
    if isinstance(variable, Input):
        return "input"
    if isinstance(variable, Shared):
        return "shared"
    if isinstance(variable, Constant):
        return f"constant(mean {np.mean(variable.value):.4g})" if variable.value.size else "constant()"
    shape_only = variable.op.shape_only
    arguments = (f"shape of {names[x]}" if k in shape_only else names[x] for k, x in enumerate(variable.inputs))
    return f"{variable.op.label()}({', '.join(arguments)})"


def formula(variable: Variable, depth: int = 2) -> str:
    """A Variable as a formula of what lies up to `depth` ops below it: ``multiply(exp(..), 2)``."""
    if isinstance(variable, Constant) and variable.ndim == 0:
        return f"{variable.value.item():g}"
    if variable.op is None:
        return variable.name or type(variable).__name__.lower()
    if depth == 0:
        return ".."
    return f"{variable.op.name}({', '.join(formula(x, depth - 1) for x in variable.inputs)})"


def print_nest(nest: Nest) -> str:
    """A loop nest as text: its loops, then ``target[index] = value`` for each store.

    What is used several times has a name, defined by a ``let`` above the first store that needs it.
    """
    return _NestPrinter(nest).text()


LONG = 16  # characters; what is shorter is rather repeated than named


class _NestPrinter:
    def __init__(self, nest: Nest):
        self.nest = nest
        self.uses = _uses(store.value for store in nest.stores)
        self.operands: dict[Variable, str] = {}
        self.names: dict[Expr, str] = {}
        self.lines: list[str] = []

    def text(self) -> str:
        for k, axis in enumerate(self.nest.axes):
            kind = "parallel" if k < self.nest.outer else "for"
            self.lines.append(f"{'  ' * k}{kind} {axis.name} < {self.expr(axis.extent, '')}")
        for store in self.nest.stores:
            indent = "  " * len(store.axes)
            place = f"{self.operand(store.target)}[{', '.join(self.expr(i, indent) for i in store.index)}]"
            value = self.expr(store.value, indent)
            self.lines.append(f"{indent}{place} = {value}")
        return "\n".join([*self.lines, *(f"where {name} is {variable!r}" for variable, name in self.operands.items())])

    def operand(self, variable) -> str:
        return self.operands.setdefault(variable, f"x{len(self.operands)}")

    def expr(self, expr, indent) -> str:
        if expr in self.names:
            return self.names[expr]
        text = self.plain(expr, indent)
        if self.uses.get(expr, 0) < 2 or len(text) <= LONG:
            return text
        name = self.names[expr] = f"t{len(self.names)}"
        self.lines.append(f"{indent}let {name} = {text}")
        return name

    def plain(self, expr, indent) -> str:
        """Depth is bounded by the size of a fusion group, so this may recurse."""
        text = lambda e: self.expr(e, indent)  # noqa: E731
        if isinstance(expr, Const):
            return str(expr.dtype.type(expr.value))
        if isinstance(expr, Index):
            return expr.axis
        if isinstance(expr, Size):
            return f"size({self.operand(expr.variable)}, {expr.dimension})"
        if isinstance(expr, Param):
            return f"param({self.operand(expr.variable)}, {expr.position})"
        if isinstance(expr, Load):
            return f"{self.operand(expr.variable)}[{', '.join(map(text, expr.index))}]"
        if isinstance(expr, Fold):
            axes = ", ".join(f"{a.name} < {text(a.extent)}" for a in expr.axes)
            return f"{expr.kind}({axes}: {text(expr.body)})"
        if expr.function in _INFIX:
            return f"({text(expr.args[0])} {_INFIX[expr.function]} {text(expr.args[1])})"
        name = str(expr.dtype) if expr.function == "cast" else expr.function
        return f"{name}({', '.join(map(text, expr.args))})"


def _uses(roots) -> dict[Expr, int]:
    """How often each expression below `roots` is used."""
    uses: dict[Expr, int] = {}
    stack = list(roots)
    while stack:
        expr = stack.pop()
        uses[expr] = uses.get(expr, 0) + 1
        if uses[expr] == 1:
            stack.extend(children(expr))
    return uses


_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "floor_divide": "//", "remainder": "%",
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "logical_and": "and",
}  # fmt: skip
