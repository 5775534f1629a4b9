"""One form for what can be written in several ways, and nothing computed that is known beforehand."""

from __future__ import annotations

import numpy as np

from symcnn.ir.graph import as_numpy, value_inputs
from symcnn.ir.types import broadcast_shapes
from symcnn.ir.variable import Constant, apply, constant
from symcnn.ops.broadcast import BroadcastLike, BroadcastTo, broadcast_like
from symcnn.ops.elementwise import Elementwise, cast, multiply, where
from symcnn.ops.reduce import Reduce
from symcnn.ops.shape import expand_dims, squeeze, transpose
from symcnn.rewrite.engine import Rules
from symcnn.rewrite.pattern import const, fn, wild

FOLDED_ELEMENTS = 65_536  # larger results of constants are computed at run time

CANONICALIZE = Rules()
rule = CANONICALIZE
x, y, c, d = wild("x"), wild("y"), const("c"), const("d")
condition = wild("condition")
where_, log_not = fn("where"), fn("logical_not")

# neutral elements
rule("x + 0 = x", x + 0, lambda x: x)
rule("x - 0 = x", x - 0, lambda x: x)
rule("0 - x = -x", 0 - x, lambda x: -x)
rule("x * 1 = x", x * 1, lambda x: x)
rule("x / 1 = x", x / 1, lambda x: x)
rule("x ** 1 = x", x**1, lambda x: x)
rule("+x = x", fn("positive")(x), lambda x: x)


def _floats(**bound) -> bool:
    """Unsigned integers wrap around when they are negated, and not where a wider dtype goes on."""
    return all(v.type.is_float for v in bound.values())


# signs
rule("-(-x) = x", fn("negative")(-x), lambda x: x)
rule("x + (-y) = x - y", x + (-y), lambda x, y: x - y, when=_floats)
rule("x - (-y) = x + y", x - (-y), lambda x, y: x + y, when=_floats)
rule("x * -1 = -x", x * -1, lambda x: -x)
rule("(-x) * (-y) = x * y", (-x) * (-y), lambda x, y: x * y, when=_floats)
rule("(-x) / (-y) = x / y", (-x) / (-y), lambda x, y: x / y, when=_floats)
rule("-(x - y) = y - x", -(x - y), lambda x, y: y - x, when=_floats)
rule("abs(-x) = abs(x)", fn("absolute")(-x), lambda x: abs(x), when=_floats)
rule("abs(abs(x)) = abs(x)", fn("absolute")(fn("absolute")(x)), lambda x: abs(x))

# constants gather on one side
rule(
    "c * (d * x) = (c * d) * x",
    c * (d * x),
    lambda x, c, d: multiply(multiply(c, d), x),
    when=lambda x, c, d: _scalar(c) and _scalar(d) and x.type.is_float,
)
rule(
    "(x * c) / d = x * (c / d)",
    (x * c) / d,
    lambda x, c, d: x * (c / d),
    when=lambda x, c, d: _scalar(c) and _scalar(d) and x.type.is_float,
)

# choices
rule("where(c, x, x) = x", where_(condition, x, x), lambda condition, x: x)
rule("where(true, x, y) = x", where_(1, x, y), lambda x, y: x)
rule("where(false, x, y) = y", where_(0, x, y), lambda x, y: y)
rule(
    "where(not c, x, y) = where(c, y, x)",
    where_(log_not(condition), x, y),
    lambda condition, x, y: where(condition, y, x),
)
rule("-where(c, x, 0) = where(c, -x, 0)", -where_(condition, x, 0), lambda condition, x: where(condition, -x, 0))
rule("-where(c, 0, x) = where(c, 0, -x)", -where_(condition, 0, x), lambda condition, x: where(condition, 0, -x))
rule("where(c, where(c, x, y), z) = where(c, x, z)", where_(condition, where_(condition, x, y), wild("z")),
     lambda condition, x, y, z: where(condition, x, z))  # fmt: skip
rule("not not x = x", log_not(log_not(x)), lambda x: x)
rule("maximum(x, x) = x", fn("maximum")(x, x), lambda x: x)
rule("minimum(x, x) = x", fn("minimum")(x, x), lambda x: x)


def _scalar(v) -> bool:
    return v.value.size == 1 and v.ndim == 0


@CANONICALIZE.on("*")
def constant_folding(v):
    """An op of constants is a constant."""
    if not v.type.is_concrete or v.type.size > FOLDED_ELEMENTS:
        return None
    if not all(isinstance(x, Constant) for x in value_inputs(v)):
        return None
    if any(not isinstance(x, Constant) and not x.type.is_concrete for x in v.inputs):
        return None
    if v.type.size > 1 and not v.inputs:
        return None
    if v.type.size > 1 and v.op.shape_only:
        return None  # a constant spread over a shape: its readers broadcast
    arrays = [x.value if isinstance(x, Constant) else as_numpy(x.dtype, x.shape) for x in v.inputs]
    return constant(v.op.reference(*arrays), v.dtype)


@CANONICALIZE.on("zeros_like", name="zeros_like(x) = 0 spread over the shape of x")
def _zeros_like(v):
    zero = constant(0, v.dtype)
    return zero if v.ndim == 0 else broadcast_like(zero, v.inputs[0])


@CANONICALIZE.on("stop_gradient")
def stop_gradient(v):
    """After differentiation it is the identity."""
    return v.inputs[0]


@CANONICALIZE.on("cast", name="cast of cast")
def _cast_of_cast(v):
    (x,) = v.inputs
    if x.op is None or x.op.name != "cast" or not np.can_cast(x.inputs[0].dtype, x.dtype, "safe"):
        return None
    return cast(x.inputs[0], v.dtype)


@CANONICALIZE.on("transpose", name="transpose of transpose")
def cancel_transposes(v):
    (x,) = v.inputs
    if v.op.axes == tuple(range(v.ndim)):
        return x
    if x.op is None or x.op.name != "transpose":
        return None
    return transpose(x.inputs[0], tuple(x.op.axes[k] for k in v.op.axes))


@CANONICALIZE.on("reshape", "reshape_like", name="reshape of reshape")
def _reshape_of_reshape(v):
    x = v.inputs[0]
    if v.type == x.type and x.type.shape.count(None) <= 1:
        return x
    if x.op is not None and x.op.pattern == "alias":
        below = x.inputs[0]
        if below.type == v.type and v.type.shape.count(None) <= 1:
            return below
        # the outer shape may count what it leaves open from the whole, which the inner reshape did not change
        if v.op.name == "reshape_like" or v.type.is_concrete:
            return apply(v.op, below, *v.inputs[1:])
    return None


@CANONICALIZE.on("reshape", name="a reshape that adds or drops axes of size 1 is expand_dims or squeeze")
def _reshape_of_ones(v):
    """Those are views, which fuse; a reshape needs its operand in memory."""
    (x,) = v.inputs
    if not v.type.is_concrete or not x.type.is_concrete:
        return None
    if v.ndim > x.ndim:
        added = _ones_between(x.shape, v.shape)
        return None if added is None else expand_dims(x, added)
    dropped = _ones_between(v.shape, x.shape)
    return squeeze(x, dropped) if dropped else None


def _ones_between(short, long):
    """The positions of axes of size 1 in `long` without which it is `short`; ``None`` if it is not so simple."""
    found, k = [], 0
    for position, d in enumerate(long):
        if k < len(short) and d == short[k]:
            k += 1
        elif d == 1:
            found.append(position)
        else:
            return None
    return tuple(found) if k == len(short) else None


@CANONICALIZE.on("squeeze", name="squeeze of a reduction that kept its axes")
def _squeeze_of_reduction(v):
    (x,) = v.inputs
    if x.op is None or not isinstance(x.op, Reduce) or not x.op.keepdims or x.op.axes != v.op.axes:
        return None
    return apply(Reduce(x.op.kind, x.op.axes), x.inputs[0])


@CANONICALIZE.on("squeeze", name="squeeze of expand_dims")
def _squeeze_of_expand(v):
    (x,) = v.inputs
    return x.inputs[0] if x.op is not None and x.op.name == "expand_dims" and x.op.axes == v.op.axes else None


@CANONICALIZE.on("expand_dims", name="expand_dims of squeeze")
def _expand_of_squeeze(v):
    (x,) = v.inputs
    return x.inputs[0] if x.op is not None and x.op.name == "squeeze" and x.op.axes == v.op.axes else None


@CANONICALIZE.on("broadcast_like", "broadcast_to", name="broadcast to the same shape")
def _same_shape(v):
    return v.inputs[0] if v.inputs[0].shape == v.shape and v.type.is_concrete else None


@CANONICALIZE.on("sum", "prod", "max", "min", "any", "all", name="reduce over nothing")
def _reduce_nothing(v):
    (x,) = v.inputs
    if isinstance(v.op, Reduce) and not v.op.axes and x.dtype == v.dtype:
        return x
    return None


@CANONICALIZE.on("*", name="an elementwise op broadcasts by itself")
def _implicit_broadcast(v):
    """A broadcast operand is replaced by what it spreads, if the other operands give the shape."""
    if not isinstance(v.op, Elementwise) or v.ndim == 0:
        return None
    for k, x in enumerate(v.inputs):
        if x.op is None or not isinstance(x.op, (BroadcastLike, BroadcastTo)):
            continue
        source = x.inputs[0]
        if not _fits(source, v) or any(
            source.shape[s - x.ndim] is None for s in x.op.stretch if s >= x.ndim - source.ndim
        ):
            continue
        others = [y for j, y in enumerate(v.inputs) if j != k]
        if not others:  # a function of what was spread, then spread
            return apply(x.op, apply(v.op, source), *x.inputs[1:])
        # only operands that are no broadcasts themselves are sure to bring the sizes
        if broadcast_shapes(*(y.shape for y in others)) == v.shape:
            return apply(v.op, *(source if j == k else y for j, y in enumerate(v.inputs)))
    return None


@CANONICALIZE.on("*", name="an elementwise op reads a scalar without its repetitions")
def _scalar_operand(v):
    if not isinstance(v.op, Elementwise) or len(v.inputs) < 2 or v.ndim == 0:
        return None
    for k, x in enumerate(v.inputs):
        source = x
        while source.op is not None and source.op.pattern in ("view", "alias") and source.ndim > 0:
            source = source.inputs[0]
        if source is x or source.ndim != 0:
            continue
        others = [y for j, y in enumerate(v.inputs) if j != k]
        if broadcast_shapes(*(y.shape for y in others)) == v.shape:
            return apply(v.op, *(source if j == k else y for j, y in enumerate(v.inputs)))
    return None


def _fits(source, v) -> bool:
    """An unknown size is not stretched by an elementwise op, so the source must not have one that its place changes."""
    return all(a is not None or b is None for a, b in zip(source.shape[::-1], v.shape[::-1], strict=False))


@CANONICALIZE.on("sum", name="the sum of a broadcast is a multiple")
def _sum_of_broadcast(v):
    (x,) = v.inputs
    if x.op is None or not isinstance(x.op, BroadcastTo) or x.inputs[0].ndim != 0 or not v.type.is_float:
        return None
    count = 1
    for k in v.op.axes:
        count *= x.shape[k]
    total = x.inputs[0] * constant(count, v.dtype)
    return total if v.ndim == 0 else None
