"""Folds that the threads of a block share: each folds its part of the domain, then they fold the parts pairwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symcnn.backends.cuda.threads import ThreadCode
from symcnn.backends.nests.expressions import Scope, from_memory, indent, storage, to_memory
from symcnn.backends.nests.folds import STEP, Best, Position, Total
from symcnn.backends.nests.sizes import product
from symcnn.ir.loops import Const

if TYPE_CHECKING:
    from symcnn.backends.cuda.launch import Geometry

SUMMED = 256  # elements that a thread adds up, before it adds their sum to the others: errors grow with each addition


class SharedFolds(ThreadCode):
    """Folds at the level of `block`, where all threads of a block are, are shared; `shared` declares their memory."""

    geometry: Geometry

    def __init__(self):
        super().__init__()
        self.block: Scope | None = None
        self.shared: list[str] = []

    def fold(self, fold, scope: Scope, row) -> str:
        if scope is not self.block or fold not in set(self.together):
            return super().fold(fold, scope, None)
        conditions, _ = self.conditions(fold, None)
        folds = self.companions(fold, scope, None, conditions)
        bodies = [self.conditions(f, None)[1] for f in folds]
        accumulators = self.accumulators(folds, bodies, None)
        work = Scope(scope, frozenset())
        work.lines += [line for a in accumulators for line in a.start()]
        self._share_out(work, fold.axes, conditions, accumulators, bodies)
        scope.lines += work.lines
        self._reduce(scope, [a for a in accumulators if not isinstance(a, Best)])
        for f, a in zip(folds, accumulators, strict=True):
            scope.names[f] = a.result()
            self.name(f, scope.names[f], scope)
        return scope.names[fold]

    def _share_out(self, scope: Scope, axes, conditions, accumulators, bodies):
        """Each thread's part of the domain: every so many elements, so that neighbours read neighbouring memory."""
        inner, total = Scope(scope, frozenset(a.name for a in axes)), product(axes)
        counter = self.counter(axes[0]) if len(axes) == 1 else self.temporary("part")
        if len(axes) > 1:
            self.count(inner, axes, counter)
        body = Scope(inner, frozenset(), guarded=bool(conditions))
        most = self.geometry.row * SUMMED
        few = isinstance(total, Const) and total.value <= most
        sums = [a for a in accumulators if isinstance(a, Total) and a.fold.kind == "sum" and a.dtype.kind == "f"]
        for a in [] if few else sums:
            a.part = self.temporary("part")
        for a, value in zip(accumulators, bodies, strict=True):
            body.lines += a.update(value, body)
        if conditions:
            test = " and ".join(self.condition(c, inner) for c in conditions)
            inner.lines += [f"if {test}:", *indent(body.lines)]
        else:
            inner.lines += body.lines
        end, step = self.integer(total, scope), f"int32({self.geometry.row})"
        if few or not sums:
            scope.lines += [f"for {counter} in range(thread, {end}, {step}):", *indent(inner.lines)]
            return
        start = self.temporary("start")
        scope.lines += [
            f"for {start} in range(thread, {end}, int32({most})):",
            *(f"    {a.part} = {a.dtype.name}(0.0)" for a in sums),
            # the end of a part may have more than 32 bits, that of all has not
            f"    for {counter} in range({start}, int32(min({start} + {most}, {end})), {step}):",
            *indent(indent(inner.lines)),
            *(f"    {a.total} = {a.total} + {a.part}" for a in sums),
        ]

    def _reduce(self, scope: Scope, accumulators):
        """The threads' parts, in shared memory, folded pairwise; the first of them is the result."""
        levels, half = self.geometry.row.bit_length() - 1, self.temporary("half")
        combined = []
        for a in accumulators:
            if isinstance(a, Total):
                combined += self._combine_totals(scope, a, half)
            else:
                combined += self._combine_positions(scope, a, half)
        scope.lines += [
            "cuda.syncthreads()",
            f"for level in range({levels}):",
            f"    {half} = int32({self.geometry.row // 2} >> level)",
            f"    if thread < {half}:",
            *indent(indent(combined)),
            "    cuda.syncthreads()",
        ]

    def _in_shared(self, scope: Scope, value: str, dtype) -> str:
        """An array with the `value` of every thread."""
        name = self.temporary("s")
        self.shared.append(f"{name} = cuda.shared.array({self.geometry.row}, {storage(dtype)})")
        scope.lines.append(f"{name}[thread] = {to_memory(value, dtype)}")
        return name

    def _combine_totals(self, scope, a: Total, half) -> list[str]:
        array = self._in_shared(scope, a.total, a.dtype)
        own, other = (from_memory(f"{array}[{at}]", a.dtype) for at in ("thread", f"thread + {half}"))
        text = STEP[a.fold.kind].format(own, other)
        if a.dtype.kind in "iu" and a.dtype.itemsize < 8:
            text = f"{a.dtype.name}({text})"
        a.total = from_memory(f"{array}[0]", a.dtype)
        return [f"{array}[thread] = {to_memory(text, a.dtype)}"]

    def _combine_positions(self, scope, a: Position, half) -> list[str]:
        """The better of two, or of equals the first; of NaNs, which are better than all numbers, the first."""
        values, places = self._in_shared(scope, a.best, a.value_dtype), self._in_shared(scope, a.at, a.dtype)
        value, place, best, at, chosen = (self.temporary(letter) for letter in ("v", "p", "v", "p", "b"))
        better = f"{value} {'>' if a.fold.kind == 'argmax' else '<'} {best}"
        equal = f"{value} == {best}"
        if a.value_dtype.kind == "f":
            better = f"{better} or ({value} != {value} and {best} == {best})"
            equal = f"({equal} or ({value} != {value} and {best} != {best}))"
        a.best, a.at = from_memory(f"{values}[0]", a.value_dtype), f"{places}[0]"
        return [
            f"{value} = {values}[thread + {half}]",
            f"{place} = {places}[thread + {half}]",
            f"{best} = {values}[thread]",
            f"{at} = {places}[thread]",
            f"{chosen} = {better} or ({equal} and {place} < {at})",
            f"{values}[thread] = {value} if {chosen} else {best}",
            f"{places}[thread] = {place} if {chosen} else {at}",
        ]
