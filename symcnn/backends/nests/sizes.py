"""Sizes of loops: as expressions, and as the run-time arguments of generated kernels, once shapes are known."""

from __future__ import annotations

from math import prod

from symcnn.backends.nests.parts import Partials
from symcnn.ir.loops import Call, Const, Expr, Index, Param, Size, Stride, const
from symcnn.schedule.memory import ALIGNMENT
from symcnn.schedule.plan import WORKSPACE, View

_ARITHMETIC = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "floor_divide": lambda a, b: a // b,
    "remainder": lambda a, b: a % b,
    "maximum": max,
    "minimum": min,
}


def product(axes) -> Expr:
    """How many points `axes` span."""
    total: Expr = const(1)
    for axis in axes:
        total = total * axis.extent
    return total


def integer(expr: Expr, types) -> int:
    """The value of `expr`, a size or what is computed from sizes, for the concrete `types` of Variables."""
    if isinstance(expr, Const):
        return int(expr.value)
    if isinstance(expr, (Size, Stride)) and isinstance(expr.variable, Partials):
        return integer(expr.variable.sizes[expr.dimension + isinstance(expr, Stride)], types)
    if isinstance(expr, Size):
        return types[expr.variable].shape[expr.dimension]
    if isinstance(expr, Stride):
        return prod(types[expr.variable].shape[expr.dimension + 1 :])
    if isinstance(expr, Param):
        v = expr.variable
        return v.op.parameters(*(types[x] for x in v.inputs))[expr.position]
    if isinstance(expr, Index):
        return 0  # the length of a part depends on which one it is: all but the last are as long as the first
    assert isinstance(expr, Call), expr
    return _ARITHMETIC[expr.function](*(integer(x, types) for x in expr.args))


def places_of_parts(operands, types) -> tuple[dict[Partials, View], int]:
    """Places in the workspace for the Partials among `operands`, and the bytes that they take."""
    found, offset = {}, 0
    for partials in operands:
        if isinstance(partials, Partials):
            parts, width = (integer(size, types) for size in partials.sizes[:2])
            found[partials] = View(WORKSPACE, offset, (parts, width), (width, 1), partials.dtype)
            offset += -(-parts * width * partials.dtype.itemsize // ALIGNMENT) * ALIGNMENT
    return found, offset
