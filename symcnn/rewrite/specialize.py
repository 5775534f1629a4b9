"""Forms that are cheaper to run; nothing here changes what is computed beyond rounding."""

from __future__ import annotations

from symcnn.ir.variable import apply
from symcnn.ops.elementwise import sqrt, square
from symcnn.ops.reduce import Reduce
from symcnn.ops.shape import squeeze
from symcnn.rewrite.engine import Rules
from symcnn.rewrite.pattern import fn, wild

SPECIALIZE = Rules()
rule = SPECIALIZE
x = wild("x")

rule("x * x = square(x)", x * x, lambda x: square(x))
rule("x ** 2 = square(x)", x**2, lambda x: square(x))
rule("x ** 3 = x * square(x)", x**3, lambda x: x * square(x))
rule("x ** 0.5 = sqrt(x)", x**0.5, lambda x: sqrt(x))
rule("x ** -1 = 1 / x", x**-1, lambda x: 1 / x, when=lambda x: x.type.is_float)
rule("square(-x) = square(x)", fn("square")(-x), lambda x: square(x))
rule("square(abs(x)) = square(x)", fn("square")(fn("absolute")(x)), lambda x: square(x))


@SPECIALIZE.on("sum", "prod", "max", "min", "any", "all", name="reduce everything in two steps, the first parallel")
def _two_steps(v):
    if len(v.op.axes) < 2 or v.op.axes != tuple(range(v.inputs[0].ndim)):
        return None
    inner = apply(Reduce(v.op.kind, v.op.axes[1:], True), v.inputs[0])
    return (
        apply(Reduce(v.op.kind, v.op.axes, v.op.keepdims), inner)
        if v.inputs[0].shape[1:] != (1,) * (v.inputs[0].ndim - 1)
        else None
    )


@SPECIALIZE.on("sum", "prod", "max", "min", "any", "all", name="reduce rows with their axes kept, then squeeze")
def _keep_axes(v):
    """So that the result stays in step with the rows that it was made of, and can share their loop."""
    axes, ndim = v.op.axes, v.inputs[0].ndim
    if v.op.keepdims or not axes or axes[0] == 0 or axes != tuple(range(axes[0], ndim)):
        return None
    return squeeze(apply(Reduce(v.op.kind, axes, True), v.inputs[0]), axes)
