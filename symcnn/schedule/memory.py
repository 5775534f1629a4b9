"""Where every buffer lies, decided before anything runs.

Temporaries live in one arena. Each has an interval of steps in which it is needed; two may share addresses when their
intervals do not meet. Placing the largest first at the lowest free address (greedy by size; Pisarchyk and Lee,
"Efficient memory management for deep neural net inference", 2020) is within a few percent of optimal.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symcnn.ir.variable import Constant, Input, Shared, Variable

if TYPE_CHECKING:
    from symcnn.ir.types import TensorType
    from symcnn.schedule.lower import Program

ALIGNMENT = 64  # a cache line, and the widest vector


@dataclass(frozen=True, eq=False)
class Buffer:
    """Memory of one Variable.

    Attributes
    ----------
    variable : Variable
    kind : str
        ``"input"``, ``"constant"``, ``"shared"``, ``"output"`` (a fresh array of each call), ``"temporary"`` (in the
        arena) or ``"update"`` (written over the old value of `home`).
    nbytes : int
    first, last : int
        Steps between which it is needed.
    offset : int
        Bytes from the start of the arena; -1 outside it.
    home : Variable or None
        The Shared or the earlier Variable whose memory it takes over.
    """

    variable: Variable
    kind: str
    nbytes: int
    first: int
    last: int
    offset: int = -1
    home: Any = None


@dataclass(frozen=True, eq=False)
class MemoryPlan:
    """Bytes that a call needs, known before it runs.

    Attributes
    ----------
    arena_bytes : int
        Peak of the temporaries: one allocation.
    peak_bytes : int
        Arena, parameters and other state, constants, inputs and outputs together.
    by_kind : dict
        Kind of buffer -> bytes.
    buffers : tuple of Buffer
    """

    arena_bytes: int
    peak_bytes: int
    by_kind: dict[str, int]
    buffers: tuple[Buffer, ...]

    def with_scratch(self, count: int) -> MemoryPlan:
        """This plan with the private memory that the backend's kernels ask for."""
        return MemoryPlan(self.arena_bytes, self.peak_bytes + count, {**self.by_kind, "scratch": count}, self.buffers)

    def __str__(self):
        lines = [f"peak {self.peak_bytes:,} bytes, of which arena {self.arena_bytes:,}"]
        lines += [f"  {kind:<10} {count:>14,}" for kind, count in sorted(self.by_kind.items())]
        lines.append(f"  {'buffer':<28} {'kind':<10} {'bytes':>12} {'offset':>12}  steps")
        for b in self.buffers:
            label = b.variable.name or (b.variable.op.name if b.variable.op else "constant")
            where = f"{b.offset:>12,}" if b.offset >= 0 else f"{'-':>12}"
            lines.append(f"  {label:<28.28} {b.kind:<10} {b.nbytes:>12,} {where}  {b.first}..{b.last}")
        return "\n".join(lines)


def place(program: Program, types: dict[Variable, TensorType]) -> tuple[tuple[Buffer, ...], MemoryPlan]:
    """Decide kind, lifetime and address of every buffer of `program`."""
    first, last = _lifetimes(program)
    updates = {v: home for v, home in program.in_place.items() if isinstance(home, Shared)}
    outputs = {v for v in program.outputs if v in program.stored and v not in updates}
    temporaries = [v for v in first if v.op is not None and v not in outputs and v not in updates]
    offsets, arena = _pack(temporaries, types, first, last, program.in_place)
    buffers = []
    for v in first:
        kind = (
            "input" if isinstance(v, Input) else "constant" if isinstance(v, Constant) else "shared" if isinstance(v, Shared)
            else "output" if v in outputs else "update" if v in updates else "temporary"
        )  # fmt: skip
        buffers.append(Buffer(v, kind, types[v].nbytes, first[v], last[v], offsets.get(v, -1), program.in_place.get(v)))
    by_kind: dict[str, int] = {"arena": arena}
    for b in buffers:
        if b.kind not in ("temporary", "update"):
            by_kind[b.kind] = by_kind.get(b.kind, 0) + b.nbytes
    return tuple(buffers), MemoryPlan(arena, sum(by_kind.values()), by_kind, tuple(buffers))


def _lifetimes(program: Program):
    """First and last step of every buffer; results of the call live to its end."""
    end = len(program.steps)
    first: dict[Variable, int] = {}
    last: dict[Variable, int] = {}
    for k, step in enumerate(program.steps):
        private = [] if step.tuned is None or step.keeps_rows or step.tuned in program.in_place else [step.tuned]
        for v in (*map(program.base, step.reads), *step.writes, *private):
            first.setdefault(v, 0 if v.op is None else k)
            last[v] = k
    for v in map(program.base, (*program.outputs, *program.updates.values())):
        first.setdefault(v, 0)
        last[v] = end
    for shared in program.updates:
        first.setdefault(shared, 0)
        last[shared] = end
    return first, last


def in_place(program: Program) -> dict[Variable, Variable]:
    """Results that share memory with something else, whatever the sizes: result -> whose memory it takes.

    A new value takes the place of the Shared's old one, a temporary that of an operand; in both cases nobody reads the
    old contents afterwards, and the step itself reads them only at the very element that it writes. What a tuned
    kernel leaves to its epilogue alone lies where the epilogue will put its own result.
    """
    last: dict[Variable, int] = {}
    for k, step in enumerate(program.steps):
        last.update(dict.fromkeys(map(program.base, step.reads), k))
    returned = set(map(program.base, (*program.outputs, *program.updates.values())))
    shared_of = {value: shared for shared, value in reversed(program.updates.items())}
    found: dict[Variable, Variable] = {}
    for k, step in enumerate(program.steps):
        if step.nest is not None and len({store.index for store in step.nest.stores}) != 1:
            continue
        read, free = set(map(program.base, step.reads)), _read_at_the_point(program, step)
        for v in step.writes:
            shared = shared_of.get(v)
            if shared is None or shared in returned or last.get(shared, -1) > k:
                continue
            if shared not in read or (shared in free and v is not step.tuned):
                found[v] = shared
        fresh = [v for v in step.writes if v not in found]
        if step.tuned is not None and step.tuned not in program.stored:
            host = next((v for v in fresh if v.dtype == step.tuned.dtype), None)
            if host is not None:
                found[step.tuned] = host
                fresh = [v for v in fresh if v is not host]
        free = [x for x in free if x in program.stored and x not in returned and last[x] == k]
        for v in fresh:
            operand = next((x for x in free if x.dtype == v.dtype), None)
            if operand is not None and v not in returned and v is not step.tuned:
                free = [x for x in free if x is not operand]
                found[v] = operand
    return found


def _read_at_the_point(program: Program, step) -> dict[Variable, None]:
    """What `step` reads at the very element that it writes, and nowhere else under another name."""
    names = Counter(map(program.base, step.reads))
    return {x: None for x in step.reads if x in step.pointwise and names[program.base(x)] == 1}


def _pack(temporaries, types, first, last, homes):
    """Offsets in the arena, and its size. What is written over something else forms one block with it."""
    block = {v: v for v in temporaries}
    for v in temporaries:
        if v in homes:
            block[v] = block[homes[v]]
    spans: dict[Variable, tuple[int, int]] = {}
    for v in temporaries:
        low, high = spans.get(block[v], (first[v], last[v]))
        spans[block[v]] = min(low, first[v]), max(high, last[v])
    sizes = {b: -(-max(types[b].nbytes, 1) // ALIGNMENT) * ALIGNMENT for b in spans}
    offsets: dict[Variable, int] = {}
    # Rows: start, stop, first step, last step of what is placed, largest first.
    placed = np.empty((4, len(spans)), np.int64)
    for k, b in enumerate(sorted(spans, key=lambda b: -sizes[b])):
        low, high = spans[b]
        start, stop, begin, end = placed[:, :k]
        meets = (begin <= high) & (low <= end)
        at = _lowest_gap(start[meets], stop[meets], sizes[b])
        placed[:, k] = at, at + sizes[b], low, high
        offsets[b] = at
    arena = int(placed[1].max(initial=0))
    return {v: offsets[block[v]] for v in temporaries}, arena


def _lowest_gap(start, stop, size) -> int:
    """The lowest address at which `size` bytes are free between occupied ranges."""
    order = np.argsort(start)
    ends = np.maximum.accumulate(stop[order])
    free = np.concatenate(([0], ends))
    gaps = np.flatnonzero(start[order] - free[:-1] >= size)
    return int(free[gaps[0]] if gaps.size else free[-1])
