"""Large folds to few results, shared by all threads: parts of the domain first, then a fold of the parts.

How many parts there are depends on sizes alone, never on the number of threads, so neither does the result. Parts of
float32 sums may be kept in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symcnn.backends.nests.expressions import MERGED, contiguity, loads_below, rebuilt
from symcnn.ir.loops import Axis, Call, Const, Expr, Fold, Index, Load, Nest, Size, Store, call, children, const

LEAST_PART = 32  # elements folded into each of the results
LARGE = 32_768  # elements of a domain that a second thread is worth
UNKNOWN = 128  # what a size is taken for while it is unknown

_ARGUMENTS = ("argmax", "argmin")  # their parts would be pairs


@dataclass(frozen=True, eq=False)
class Partials:
    """Memory for the results of the parts; stands where nests have a Variable.

    Attributes
    ----------
    dtype : numpy.dtype
    sizes : tuple of Expr
        (parts, results of each, length of a part).
    """

    dtype: np.dtype
    sizes: tuple[Expr, Expr, Expr]

    @property
    def shape(self):
        return tuple(size.value if isinstance(size, Const) else None for size in self.sizes[:2])


def in_parts(nest: Nest, most: int = 64, float64_sums: bool = True) -> tuple[Nest | None, Nest]:
    """The nest of the parts, at `most` so many, if `nest` is better done in parts, and the nest that follows it."""
    folds = _large_folds(nest) if len(nest.axes) < 2 else []
    if not folds:
        return None, nest
    axis, *others = folds[0].axes
    along = _along(folds[0], nest)
    width = along[0].extent if along else const(1)
    domain = axis.extent
    for other in others:
        domain = domain * other.extent
    limit = call("minimum", domain // LEAST_PART, domain * width // LARGE)
    parts = call("maximum", call("minimum", limit, most), 1)
    point = (Index(along[0].name),) if along else (const(0),)
    stores, swaps = [], {}
    for fold in folds:
        wide = float64_sums and fold.kind == "sum" and fold.dtype == np.float32
        dtype = np.dtype("float64") if wide else fold.dtype
        partials: Any = Partials(dtype, (parts, width, (axis.extent + (parts - 1)) // parts))
        count = Size(partials, 0)
        length = Size(partials, 2)
        first = Index("part") * length
        within = Axis(axis.name, call("minimum", length, axis.extent - first))
        body = rebuilt(fold.body, {Index(axis.name): first + Index(axis.name)}).cast(dtype)
        part = Fold(fold.kind, (within, *others), body, dtype)
        stores.append(Store(partials, ("part", *(a.name for a in along)), (Index("part"), *point), part))
        all_parts = Axis("parts", count)
        swaps[fold] = Fold(fold.kind, (all_parts,), Load(partials, (Index("parts"), *point)), dtype).cast(fold.dtype)
    before = Nest((Axis("part", Size(stores[0].target, 0)), *along), 1, tuple(stores))
    after = [Store(s.target, s.axes, s.index, rebuilt(s.value, swaps)) for s in nest.stores]
    return before, Nest(nest.axes, nest.outer, tuple(after))


def _large_folds(nest: Nest) -> list[Fold]:
    """The folds over the largest domain, if it is large: of those that are evaluated whatever the data."""
    found: list[Fold] = []
    stack, seen = [store.value for store in nest.stores], set()
    while stack:
        expr = stack.pop()
        if expr in seen:
            continue
        seen.add(expr)
        if (
            isinstance(expr, Fold)
            and expr.kind not in _ARGUMENTS
            and not _has_fold(expr.body)
            and not _is_inside_another(expr, nest)
        ):
            found.append(expr)
        stack.extend(expr.args[:1] if isinstance(expr, Call) and expr.function == "guard" else children(expr))
    along = {f: _along(f, nest) for f in found}
    sizes = {f: np.prod([usual(a.extent) for a in (*along[f], *f.axes)]) for f in found}
    found = [f for f in found if sizes[f] >= LARGE]
    if not found:
        return []
    largest = max(found, key=lambda f: sizes[f])
    alike = [f for f in found if f.axes == largest.axes and along[f] == along[largest]]
    return [f for f in alike if not any(_along_memory(f, axis) for axis in along[f])]


def _along(fold: Fold, nest: Nest) -> tuple[Axis, ...]:
    """The axes of `nest` along which results of `fold` differ: a total stands beside loops that it knows nothing of."""
    counters = _counters(fold)
    return tuple(axis for axis in nest.axes if axis.name in counters)


def _is_inside_another(fold: Fold, nest: Nest) -> bool:
    """Whether results of `fold` differ along the axes of a fold around it, which the parts would not know."""
    return not _counters(fold) <= {MERGED.axis, *(axis.name for axis in (*nest.axes, *fold.axes))}


def _counters(root: Expr) -> set[str]:
    """The axes of which the counters stand somewhere below `root`."""
    below: set[Expr] = set()
    stack = [root]
    while stack:
        expr = stack.pop()
        if expr not in below:
            below.add(expr)
            stack.extend(children(expr))
    return {expr.axis for expr in below if isinstance(expr, Index)}


def _along_memory(fold: Fold, axis: Axis) -> bool:
    """Whether neighbouring results lie far apart in memory: then they are tasks enough, each with a run of its own."""
    return any(contiguity(load, axis.name) is None for load in loads_below(fold.body))


def _has_fold(expr: Expr) -> bool:
    return isinstance(expr, Fold) or any(map(_has_fold, children(expr)))


def usual(extent: Expr) -> int:
    """The value of a size, or a usual one while it is unknown."""
    if isinstance(extent, Const):
        return int(extent.value)
    if isinstance(extent, Size):
        return extent.variable.shape[extent.dimension] or UNKNOWN
    if isinstance(extent, Call) and extent.function == "multiply":
        return usual(extent.args[0]) * usual(extent.args[1])
    return UNKNOWN
