"""What the stepper tells: the graph forward and backward, one op at a time, with the numbers of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from symcnn.ir.variable import Variable
from symcnn.viz.labels import short, summary
from symcnn.viz.notation import call, written
from symcnn.viz.run import Pull, Run


def steps(run: Run, names: dict[Variable, str]) -> list[dict[str, Any]]:
    """One dict per step, for JavaScript.

    ``key``
        Of the box.
    ``phase``
        ``"forward"`` or ``"backward"``.
    ``title``
        What happens, in a few words.
    ``text``
        The op with its numbers, ``exp(-1.00) = 0.37``.
    ``rows``
        Backward: per operand its name, the formula of its gradient, and ``local x upstream = downstream`` in numbers.
    ``sums``
        Backward: where gradients from several readers add up.
    ``gradients``
        Key -> the gradient as known after this step.

    Parameters
    ----------
    run : Run
    names : dict
        Variable -> key of its box.
    """
    found = [_forward(v, run, names) for v in run.values if v.op is not None]
    if not run.pulls:
        return found
    total: dict[Variable, list[np.ndarray]] = {}
    cost = run.pulls[0].variable
    found.append(
        {
            "key": names[cost], "phase": "backward", "title": "the gradient of the output by itself is 1", "text": "",
            "rows": [], "sums": [], "gradients": {names[cost]: "d 1.00"},
        }
    )  # fmt: skip
    return [*found, *(_backward(pull, run, names, total) for pull in run.pulls)]


def _forward(v: Variable, run: Run, names) -> dict[str, Any]:
    operands = [_operand(x, run) for x in v.inputs]
    return {
        "key": names[v], "phase": "forward", "title": f"forward: {v.op.name}",
        "text": f"{call(v.op, operands)} = {described(run.values[v])}", "rows": [], "sums": [], "gradients": {},
    }  # fmt: skip


def _backward(pull: Pull, run: Run, names, total) -> dict[str, Any]:
    v = pull.variable
    local_names = {pull.upstream: "upstream", v: "out", **operand_names(v)}
    rows, sums, gradients = [], [], {}
    for part in pull.parts:
        x = part.operand
        rows.append(
            [local_names.get(x, names.get(x, "")), written(part.formula, local_names), _product(part, run.gradients[v])]
        )
        terms = total.setdefault(x, [])
        terms.append(part.downstream)
        with np.errstate(all="ignore"):
            so_far = np.asarray(sum(terms))
        if len(terms) > 1:
            sums.append(f"gradients add up: {_sum(terms)} = {described(so_far)}")
        gradients[names[x]] = f"d {summary(so_far)}"
    title = f"backward: {v.op.name}" + ("" if rows else ", which passes no gradient on")
    return {
        "key": names[v], "phase": "backward", "title": title, "text": f"upstream = {described(run.gradients[v])}",
        "rows": rows, "sums": sums, "gradients": gradients,
    }  # fmt: skip


def operand_names(v: Variable) -> dict[Variable, str]:
    """What formulas call the operands of an op: by their names, or in, in1, in2."""
    nameless = list(dict.fromkeys(x for x in v.inputs if x.op is not None and not x.name))
    numbered = {x: "in" if len(nameless) == 1 else f"in{k}" for k, x in enumerate(nameless, start=1)}
    return numbered | {x: x.name for x in v.inputs if x.name}


def _operand(x: Variable, run: Run) -> str:
    """A number, or the name or op of an array."""
    value = run.values.get(x)
    if value is not None and value.ndim == 0:
        return short(value)
    return x.name or (x.op.name if x.op is not None else "constant")


def _product(part, upstream: np.ndarray) -> str:
    if part.local is None:
        return described(part.downstream)
    return f"{_factor(part.local)} x {_factor(upstream)} = {short(part.downstream)}"


def _factor(value) -> str:
    text = short(value)
    return f"({text})" if text.startswith("-") else text


def _sum(terms) -> str:
    return " + ".join(_factor(t) for t in terms) if terms[0].ndim == 0 else f"{len(terms)} arrays"


def described(value: np.ndarray) -> str:
    """A number; an array by shape, mean and standard deviation."""
    if value.ndim == 0:
        return short(value)
    return f"{' x '.join(map(str, value.shape))} of {summary(value)}"
