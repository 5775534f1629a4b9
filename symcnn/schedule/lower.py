"""From fused groups to loop nests: ask each op for its value at an index, and compose the answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any

from symcnn.ir.graph import toposort, value_inputs
from symcnn.ir.loops import Axis, Const, Expr, Index, Load, Nest, Operand, Result, Store, const, shape_of
from symcnn.ir.variable import Shared, Variable
from symcnn.schedule.fuse import Fusion, Group, base_of, fuse, is_scalar_constant, no_kernel
from symcnn.schedule.memory import in_place
from symcnn.schedule.relations import reduces


@dataclass(frozen=True, eq=False)
class Step:
    """One kernel of the program.

    Attributes
    ----------
    computes : tuple of Variables
        Every op whose work it does, in topological order.
    writes : tuple of Variables
        Those whose values it leaves in memory.
    reads : tuple of Variables
        What it reads from memory.
    nest : Nest or None
        The loops to generate code for; ``None`` for a tuned kernel without epilogue.
    pointwise : frozenset of Variables
        Reads of the size of the result that happen only at the very element that the step writes, so that the write may
        take their place.
    aligned : bool
        Whether an axis that indexes a dimension runs over the whole of it, so that neighbouring axes may be merged.
    tuned : Variable or None
        What the backend's tuned kernel computes. With a nest besides, the nest is its epilogue, run on each range of
        rows (all axes but the last) of `tuned` when the kernel has finished them. If nobody else reads it, `tuned`
        is not among what the step `writes`: its memory, if any, matters to this step alone.
    keeps_rows : bool
        Whether `tuned` may go without memory: the kernel has some for the rows that it is working on.
    """

    computes: tuple[Variable, ...]
    writes: tuple[Variable, ...]
    reads: tuple[Variable, ...]
    nest: Any  # Nest | None, asked by `step.nest is None`
    pointwise: frozenset = frozenset()
    aligned: bool = False
    tuned: Any = None  # Variable | None
    keeps_rows: bool = False

    @property
    def name(self) -> str:
        return " + ".join(dict.fromkeys(v.op.name for v in self.computes))


@dataclass(frozen=True, eq=False)
class Program:
    """The lowered graph: steps in execution order, independent of the sizes of unknown dimensions.

    Attributes
    ----------
    outputs : tuple of Variables
    updates : dict
        Shared -> the Variable that becomes its value.
    steps : tuple of Step
    order : tuple of Variables
        Everything whose shape is needed, in topological order.
    stored : frozenset of Variables
        Op results held in memory.
    """

    outputs: tuple[Variable, ...]
    updates: dict[Shared, Variable]
    steps: tuple[Step, ...]
    order: tuple[Variable, ...]
    stored: frozenset

    @cached_property
    def in_place(self) -> dict[Variable, Variable]:
        """Result -> the Shared or the operand over which it is written."""
        return in_place(self)

    def base(self, variable: Variable) -> Variable:
        """The Variable whose buffer holds `variable`."""
        return base_of(variable, self.stored)


def lower(outputs, updates, tuned=no_kernel, finishes_rows=no_kernel, keeps_rows=no_kernel) -> Program:
    """Lower the graph under `outputs` and the values of `updates`; the questions are those to a `Backend`."""
    roots = [*outputs, *updates.values()]
    fusion = fuse(roots, tuned, finishes_rows)
    steps = [step for group in fusion.groups if (step := _step(group, fusion, keeps_rows)) is not None]
    steps = tuple(_ordered(steps, updates, fusion))
    return Program(tuple(outputs), dict(updates), steps, tuple(toposort([*roots, *updates])), frozenset(fusion.stored))


def _step(group: Group, fusion: Fusion, keeps_rows) -> Step | None:
    """The kernel of a group; ``None`` if whoever needs its values computes them again."""
    if any(h in fusion.stored for h in group.heads if h is not group.tuned):
        return _nest_step(group, fusion, keeps_rows)
    return None if group.tuned is None else _tuned_step(group.tuned)


def _tuned_step(variable: Variable) -> Step:
    return Step((variable,), (variable,), tuple(dict.fromkeys(value_inputs(variable))), None, tuned=variable)


def _nest_step(group: Group, fusion: Fusion, keeps_rows) -> Step:
    """Loops for a group; for an epilogue, loops over the rows of the tuned kernel's result."""
    body = _Body(group, fusion)
    full = [h for h in group.heads if h not in group.rows]
    domain = full[0] if full else group.heads[0]
    sizes = shape_of(domain)[: None if full else group.prefix]
    # A dimension that is statically 1 needs no loop.
    point = tuple(const(0) if isinstance(n, Const) else Index(f"i{k}") for k, n in enumerate(sizes))
    axes = tuple(Axis(f"i{k}", n) for k, n in enumerate(sizes) if not isinstance(n, Const))
    if group.tuned is not None:
        outer = len(axes) - (not isinstance(sizes[-1], Const))
    elif group.prefix is None:
        outer = max(len(axes) - 1, min(len(axes), 1))
    else:
        outer = sum(not isinstance(n, Const) for n in sizes[: group.prefix])
    stores = []
    for head in group.heads:
        if head not in fusion.stored or head is group.tuned:
            continue
        at = point
        if head in group.rows:
            at = (*point[: group.prefix], *[const(0)] * (head.ndim - len(point[: group.prefix])))
        names = tuple(i.axis for i in at if isinstance(i, Index))
        stores.append(Store(head, names, at, body.value(head, at)))
    nest = Nest(axes, outer, tuple(stores))
    computes, writes, pointwise = body.computed(), nest.variables, set(_pointwise(body, nest))
    reads = [x for x in body.loads if x is not group.tuned]
    if group.tuned is not None:
        needed = value_inputs(group.tuned)
        # The kernel reads its own operands anywhere and at any time: nothing may be written over them.
        bases = {base_of(x, fusion.stored) for x in needed}
        pointwise = {x for x in pointwise if base_of(x, fusion.stored) not in bases}
        computes, reads = [group.tuned, *computes], [*needed, *reads]
        if group.tuned in fusion.stored:
            writes = (group.tuned, *writes)
    return Step(
        computes=tuple(computes),
        writes=tuple(writes),
        reads=tuple(dict.fromkeys(reads)),
        nest=nest,
        pointwise=frozenset(pointwise),
        aligned=_aligned(body),
        tuned=group.tuned,
        keeps_rows=group.tuned is not None and keeps_rows(group.tuned),
    )


class _Body:
    """The values of one group's Variables as expressions; each Variable at each index is expanded once."""

    def __init__(self, group: Group, fusion: Fusion):
        self.group, self.fusion = group, fusion
        self.memo: dict[tuple, Expr] = {}
        self.serial: dict[Variable, int] = {}
        self.loads: dict[Variable, set[tuple]] = {}

    def value(self, variable: Variable, index: tuple[Expr, ...]) -> Expr:
        key = (variable, index)
        if key not in self.memo:
            self.memo[key] = self._value(variable, index)
        return self.memo[key]

    def _value(self, variable, index):
        if is_scalar_constant(variable):
            return const(variable.value.item(), variable.dtype)
        if not self.fusion.expands(variable, self.group):
            self.loads.setdefault(variable, set()).add(index)
            return Load(variable, index)
        serial = self.serial.setdefault(variable, len(self.serial))
        operands = (Operand(x, lambda at, x=x: self.value(x, at)) for x in variable.inputs)
        return variable.op.nest(Result(variable, index, serial), *operands).cast(variable.dtype)

    def computed(self) -> list[Variable]:
        return [
            v
            for v in toposort(self.group.heads, lambda v: value_inputs(v) if v in self.serial else ())
            if v in self.serial
        ]


_WHOLE = ("expand_dims", "squeeze", "broadcast_to", "broadcast_like", "transpose")


def _aligned(body: _Body) -> bool:
    """Whether equal positions mean equal sizes: elementwise throughout, but for reductions and permutations of axes."""
    return all(v.op.pattern == "elementwise" or v.op.name in _WHOLE or reduces(v) for v in body.serial)


def _pointwise(body: _Body, nest: Nest):
    """What is of the shape of the results and loaded at the full point only. A fold reads elsewhere, so its index gives
    it away."""
    points = {store.index for store in nest.stores}
    if len(points) != 1:
        return
    (point,), aligned, shape = points, _aligned(body), nest.stores[0].target.shape
    for variable, indices in body.loads.items():
        if indices == {point} and (aligned or (variable.shape == shape and None not in shape)):
            yield variable


def _ordered(steps, updates, fusion):
    """Steps in the order in which they run: as they come, but

    * an update of a Shared after its other readers where that is possible: the new value can be written over the old one;
    * what no other step waits for, such as an update, as soon as it can run: what it reads is still in the cache, and
      need not be kept any longer. So are numbers, such as a learning rate, which updates may be waiting for.
    """
    producers = {v: step for step in steps for v in step.writes}
    readers: dict[Variable, set] = {}
    for step in steps:
        for v in step.reads:
            readers.setdefault(base_of(v, fusion.stored), set()).add(step)
    awaited = {
        step: {producers[b] for v in step.reads if (b := base_of(v, fusion.stored)) in producers} for step in steps
    }
    late: dict = {}
    for shared, value in updates.items():
        writer = producers.get(value)
        if writer is not None:
            late.setdefault(writer, set()).update(readers.get(shared, set()) - {writer})
    missing = {step: awaited[step] | late.get(step, set()) for step in steps}
    followers: dict = {}
    for step, others in missing.items():
        for other in others:
            followers.setdefault(other, []).append(step)
    place = {step: (any(v in readers and v.ndim > 0 for v in step.writes), number) for number, step in enumerate(steps)}
    by_place = {place[step]: step for step in steps}
    ready = [place[step] for step in steps if not missing[step]]
    heapify(ready)
    order: dict = {}
    while len(order) < len(steps):
        if not ready:  # updates that read each other: give up on the first of them
            stuck = next(s for s in steps if s not in order and awaited[s] <= order.keys())
            missing[stuck].clear()
            heappush(ready, place[stuck])
        step = by_place[heappop(ready)]
        order[step] = None
        for follower in followers.get(step, ()):
            if step in missing[follower]:
                missing[follower].remove(step)
                if not missing[follower]:
                    heappush(ready, place[follower])
    return order
