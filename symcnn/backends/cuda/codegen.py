"""From a loop nest to the Python source of GPU kernels.

Each nest is spread over threads in one of three ways:

*points*: a thread per element of the result, with all folds that it needs inside. Neighbouring threads make neighbouring
elements, so they read and write neighbouring memory. Where all that is read lies as the result does, a thread does four
elements, which one instruction loads or stores: fewer and longer requests keep the memory busy.

*rows*: a thread per point of the outer axes, which goes along the inner ones by itself: where rows are short.

*blocks*: a block per point of the outer axes. Its threads share out each fold over the row, add up their parts in shared
memory, and then share out the row itself.

Which it is follows from the nest alone, never from the sizes of a call: a new batch compiles nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symcnn.backends.cuda.launch import Kernel
from symcnn.backends.cuda.sharing import SharedFolds
from symcnn.backends.nests.expressions import MERGED, Scope, contiguity, indent, loads_below, storage
from symcnn.backends.nests.folds import always_evaluated
from symcnn.backends.nests.normal import normal_form
from symcnn.backends.nests.parts import in_parts, usual
from symcnn.backends.nests.sizes import product
from symcnn.ir.loops import Axis, Const, Expr, Fold, Index, Load, Nest

if TYPE_CHECKING:
    from symcnn.backends.cuda.launch import Geometry
    from symcnn.schedule.lower import Step

MOST_PARTS = 256
SHORT_ROW = 64  # elements of a row, or of a sum, that one thread rather does alone
MANY = 4096  # results that are threads enough, however long their sums
FOUR = 4  # elements of 4 bytes that one instruction moves
WIDE_GRID = 1024  # blocks that share out a single row


@dataclass(frozen=True, eq=False)
class Generated:
    """A generated kernel and what to launch it with.

    Attributes
    ----------
    kernel : Kernel
    operands : tuple of Variables or Partials
    integers : tuple of Expr
        Sizes and what is computed from them.
    points : Expr
        Pieces of work.
    per_block : int
        How many of them a block does.
    most_blocks : int
        More are not launched: theirs then do several.
    in_fours : bool
        Whether a last integer follows: how many points may be done four at a time, all if every operand begins at a
        multiple of 16 bytes.
    before : Generated or None
        A kernel that must run first; it leaves the Partials among the operands.
    lengths : tuple of Expr
        Elements of each fold, which threads count in 32 bits, though they may be elements of nothing in memory.
    """

    kernel: Kernel
    operands: tuple
    integers: tuple
    points: Expr
    per_block: int
    before: Generated | None = None
    most_blocks: int = 2**31 - 1
    in_fours: bool = False
    lengths: tuple[Expr, ...] = ()

    @property
    def stages(self) -> tuple[Generated, ...]:
        """The kernels in the order in which they run."""
        return (self.before, self) if self.before is not None else (self,)


def generate(step: Step, geometry: Geometry) -> Generated:
    """The kernels of a step that has no tuned one."""
    parts, nest = in_parts(normal_form(step), MOST_PARTS, float64_sums=False)
    before = _Generator(step, parts, geometry, "parts of ").run() if parts is not None else None
    return _Generator(step, nest, geometry).run(before)


class _Generator(SharedFolds):
    def __init__(self, step: Step, nest: Nest, geometry: Geometry, what: str = ""):
        super().__init__()
        self.nest, self.geometry, self.title = nest, geometry, what + step.name
        for store in nest.stores:
            self.analyse(store.value)
        self.together = always_evaluated([store.value for store in nest.stores])
        self.lengths = tuple(product(e.axes) for e in self.uses if isinstance(e, Fold))
        self.counters = {axis.name: f"i{k}" for k, axis in enumerate(nest.axes)}
        self.moved: list[Load] = []

    def run(self, before: Generated | None = None) -> Generated:
        """The kernel, which follows `before`."""
        how, outer = self._mapping()
        most = 2**31 - 1
        inner = self.nest.axes[len(outer) :]
        in_fours = how == "points" and self._in_fours()
        if in_fours:
            lines, points, per_block = self._fours(), product(outer), FOUR * self.geometry.flat
        elif how == "blocks":
            lines, points, per_block = self._blocks(outer, inner), product(outer), 1
            if not outer and inner:
                points, per_block, most = product(inner), self.geometry.row, WIDE_GRID if before is not None else 1
        else:
            lines, points, per_block = self._threads(outer, inner), product(outer), self.geometry.flat
        threads = self.geometry.row if how == "blocks" else self.geometry.flat
        return Generated(
            Kernel(
                "\n".join([self._head(in_fours), *indent([f'"""{self.title}"""', *lines])]) + "\n",
                tuple(storage(v.dtype) for v in self.operands), len(self.integers) + in_fours, threads,
            ),
            tuple(self.operands), tuple(self.integers), points, per_block, before, most, in_fours, self.lengths,
        )  # fmt: skip

    def _head(self, in_fours: bool) -> str:
        names = [*self.operands.values(), *self.integers.values(), *(["in_fours"] if in_fours else [])]
        return f"def kernel({', '.join(names)}):"

    # ---- how to spread the work

    def _mapping(self) -> tuple[str, tuple[Axis, ...]]:
        """points, rows or blocks; and the axes of which each point is a thread's, or a block's."""
        axes, outer = self.nest.axes, self.nest.axes[: self.nest.outer]
        inner = {axis.name for axis in axes[self.nest.outer :]}
        of_a_row = [f for f in self.together if not self.free_in(f) & inner]
        rows = [s for s in self.nest.stores if len(s.axes) < len(axes)]
        if inner and (rows or of_a_row):
            length = max([usual(product(axes[self.nest.outer :])), *(usual(product(f.axes)) for f in of_a_row)])
            return ("rows" if length <= SHORT_ROW and outer else "blocks"), outer
        folds = [f for f in self.together if not self._inside_another(f)]
        long = [f for f in folds if usual(product(f.axes)) > SHORT_ROW]
        depth = max(map(self._depth, long), default=len(axes))
        if depth < len(axes):  # points of a row need the very same sums
            return "blocks", axes[:depth]
        if long and not (usual(product(axes)) >= MANY and all(map(self._is_coalesced, long))):
            return "blocks", axes
        return "points", axes

    def _depth(self, fold: Fold) -> int:
        """How many of the axes have to be known for `fold`."""
        known = [k for k, axis in enumerate(self.nest.axes) if axis.name in self.free_in(fold)]
        return known[-1] + 1 if known else 0

    def _inside_another(self, fold: Fold) -> bool:
        known = {MERGED.axis, *(axis.name for axis in self.nest.axes)}
        return bool(self.free_in(fold) - known)

    def _is_coalesced(self, fold: Fold) -> bool:
        """Whether neighbouring results read neighbouring memory at every step of the fold."""
        last = self.nest.axes[-1].name if self.nest.axes else ""
        loads = [load for load in loads_below(fold.body) if fold.axes[-1].name in self.free_in(load)]
        return all(contiguity(load, last) in (0, 1) for load in loads)

    # ---- a thread per four points

    def _in_fours(self) -> bool:
        """Whether four neighbouring results need four neighbours of each operand, or one element of it, all of 4 bytes."""
        if len(self.nest.axes) != 1 or self.together:
            return False
        (axis,) = self.nest.axes
        values = [store.value for store in self.nest.stores]
        loads = dict.fromkeys(load for value in values for load in loads_below(value))
        moved = [load for load in loads if axis.name in self.free_in(load)]
        accesses = [(x.variable, x.index) for x in moved] + [(s.target, s.index) for s in self.nest.stores]
        self.moved = moved
        return all(v.dtype.itemsize == FOUR and _is_point(index, v, axis.name) for v, index in accesses) and not any(
            isinstance(e, Fold) for e in self.uses
        )

    def _fours(self) -> list[str]:
        (axis,) = self.nest.axes
        count = self.number(axis.extent)
        top = Scope(None, frozenset())
        body = Scope(top, frozenset((axis.name,)))
        taken, made = {}, {}
        for load in self.moved:
            taken[self.operand(load.variable)] = load
            body.names[load] = f"in_{self.operand(load.variable)}[k]"
        for store in self.nest.stores:
            text = self.emit(store.value, body)
            made[self.operand(store.target)] = (store, text)
        four = [
            f"first = int32((cuda.blockIdx.x * {self.geometry.flat} + cuda.threadIdx.x) * {FOUR})",
            *(f"in_{x} = cuda.local.array({FOUR}, {storage(load.dtype)})" for x, load in taken.items()),
            *(f"out_{x} = cuda.local.array({FOUR}, {storage(s.target.dtype)})" for x, (s, _) in made.items()),
        ]
        loads = [f"{', '.join(f'in_{x}[{k}]' for k in range(FOUR))} = load4({x}, first)" for x in taken]
        stores = [f"store4({x}, first, {', '.join(f'out_{x}[{k}]' for k in range(FOUR))})" for x in made]
        one = [f"for k in range({FOUR}):", f"    if first + k < {count}:"]
        compute = [f"{self.counters[axis.name]} = int32(first + k)", *body.lines]
        return [
            *four,
            *top.lines,
            *([
                "if first < in_fours:", *indent(loads), "else:",
                *indent([*one, *(f"        in_{x}[k] = {x}[int32(first + k)]" for x in taken)]),
            ] if taken else []),
            f"for k in range({FOUR}):",
            *indent([*compute, *(f"out_{x}[k] = {text}" for x, (_, text) in made.items())]),
            "if first < in_fours:", *indent(stores), "else:",
            *indent([*one, *(f"        {x}[int32(first + k)] = out_{x}[k]" for x in made)]),
        ]  # fmt: skip

    # ---- a thread per point, or per row

    def _threads(self, outer, inner) -> list[str]:
        top = Scope(None, frozenset())
        body = Scope(top, frozenset(a.name for a in outer))
        self.count(body, outer, "point")
        self.stores(body, [s for s in self.nest.stores if len(s.axes) <= len(outer)])
        points = [s for s in self.nest.stores if len(s.axes) > len(outer)]
        if points:
            self._loops_over(body, list(inner), points)
        total = product(outer)
        count = self.integer(total, top) if isinstance(total, Const) else self.number(total)
        return [
            f"point = int32(cuda.blockIdx.x * {self.geometry.flat} + cuda.threadIdx.x)",
            *top.lines,
            f"if point < {count}:",
            *indent(body.lines),
        ]

    def _loops_over(self, scope: Scope, axes: list[Axis], stores):
        """`stores` inside one loop per axis."""
        if not axes:
            self.stores(scope, stores)
            return
        axis, *rest = axes
        inner = Scope(scope, frozenset((axis.name,)))
        extent = self.integer(axis.extent, scope)
        self._loops_over(inner, rest, stores)
        scope.lines += [f"for {self.counters[axis.name]} in range({extent}):", *indent(inner.lines)]

    # ---- a block per row

    def _blocks(self, outer, inner) -> list[str]:
        self.block = body = Scope(None, frozenset(a.name for a in outer))
        many = not outer and bool(inner)  # the blocks share out a single row, each with all folds to itself
        self.count(body, outer, "block")
        rows = [s for s in self.nest.stores if len(s.axes) <= len(outer)]
        points = [s for s in self.nest.stores if len(s.axes) > len(outer)]
        first = "thread == 0 and block == 0" if many else "thread == 0"
        names = frozenset(a.name for a in inner)
        for fold in [f for f in self.together if not self.free_in(f) & names and not self._inside_another(f)]:
            self.emit(fold, body)  # outside any branch: all threads take part in the sums
        values = [(s, self.stored_value(s, body, named=True)) for s in rows]
        if rows:
            one = Scope(body, frozenset())
            for store, text in values:
                self.write(store, text, one)
            # No thread writes over what another has yet to read.
            body.lines += ["cuda.syncthreads()", f"if {first}:", *indent(one.lines)]
        if points:
            loop = Scope(body, names)
            if len(inner) > 1:
                self.count(loop, inner, "point")
            self.stores(loop, points)
            step = f"int32(cuda.gridDim.x * {self.geometry.row})" if many else f"int32({self.geometry.row})"
            start = f"int32(block * {self.geometry.row} + thread)" if many else "thread"
            span = f"{start}, {self.integer(product(inner), body)}, {step}"
            counter = self.counters[inner[0].name] if len(inner) == 1 else "point"
            body.lines += [f"for {counter} in range({span}):", *indent(loop.lines)]
        return [
            *(["block = int32(cuda.blockIdx.x)"] if outer or many else []),
            "thread = int32(cuda.threadIdx.x)",
            *self.shared,
            *body.lines,
        ]


def _is_point(index, variable, axis: str) -> bool:
    """Whether `index` is the counter of `axis` along memory, and 0 along every dimension before."""
    flat = [k for k, i in enumerate(index) if not (isinstance(i, Const) and i.value == 0) and i is not MERGED]
    return len(flat) == 1 and index[flat[0]] is Index(axis) and all(d == 1 for d in variable.shape[flat[0] + 1 :])
