"""Loop nests in normal form, before they become text.

Neighbouring axes that every access walks together, or not at all, become one long axis: of the nest, and of folds. A
position computed from their counters, as random numbers need it, is then the counter of that axis. The axes of folds
get names that depend on structure alone, so that two folds over the same axes can share their loops, and
equal values of different ops are one expression.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from symcnn.backends.nests.expressions import MERGED, rebuilt
from symcnn.ir.graph import toposort
from symcnn.ir.loops import Axis, Call, Const, Expr, Fold, Index, Load, Nest, Size, Store, children, const
from symcnn.ops.shape import flat_index

if TYPE_CHECKING:
    from symcnn.schedule.lower import Step


def normal_form(step: Step) -> Nest:
    """The nest of `step` with axes merged and the axes of folds renamed."""
    nest = step.nest
    everything = toposort((store.value for store in nest.stores), children)
    merging = _Merging(step)
    fixed = nest.outer < len(nest.axes) - 1 or any(len(store.axes) < len(nest.axes) for store in nest.stores)
    if step.tuned is not None:  # an epilogue: of rows without a seam, or of rows
        outer, inner = merging.merge(nest.axes), ()
        if len(outer) > 1 or len(nest.axes) == 1:
            merging.merged.clear()
            outer, inner = merging.merge(nest.axes[: nest.outer]), nest.axes[nest.outer :]
    elif fixed:
        outer, inner = merging.merge(nest.axes[: nest.outer]), merging.merge(nest.axes[nest.outer :])
    else:  # long tasks: the inner loops of images run over columns and channels
        axes = merging.merge(nest.axes)
        split = len(axes) - (1 if len(axes) < 4 else 2) if len(axes) > 1 else len(axes)
        outer, inner = axes[:split], axes[split:]
    folds = [e for e in everything if isinstance(e, Fold)]  # from the inside out
    heights: dict[Fold, int] = {}
    swaps: dict[Expr, Any] = {}
    merged_axes = {}
    for fold in folds:
        below = [heights[e] for e in toposort([fold.body], children) if isinstance(e, Fold)]
        heights[fold] = 1 + max(below, default=-1)
        merged_axes[fold] = merging.merge(fold.axes)
        for k, axis in enumerate(merged_axes[fold]):
            swaps.setdefault(Index(axis.name), Index(f"r{heights[fold]}_{k}"))
    for position, (index, sizes) in merging.positions.items():
        counters = (const(0) if i.axis in merging.merged else swaps.get(i, i) for i in index)
        swaps[position] = flat_index(counters, sizes)
    swaps.update({Index(name): MERGED for name in merging.merged})
    for fold in folds:
        axes = tuple(Axis(swaps[Index(a.name)].axis, rebuilt(a.extent, swaps)) for a in merged_axes[fold])
        swaps[fold] = Fold(fold.kind, axes, rebuilt(fold.body, swaps), fold.dtype)
    stores = []
    for s in nest.stores:
        index, names = tuple(rebuilt(i, swaps) for i in s.index), tuple(a for a in s.axes if a not in merging.merged)
        stores.append(Store(s.target, names, index, rebuilt(s.value, swaps)))
    return Nest((*outer, *inner), len(outer), tuple(stores))


class _Merging:
    def __init__(self, step):
        self.step = step
        self.merged: set[str] = set()
        self.accesses = [(store.target, store.index) for store in step.nest.stores]
        self.positions: dict[Expr, tuple] = {}
        stack, seen = [store.value for store in step.nest.stores], set()
        # Counters that are values, or are computed with in any other way, have to stay.
        self.needed = {value.axis for value in stack if isinstance(value, Index)}
        while stack:
            expr = stack.pop()
            if expr in seen:
                continue
            seen.add(expr)
            position = _position(expr)
            if position is not None:
                self.positions[expr] = position
                continue
            below = children(expr)
            if isinstance(expr, Load):
                self.accesses.append((expr.variable, below))
            else:
                self.needed |= {i.axis for i in below if isinstance(i, Index)}
            stack.extend(below)

    def merge(self, axes) -> tuple[Axis, ...]:
        """`axes` with neighbours merged where that is possible."""
        if len(axes) < 2:
            return tuple(axes)
        result = [axes[0]]
        for left, axis in pairwise(axes):
            if self._together(left, axis):
                group = result.pop()
                self.merged.add(left.name)
                result.append(Axis(axis.name, group.extent * axis.extent))
            else:
                result.append(axis)
        return tuple(result)

    def _together(self, left: Axis, right: Axis) -> bool:
        if left.name in self.needed or right.name in self.needed:
            return False
        accesses = ((index, [Size(v, k) for k in range(len(index))]) for v, index in self.accesses)
        return all(_near(left, right, *access, self.step.aligned) for access in accesses) and all(
            _near(left, right, *position) for position in self.positions.values()
        )


def _near(left: Axis, right: Axis, index, sizes, aligned=False) -> bool:
    """Whether `index` moves on by one element when `right` starts again and `left` counts, or knows neither of them."""
    a = [k for k, i in enumerate(index) if i is Index(left.name)]
    b = [k for k, i in enumerate(index) if i is Index(right.name)]
    if not a and not b:
        return True
    if len(a) != 1 or b != [a[0] + 1]:
        return False
    return aligned or _same(right.extent, sizes[b[0]])


def _position(expr: Expr) -> tuple[tuple[Index, ...], tuple[Expr, ...]] | None:
    """Counters and sizes in ``(i * n + j) * m + k``, a position in C order; ``None`` if `expr` is none."""
    index, sizes = [], []
    while isinstance(expr, Call) and expr.function == "add":
        product, counter = expr.args
        if not (isinstance(product, Call) and product.function == "multiply" and isinstance(counter, Index)):
            return None
        expr, size = product.args
        if not isinstance(size, (Size, Const)):
            return None
        index.append(counter)
        sizes.append(size)
    return ((expr, *reversed(index)), (const(1), *reversed(sizes))) if index and isinstance(expr, Index) else None


def _same(a: Expr, b: Expr) -> bool:
    """Whether two sizes are known to be equal."""
    known = [e.variable.shape[e.dimension] if isinstance(e, Size) else getattr(e, "value", None) for e in (a, b)]
    return a is b or (known[0] is not None and known[0] == known[1])
