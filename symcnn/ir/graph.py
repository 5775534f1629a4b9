"""Walking, rebuilding and evaluating graphs: everything iterative, so depth costs no recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from symcnn.ir.types import TensorType
from symcnn.ir.variable import Constant, Input, Shared, Variable, apply, made_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Node = TypeVar("Node")  # a Variable, or an expression of a loop nest


def value_inputs(variable: Variable) -> tuple[Variable, ...]:
    """The inputs whose values `variable` needs (those used for their shape alone left out)."""
    if variable.op is None or not variable.op.shape_only:
        return variable.inputs
    return tuple(x for k, x in enumerate(variable.inputs) if k not in variable.op.shape_only)


def toposort(outputs: Iterable[Node], inputs_of: Callable = lambda v: v.inputs) -> list[Node]:
    """All ancestors of `outputs`, each after its inputs; `inputs_of=value_inputs` follows data dependences only."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [(v, False) for v in reversed(list(outputs))]
    while stack:
        variable, expanded = stack.pop()
        if expanded:
            order.append(variable)
        elif variable not in seen:
            seen.add(variable)
            stack.append((variable, True))
            stack.extend((x, False) for x in reversed(inputs_of(variable)) if x not in seen)
    return order


def leaves(outputs: Iterable[Variable], inputs_of: Callable = lambda v: v.inputs) -> list[Variable]:
    """The Inputs, Constants and Shareds that `outputs` are made of, in order of appearance."""
    return [v for v in toposort(outputs, inputs_of) if v.op is None]


def consumers(outputs: Iterable[Variable], inputs_of: Callable = lambda v: v.inputs) -> dict[Variable, list[Variable]]:
    """For every ancestor of `outputs`, the ops that read it (one entry per use)."""
    users: dict[Variable, list[Variable]] = {}
    for variable in toposort(outputs, inputs_of):
        users.setdefault(variable, [])
        for x in inputs_of(variable):
            users[x].append(variable)
    return users


def rebuild(variable: Variable, inputs: tuple[Variable, ...]) -> Variable:
    """The same op on other inputs, keeping the user's line."""
    if all(a is b for a, b in zip(inputs, variable.inputs, strict=True)):
        return variable
    with made_by(variable.origin.maker, variable.origin):
        return apply(variable.op, *inputs)


def substitute(outputs: Iterable[Variable], replacements: Mapping[Variable, Variable]) -> list[Variable]:
    """`outputs` with some Variables replaced by others; everything that does not depend on them is kept."""
    outputs = list(outputs)
    done = dict(replacements)
    for variable in toposort(outputs, lambda v: () if v in replacements else v.inputs):
        if variable not in done:
            done[variable] = rebuild(variable, tuple(done[x] for x in variable.inputs))
    return [done[v] for v in outputs]


def as_numpy(dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """An array that stands for a shape: one zero, repeated by strides of 0."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def evaluate(
    outputs: Iterable[Variable], values: Mapping[Variable, np.ndarray], visit: Callable | None = None
) -> list[np.ndarray]:
    """`outputs` computed op by op with NumPy: the specification of what every backend does.

    Parameters
    ----------
    outputs : Variables
    values : mapping
        Values of the Inputs; Constants and Shareds bring their own. A value may also be given for any other
        Variable, which is then not computed.
    visit : callable, optional
        Called as ``visit(variable, arrays, result)`` after each op.
    """
    outputs = list(outputs)
    needed = set(toposort(outputs, lambda v: () if v in values else value_inputs(v)))
    known: dict[Variable, np.ndarray] = {}
    for variable in toposort(outputs, lambda v: () if v in values else v.inputs):
        if variable in values:
            known[variable] = np.asarray(values[variable])
        elif isinstance(variable, Constant):
            known[variable] = variable.value
        elif isinstance(variable, Shared):
            known[variable] = variable.storage
        elif isinstance(variable, Input):
            raise KeyError(f"no value for input {variable!r}")
        elif variable in needed:
            arrays = [known[x] for x in variable.inputs]
            known[variable] = np.asarray(variable.op.reference(*arrays), dtype=variable.dtype)
            if visit is not None:
                visit(variable, arrays, known[variable])
        else:  # used for its shape alone
            inferred = variable.op.infer(*(TensorType(known[x].dtype, known[x].shape) for x in variable.inputs))
            known[variable] = as_numpy(inferred.dtype, inferred.shape)
    return [known[v] for v in outputs]
