"""Which function translates which operator of ONNX.

An operator is a function of a `Node` and its inputs; it returns a value or a tuple of them. It is registered with the
positions of its inputs that must be numbers by then: axes, pads, shapes. Everything else reaches it as an expression.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Node:
    """One node of a graph, without ONNX's classes.

    Attributes
    ----------
    op : str
        Such as ``"Conv"``.
    name : str
        In messages and paths; never empty.
    inputs, outputs : tuple of str
        Empty texts stand for what is left out.
    attributes : dict
        Name -> int, float, str, tuple, array.
    opset : int
        Version of the operator set that the model was written for.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(repr=False)
    opset: int

    def get(self, attribute: str, default=None):
        """The value of an attribute."""
        return self.attributes.get(attribute, default)


@dataclass(frozen=True)
class Operator:
    """How an operator is translated.

    Attributes
    ----------
    translate : callable
        ``translate(node, *inputs)``.
    numbers : frozenset of int
        Positions of inputs that must be numbers.
    sizes : frozenset of int
        Positions of inputs that are shapes: arrays of numbers, among which there may be a `Size`.
    structural : bool
        Whether it only moves the elements of its inputs, so that it may be computed on unknown sizes, too:
        ``translate`` is then given arrays if it could be given expressions.
    needs_training : bool
        Whether it has a keyword ``training``.
    """

    translate: Callable[..., Any]
    numbers: frozenset[int] = frozenset()
    sizes: frozenset[int] = frozenset()
    structural: bool = False
    needs_training: bool = False


OPERATORS: dict[str, Operator] = {}


def operator(*names: str, numbers=(), sizes=(), structural: bool = False, needs_training: bool = False):
    """Decorator: this function translates the operators of these names."""

    def register(function):
        found = Operator(function, frozenset(numbers), frozenset(sizes), structural, needs_training)
        for name in names:
            assert name not in OPERATORS, f"{name} is translated twice"
            OPERATORS[name] = found
        return function

    return register
