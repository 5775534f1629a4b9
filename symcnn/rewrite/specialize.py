"""Forms that are cheaper to run; nothing here changes what is computed beyond rounding."""

from __future__ import annotations

from functools import reduce
from operator import mul

from symcnn.ir.variable import Constant, apply
from symcnn.ops.elementwise import sqrt, square
from symcnn.ops.reduce import Reduce
from symcnn.ops.shape import squeeze
from symcnn.rewrite.engine import Rules
from symcnn.rewrite.pattern import fn, is_number, wild

SPECIALIZE = Rules()
rule = SPECIALIZE
x = wild("x")

rule("x * x = square(x)", x * x, lambda x: square(x))
rule("square(-x) = square(x)", fn("square")(-x), lambda x: square(x))
rule("square(abs(x)) = square(x)", fn("square")(fn("absolute")(x)), lambda x: square(x))


@SPECIALIZE.on("*", name="an op that is composed of others")
def _expand(v):
    return v.op.expand(*v.inputs)


@SPECIALIZE.on("power", name="x ** (k / 4) = a product of squares and square roots of x")
def _quarters(v):
    """For exponents up to 4; those of local response normalisation and of its gradient are 0.75 and -0.25."""
    x, exponent = v.inputs
    if x.dtype != v.dtype or not isinstance(exponent, Constant) or exponent.value.size == 0:
        return None
    value = float(exponent.value.flat[0])
    if not is_number(exponent, value) or not (4 * value).is_integer() or not 0 < abs(value) <= 4:
        return None
    if not x.type.is_float and (value < 0 or not value.is_integer()):
        return None
    quarters = int(4 * abs(value))
    factors = {
        1: lambda: sqrt(sqrt(x)),
        2: lambda: sqrt(x),
        4: lambda: x,
        8: lambda: square(x),
        16: lambda: square(square(x)),
    }
    product = reduce(mul, [factor() for weight, factor in factors.items() if quarters & weight])
    return product if value > 0 else 1 / product


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
