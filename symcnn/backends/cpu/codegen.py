"""From a loop nest to the Python source of a kernel.

A kernel does a range of tasks (points of the outer axes), so the executor can split it over threads; sizes and strides
come from its argument block, so it serves every batch. Source is canonical: equal structure gives equal text, and the
text is the key of the kernel cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symcnn.backends.cpu.interiors import Interiors
from symcnn.backends.cpu.launch import HEADER
from symcnn.backends.nests.expressions import Row, Scope, indent, storage
from symcnn.backends.nests.folds import always_evaluated
from symcnn.backends.nests.normal import normal_form
from symcnn.backends.nests.parts import in_parts
from symcnn.ir.loops import INT, Axis, Call, Const, Expr, Fold, Nest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symcnn.ir.variable import Variable
    from symcnn.schedule.lower import Step

IN_ANY_ORDER = "# float sums are taken in any order"  # tells the compiler, and people, that this kernel has some


@dataclass(frozen=True, eq=False)
class Generated:
    """A generated kernel and what to put in its argument block.

    Attributes
    ----------
    source : str
        Python; ``kernel(lo, hi, args)``.
    operands : tuple of Variables or Partials
        Their addresses come first.
    integers : tuple of Size, Param or Stride
        Then these.
    tasks : tuple of Axis
        The product of their extents is the number of tasks.
    work : tuple
        Expressions whose product is roughly the number of scalar operations per task.
    rows : int
        How many rows of accumulators each chunk needs in private memory.
    row : Expr or None
        Their length; ``None``: as many as the chunk has tasks.
    before : Generated or None
        A kernel that must run first; it leaves the Partials among the operands.
    """

    source: str
    operands: tuple
    integers: tuple
    tasks: tuple[Axis, ...]
    work: tuple
    rows: int = 0
    row: Expr | None = None
    before: Generated | None = None

    @property
    def stages(self) -> tuple[Generated, ...]:
        """The kernels in the order in which they run."""
        return (self.before, self) if self.before is not None else (self,)


def generate(step: Step, in_place: Mapping[Variable, Variable]) -> Generated:
    """The kernel of one step; a result that is written over an operand goes through the operand's pointer, for LLVM
    vectorises a loop over one pointer, but not over two that turn out to be equal.

    The tasks of an epilogue are the rows of the tuned kernel's result, all its axes but the last.
    """
    nest = normal_form(step)
    if step.tuned is not None:
        seamless = (
            len(nest.axes) < len(step.nest.axes) and step.nest.outer < len(step.nest.axes) and len(nest.axes) == 1
        )
        row = step.nest.axes[-1].extent if seamless else None
        return _Generator(step, nest, in_place).run(row=row)
    parts, nest = in_parts(nest)
    before = _Generator(step, parts, {}, "parts of ").run() if parts is not None else None
    return _Generator(step, nest, in_place).run(before)


class _Generator(Interiors):
    def __init__(self, step: Step, nest: Nest, in_place: Mapping[Variable, Variable], what: str = ""):
        super().__init__()
        self.step, self.nest, self.title = step, nest, what + step.name
        written = (*step.writes, step.tuned)
        self.in_place = {v: in_place[v] for v in written if v in in_place}
        for store in nest.stores:
            self.analyse(store.value)
        self.together = always_evaluated([store.value for store in nest.stores])
        # Loop counters by their place, so that the text does not depend on where in a graph the loops come from.
        self.counters = {axis.name: f"i{k}" for k, axis in enumerate(nest.axes)}
        if step.tuned is not None:
            self.operand(step.tuned)  # the first: see launch.py

    def run(self, before: Generated | None = None, row: Expr | None = None) -> Generated:
        """The kernel, which follows `before`; if its tasks are rows of length `row`, but its loop goes over all elements."""
        axes, outer = self.nest.axes, self.nest.axes[: self.nest.outer]
        inner = axes[self.nest.outer :]
        top = Scope(None, frozenset())
        body = Scope(top, frozenset(a.name for a in outer))
        if len(axes) == 1 and outer:
            body.row = Row(axes[0].name, "lo", "hi")
        self._decompose(body, outer)
        rows = [s for s in self.nest.stores if not set(s.axes) - body.axes and inner]
        points = [s for s in self.nest.stores if s not in rows]
        self.stores(body, rows)
        if points:
            self._nest(body, list(inner), points)
        counter = self.counters[outer[0].name] if len(outer) == 1 else "task"
        if row is not None:
            length = self.emit(row, top)
            span = f"lo * {length}, hi * {length}"
        else:
            span = "lo, hi"
        loop = [*top.lines, f"for {counter} in range({span}):", *indent(body.lines)]
        source = "\n".join(["def kernel(lo, hi, args):", *indent([*self._header(), *loop])]) + "\n"
        work = [a.extent for a in inner]
        folds = {e for e in self.uses if isinstance(e, Fold)}
        largest = max(folds, key=lambda f: len(f.axes), default=None)
        work += [a.extent for a in largest.axes] if largest else []
        weight = Const(max(sum(isinstance(e, Call) and e.dtype != INT for e in self.uses), 1), INT)
        return Generated(
            source, tuple(self.operands), tuple(self.integers), tuple(outer), (*work, weight),
            len(self.rows), axes[-1].extent + self.halo if inner else None, before,
        )  # fmt: skip

    def _header(self) -> list[str]:
        """The doc string, and what is in the argument block."""
        lines = [f'"""{self.title}"""']
        if any(isinstance(e, Fold) and e.kind in ("sum", "prod") and e.dtype.kind == "f" for e in self.uses):
            lines.append(IN_ANY_ORDER)
        lines.append("block = int64_at(args)")
        lines += [f"{name} = {storage(v.dtype)}_at(block[{k}])" for k, (v, name) in enumerate(self.operands.items())]
        count = len(self.operands)
        lines += [f"{name} = block[{count + HEADER + k}]" for k, name in enumerate(self.integers.values())]
        if self.rows:
            lines.append(f"private = block[{count}] + lo // block[{count + 2}] * block[{count + 1}]")
            share = f" * (block[{count + 1}] // {len(self.rows)})"
            places = ["private", f"private + {share[3:]}", *(f"private + {k}{share}" for k in range(2, len(self.rows)))]
            lines += [f"{n} = {storage(d)}_at({place})" for (n, d), place in zip(self.rows, places, strict=False)]
        return lines

    def operand(self, variable: Variable) -> str:
        return super().operand(self.in_place.get(variable, variable))

    def offset(self, variable, index, scope: Scope) -> str:
        point = self.nest.stores[0]
        if self.step.aligned and index == point.index:
            # At the point itself everything is of one shape; to say so shows LLVM that equal pointers mean equal elements.
            variable = point.target
        return super().offset(variable, index, scope)

    # ---- loops

    def _decompose(self, scope: Scope, outer):
        """The counters of the outer axes from the task number."""
        if len(outer) < 2:
            return
        rest = "task"
        for axis in reversed(outer[1:]):
            extent, counter = self.emit(axis.extent, scope), self.counters[axis.name]
            scope.lines.append(f"{counter} = {rest} % {extent}")
            scope.lines.append(f"rest_{counter} = {rest} // {extent}")
            rest = f"rest_{counter}"
        scope.lines.append(f"{self.counters[outer[0].name]} = {rest}")

    def _nest(self, scope: Scope, axes: list[Axis], stores):
        """`stores` inside one loop per axis."""
        if not axes:
            self.stores(scope, stores)
            return
        axis, *rest = axes
        extent = self.emit(axis.extent, scope)
        if rest:
            self._loop(scope, axis, extent, rest, stores)
            return
        stores = self.with_halos(stores, axis, scope)
        interior = self.interior(stores, Row(axis.name, "0", extent))
        if interior is None:
            self._loop(scope, axis, extent, rest, stores)
            return
        tests, unconditional = interior
        text = " and ".join(self.emit(test, scope) for test in tests)
        branches = [Scope(scope, frozenset(), guarded=True, whole=True) for _ in range(2)]
        for branch, chosen in zip(branches, (unconditional, stores), strict=True):
            self._loop(branch, axis, extent, rest, chosen)
        for head, branch in zip((f"if {text}:", "else:"), branches, strict=True):
            scope.lines += [head, *indent(branch.lines)]

    def _loop(self, scope: Scope, axis: Axis, extent: str, rest, stores):
        inner = Scope(scope, frozenset((axis.name,)), row=None if rest else Row(axis.name, "0", extent))
        self._nest(inner, rest, stores)
        scope.lines.append(f"for {self.counters[axis.name]} in range({extent}):")
        scope.lines.extend(indent(inner.lines))
