"""The memory plan as a timeline: which bytes of the arena belong to which buffer, kernel by kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symcnn.errors import ShapeError
from symcnn.ir.printer import names_of

if TYPE_CHECKING:
    from symcnn.function import Function
    from symcnn.schedule.memory import Buffer

KINDS = {
    "arena": "temporaries, which share one arena",
    "shared": "parameters and other state",
    "constant": "constants",
    "input": "inputs",
    "output": "outputs",
    "scratch": "private memory of kernels",
}


def memory_of(f: Function) -> dict:
    """The plan of the latest shapes as data for `assets/timeline.js`.

    Returns
    -------
    dict
        ``kinds``: bytes of each; ``buffers``: name, op, type, kind, bytes, offset, first and last step of each; ``live``: bytes
        of the arena in use at each step. Before any shape is known only ``missing``, which says how to make it known.

    Examples
    --------
    >>> import symcnn as sc
    >>> x, w = sc.input("x", (None, 4)), sc.input("w", (4, 4))
    >>> f = sc.function([x, w], sc.sum((x @ w) @ w), device="reference")
    >>> memory_of(f)["missing"]
    'function: input shapes are not known yet; call it once, or name shapes with f.bind(x=(128, 1, 28, 28))'
    >>> found = memory_of(f.bind(x=(2, 4)))
    >>> found["live"], found["arena"]
    ([32, 40, 8], 128)
    """
    try:
        plan = f.memory_plan
    except ShapeError as error:
        return {"missing": f"{error.what}; {error.hint}"}
    names = names_of(f.phases[-1].outputs)
    steps = f.program.steps
    types = {
        v: type for step, k in zip(steps, f.kernels, strict=True) for v, type in zip(step.writes, k.shapes, strict=True)
    }
    return {
        "steps": [step.name for step in steps],
        "peak": plan.peak_bytes,
        "arena": plan.arena_bytes,
        "kinds": [[KINDS[kind], count] for kind, count in plan.by_kind.items()],
        "live": _live(plan.buffers, len(steps)),
        "buffers": [
            [names.get(b.variable, b.variable.name or "state"), b.variable.op.name if b.variable.op else "", str(types.get(b.variable, b.variable.type)), b.kind, b.nbytes, b.offset, b.first, b.last]
            for b in plan.buffers
        ],
    }  # fmt: skip


def _live(buffers: tuple[Buffer, ...], steps: int) -> list[int]:
    """Bytes of the arena that hold something at each step; what is written over something else counts once."""
    live = np.zeros(steps, np.int64)
    held = {b.variable: b for b in buffers if b.offset >= 0}
    for b in held.values():
        live[b.first : b.last + 1] += b.nbytes
        if b.home in held:
            live[b.first : held[b.home].last + 1] -= min(b.nbytes, held[b.home].nbytes)
    return live.tolist()
