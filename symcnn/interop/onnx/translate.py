"""An ONNX graph becomes an expression: node by node, with everything computed at once that can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from symcnn.errors import InputError, SymcnnError
from symcnn.interop.onnx.file import LIMIT, Graph
from symcnn.interop.onnx.operators import OPERATORS
from symcnn.interop.onnx.registry import Node, Operator
from symcnn.interop.onnx.values import as_expression, as_numbers, is_known, settled
from symcnn.ir.graph import evaluate, toposort
from symcnn.ir.variable import Variable

FOLDED = 2**28  # bytes of a tensor that is computed while translating
# What Python and NumPy raise for attributes and inputs that are missing, too many, or of the wrong kind.
MALFORMED = (TypeError, ValueError, IndexError, KeyError, AttributeError, ArithmeticError)


def check_supported(graph: Graph) -> None:
    """Raise before anything runs if there are operators that have no translation, naming every node of theirs.

    Raises
    ------
    InputError
    """
    missing: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.op not in OPERATORS:
            missing.setdefault(node.op, []).append(node.name)
    if missing:
        lines = [f"{op}: {', '.join(names)}" for op, names in sorted(missing.items())]
        count = sum(map(len, missing.values()))
        raise InputError(
            f"{count} node(s) of {graph.name!r} have no translation", found="; ".join(lines),
            hint="the operators that symcnn reads: sc.interop.onnx.OPERATORS",
        )  # fmt: skip


def translate(
    graph: Graph,
    values: Mapping[str, Any],
    training: Callable[[Node], bool] = lambda node: False,
    around: Callable[[Node], Any] = lambda node: nullcontext(),
    record: Callable[[Node, Any], None] = lambda node, result: None,
) -> list[Any]:
    """The outputs of a graph.

    Parameters
    ----------
    graph : Graph
    values : mapping
        Name -> Variable or array, of the inputs and the initialisers.
    training : callable
        Whether a node trains: a batch norm then normalises by the batch, and dropout drops.
    around : callable
        A context manager to translate a node in.
    record : callable
        Told of each node and its first result.

    Raises
    ------
    NeedsSizes
        If a size must be known that is not.
    InputError, ShapeError, DTypeError
        If a node cannot be translated; the error names it.
    """
    known = dict(values)
    for node in graph.nodes:
        inputs = [_value(known, name, node.name) if name else None for name in node.inputs]
        try:
            with around(node):
                results = _checked(node, _apply(node, inputs, training(node)))
        except SymcnnError as error:
            error.layer = error.layer or f"node {node.name!r} ({node.op})"
            raise
        except MALFORMED as error:
            raise InputError(
                f"node {node.name!r} ({node.op}) is not sound", found=f"{type(error).__name__}: {error}"
            ) from error
        known.update((name, value) for name, value in zip(node.outputs, results, strict=False) if name)
        record(node, results[0])
    return [_value(known, port.name, "the graph") for port in graph.outputs]


def _value(known: Mapping[str, Any], name: str, reader: str) -> Any:
    if name not in known:
        raise InputError(f"the model is not sound: {reader} reads {name!r}, which nothing makes")
    return known[name]


def _checked(node: Node, results) -> tuple:
    """The results of a node, as many as are asked for and none of them too large."""
    results = results if isinstance(results, tuple) else (results,)
    if missing := list(filter(None, node.outputs[len(results) :])):
        raise InputError("an optional output is not supported", found=", ".join(missing))
    for value in results:
        if isinstance(value, Variable) and (value.type.nbytes or 0) > LIMIT:
            raise InputError("the result is too large", expected=f"at most {LIMIT:,} bytes", found=value)
    return results


def _apply(node: Node, inputs: list, training: bool) -> Any:
    """The results of one node: arrays if everything that it reads is known."""
    operator = OPERATORS[node.op]
    options = {"training": training} if operator.needs_training else {}
    if operator.structural and all(x is None or isinstance(x, np.ndarray) for x in inputs):
        return _folded(operator.translate(node, *inputs, **options))
    given = [_prepared(operator, k, x) for k, x in enumerate(inputs)]
    results = operator.translate(node, *given, **options)
    if all(x is None or is_known(x) for x in inputs) and inputs and not options:
        return _folded(results)
    return results


def _prepared(operator: Operator, position: int, value) -> Any:
    """An input in the form in which the operator wants it."""
    if position in operator.sizes and isinstance(value, np.ndarray):
        return value
    if value is not None and position in (operator.numbers | operator.sizes):
        return as_numbers(value, f"input {position}")
    return as_expression(value)


def _folded(results) -> Any:
    """What depends on nothing is computed now, unless it is large: then it is left to the call."""
    if isinstance(results, tuple):
        return tuple(_folded(r) for r in results)
    if not isinstance(results, Variable):
        return settled(results)
    if any(v.type.nbytes > FOLDED for v in toposort([results])):
        return results
    return evaluate([results], {})[0]
