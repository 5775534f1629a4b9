"""How ops read their operands: element by element, stretched along some axes, or row by row.

All that fusion decides rests on these relations. They look at symbolic types, so they hold for every batch size.
"""

from __future__ import annotations

from symcnn.ir.variable import Variable

# How a head reads another, along a path of inlined ops.
SAME, STRETCH, ROW, ROW_STRETCH, FAR = "same", "stretch", "row", "row of stretch", "far"
THEN = {
    (SAME, SAME): SAME, (SAME, STRETCH): STRETCH, (STRETCH, SAME): STRETCH,
    (ROW, SAME): ROW, (ROW, STRETCH): ROW_STRETCH, (ROW_STRETCH, SAME): ROW_STRETCH,
}  # fmt: skip


def stretched(v: Variable, x: Variable) -> bool:
    """Whether `v`, an elementwise op, reads elements of `x` more than once, or `x` has another rank."""
    return x.ndim != v.ndim or any(a == 1 != b for a, b in zip(x.shape, v.shape, strict=True))


def suffix_stretch(v: Variable, x: Variable) -> int | None:
    """k when `x` has the rank of `v` and is stretched along the axes k, k + 1, ... to the last only."""
    if x.ndim != v.ndim:
        return None
    first = next((k for k, (a, b) in enumerate(zip(x.shape, v.shape, strict=True)) if a == 1 != b), x.ndim)
    return first if first >= 1 and all(d == 1 for d in x.shape[first:]) else None


def reduces(v: Variable) -> bool:
    """Whether `v` is a reduction over axes of its single operand."""
    return v.op.pattern == "fold" and len(v.inputs) == 1 and getattr(v.op, "axes", None) is not None


def reduced_prefix(v: Variable) -> int | None:
    """k when `v` keeps its dimensions and reduces its operand over the axes k, k + 1, ... to the last, k >= 1."""
    if v.op is None or not reduces(v) or not getattr(v.op, "keepdims", False):
        return None
    axes, ndim = v.op.axes, v.inputs[0].ndim
    if not axes or axes[0] == 0 or axes != tuple(range(axes[0], ndim)):
        return None
    return axes[0]


def edge(v: Variable, x: Variable) -> str:
    """How the op of `v` reads its operand `x`."""
    if v.op.pattern == "elementwise":
        if not stretched(v, x):
            return SAME
        return FAR if suffix_stretch(v, x) is None else STRETCH
    return FAR if reduced_prefix(v) is None else ROW


def reads_once(v: Variable) -> bool:
    """Whether `v` reads each element of its operands a bounded number of times, apart from those it stretches."""
    # Kernels keep what windows along the last axis look at in a row of private memory.
    windows = getattr(v.op, "window_axis", None) == v.ndim - 1
    return v.op.pattern in ("elementwise", "gather", "view") or reduces(v) or windows
