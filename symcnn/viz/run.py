"""A graph run forward and backward, op by op, with every number kept: what drawings and the stepper show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.ir.graph import evaluate, toposort, value_inputs
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Constant, Input, Variable, made_by
from symcnn.keywords import nearest
from symcnn.ops.random import CALL


@dataclass(frozen=True, eq=False)
class Part:
    """What reaches one operand of an op on the way back: `local` times upstream is `downstream`.

    Attributes
    ----------
    position : int
    operand : Variable
    formula : Variable
        The cotangent of the operand as an expression of that of the result.
    local : numpy.ndarray or None
        The derivative of the result by the operand; of scalars alone.
    downstream : numpy.ndarray
    """

    position: int
    operand: Variable
    formula: Variable
    local: np.ndarray | None
    downstream: np.ndarray


@dataclass(frozen=True, eq=False)
class Pull:
    """One op on the way back.

    Attributes
    ----------
    variable : Variable
        Its result.
    upstream : Variable
        What stands for the cotangent of the result in the formulas of the parts.
    parts : tuple of Part
        One for each operand that a gradient reaches.
    """

    variable: Variable
    upstream: Variable
    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Run:
    """Attributes
    ----------
    values : dict
        Of every Variable that was computed.
    gradients : dict
        Of the cost, by each Variable that one reaches; the others have none, which is not 0.
    pulls : tuple of Pull
        From the cost to the leaves.
    """

    values: dict[Variable, np.ndarray]
    gradients: dict[Variable, np.ndarray]
    pulls: tuple[Pull, ...]


def run(outputs, values: Mapping) -> Run:
    """Compute the graph under `outputs` with NumPy and, if there is a single scalar among them, its gradients.

    Parameters
    ----------
    outputs : sequence of Variables
    values : mapping
        Input, or its name -> array.

    Raises
    ------
    InputError
        If a value is missing, or belongs to no input.
    ShapeError
        If one does not fit its input.
    """
    outputs = list(outputs)
    known = {**_inputs(outputs, values), CALL: np.array(0, np.int64)}
    order = toposort(outputs, value_inputs)
    found = dict(zip(order, evaluate(order, known), strict=True))
    costs = [v for v in outputs if v.ndim == 0 and v.type.is_float]
    if len(costs) != 1:
        return Run(found, {}, ())
    gradients, pulls = _backward(costs[0], found)
    return Run(found, gradients, pulls)


def _inputs(outputs, values) -> dict[Variable, np.ndarray]:
    inputs = {str(v.name): v for v in toposort(outputs) if isinstance(v, Input) and v is not CALL}
    found: dict[Variable, np.ndarray] = {}
    for key, value in values.items():
        name = key.name if isinstance(key, Variable) else key
        if name not in inputs:
            raise InputError(
                f"values: the graph has no input {name!r}",
                found=", ".join(inputs) or "none",
                hint=nearest(str(name), inputs),
            )
        x = inputs[name]
        array = np.asarray(value, x.dtype)
        if not x.type.accepts(TensorType(x.dtype, array.shape)):
            raise ShapeError(f"values: {name} has another shape", where=x.origin, expected=x.type, found=array.shape)
        found[x] = array
    missing = [name for name, x in inputs.items() if x not in found]
    if missing:
        raise InputError(f"values: {', '.join(missing)} missing", expected="a value for each input of the graph")
    return found


def _backward(cost, values):
    """Gradients by Variable, and each op as it was pulled back."""
    gradients: dict[Variable, np.ndarray] = {cost: np.ones((), cost.dtype)}
    pulls = []
    for v in reversed(toposort([cost], value_inputs)):
        if v.op is None or v not in gradients:
            continue
        upstream = sc.input("upstream", v.shape, v.dtype)
        with made_by("grad", v.origin):
            formulas = v.op.pullback(v.inputs, v, upstream)
        reached = [(k, g) for k, g in enumerate(formulas) if g is not None and not isinstance(v.inputs[k], Constant)]
        arrays = evaluate([g for _, g in reached], {**values, upstream: gradients[v]})
        ones = np.ones((), v.dtype)
        parts = []
        for (k, g), downstream in zip(reached, arrays, strict=True):
            x = v.inputs[k]
            local = evaluate([g], {**values, upstream: ones})[0] if v.ndim == 0 == x.ndim else None
            parts.append(Part(k, x, g, local, downstream))
            with np.errstate(all="ignore"):  # as every op
                gradients[x] = gradients[x] + downstream if x in gradients else downstream
        pulls.append(Pull(v, upstream, tuple(parts)))
    return gradients, tuple(pulls)
