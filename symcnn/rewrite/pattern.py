"""Patterns that read as algebra: ``log(1 + exp(x))`` written with `wild` and `fn` matches that shape of graph.

A number matches a constant of that value. Sums, products and the other commutative ops match in both orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.ir.variable import Constant, Variable

COMMUTATIVE = {"add", "multiply", "maximum", "minimum", "logical_and", "logical_or", "equal", "not_equal"}


@dataclass(frozen=True, eq=False)
class Pattern:
    """Either a wildcard (`name`), a number (`value`), or an op of patterns (`op`, `args`).

    Attributes
    ----------
    constant : bool
        A wildcard that matches Constants alone.
    """

    op: str = ""
    args: tuple[Pattern, ...] = ()
    name: str = ""
    value: float | None = None
    constant: bool = False

    def __add__(self, other):
        return fn("add")(self, other)

    def __radd__(self, other):
        return fn("add")(other, self)

    def __sub__(self, other):
        return fn("subtract")(self, other)

    def __rsub__(self, other):
        return fn("subtract")(other, self)

    def __mul__(self, other):
        return fn("multiply")(self, other)

    def __rmul__(self, other):
        return fn("multiply")(other, self)

    def __truediv__(self, other):
        return fn("divide")(self, other)

    def __rtruediv__(self, other):
        return fn("divide")(other, self)

    def __pow__(self, other):
        return fn("power")(self, other)

    def __neg__(self):
        return fn("negative")(self)

    def __str__(self):
        if self.op:
            return f"{self.op}({', '.join(map(str, self.args))})"
        return self.name or f"{self.value:g}"


def wild(name: str) -> Pattern:
    """Matches anything; the same name twice matches the same Variable twice."""
    return Pattern(name=name)


def const(name: str) -> Pattern:
    """Matches any Constant."""
    return Pattern(name=name, constant=True)


def fn(op: str):
    """A pattern maker for the op called `op`."""
    return lambda *args: Pattern(op, tuple(a if isinstance(a, Pattern) else Pattern(value=a) for a in args))


def match(pattern: Pattern, variable: Variable, opaque=frozenset()) -> dict[str, Variable] | None:
    """What the wildcards stand for, or ``None``. Variables in `opaque` are not looked into."""
    return _match(pattern, variable, {}, opaque)


def _match(pattern, variable, bound, opaque):
    if pattern.name:
        if pattern.constant and not isinstance(variable, Constant):
            return None
        if pattern.name in bound:
            return bound if bound[pattern.name] is variable else None
        return {**bound, pattern.name: variable}
    if not pattern.op:
        return bound if is_number(variable, pattern.value) else None
    if variable.op is None or variable in opaque or variable.op.name != pattern.op:
        return None
    if len(variable.inputs) != len(pattern.args):
        return None
    orders = [variable.inputs]
    if pattern.op in COMMUTATIVE:
        orders.append(variable.inputs[::-1])
    for inputs in orders:
        found = bound
        for sub, x in zip(pattern.args, inputs, strict=True):
            found = _match(sub, x, found, opaque)
            if found is None:
                break
        else:
            return found
    return None


def is_number(variable: Variable, value: float) -> bool:
    """Whether `variable` is a constant all of whose elements are `value`."""
    return isinstance(variable, Constant) and variable.value.size > 0 and bool(np.all(variable.value == value))
