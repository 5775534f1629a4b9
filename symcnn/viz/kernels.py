"""Kernels for people: the ops that each computes, its loops and its source, and for each op the kernels that compute it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from symcnn.ir.graph import toposort
from symcnn.ir.printer import names_of
from symcnn.stages import nest_text

if TYPE_CHECKING:
    from symcnn.function import Function
    from symcnn.ir.variable import Variable


def kernels_of(f: Function) -> dict:
    """Kernels, sources and ops as data for `assets/kernels.js`; names are those of the last graph as it is printed.

    Returns
    -------
    dict
        ``kernels``: of each its name, algorithm, ops, loops, what it reads and writes, and the position of its source;
        ``sources``: each text once; ``ops``: of each op of the graph its name, its text, its type, and the positions of
        the kernels that compute it, or a text that says why none does.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (3,))
    >>> found = kernels_of(sc.function([x], sc.exp(x * x), device="reference"))
    >>> found["ops"]
    [['%1', 'square(x)', 'float32[3]', [0]], ['%2', 'exp(%1)', 'float32[3]', [0]]]
    >>> found["kernels"][0]["reads"], found["kernels"][0]["writes"]
    (['x'], ['%2 : float32[3]'])
    """
    outputs = f.phases[-1].outputs
    names = names_of(outputs)
    sources: dict[str, int] = {}
    computed_by: dict[Variable, list[int]] = defaultdict(list)
    kernels = []
    for number, (step, kernel) in enumerate(zip(f.program.steps, f.kernels, strict=True)):
        for v in step.computes:
            computed_by[v].append(number)
        kernels.append(
            {
                "name": kernel.name,
                "algorithm": kernel.algorithm,
                "ops": [f"{names[v]} = {_applied(v, names)}" for v in step.computes],
                "reads": [names[v] for v in step.reads],
                "writes": [f"{names[v]} : {shape}" for v, shape in zip(step.writes, kernel.shapes, strict=True)],
                "nest": nest_text(step),
                "source": sources.setdefault(kernel.source, len(sources)),
            }
        )
    ops = [
        [names[v], _applied(v, names), str(v.type), computed_by[v] or _why_none(v)]
        for v in toposort(outputs)
        if v.op is not None
    ]
    return {"kernels": kernels, "sources": list(sources), "ops": ops}


def _applied(v: Variable, names: dict[Variable, str]) -> str:
    return f"{v.op.label()}({', '.join(names[x] for x in v.inputs)})"


def _why_none(v: Variable) -> str:
    return "a view: no work" if v.op.pattern in ("alias", "view") else "only its shape is asked for"
