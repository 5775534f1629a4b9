"""Activations that are compositions here and operators in ONNX, and the softmax family."""

from __future__ import annotations

import symcnn as sc
from symcnn.interop.onnx.export.elementwise import is_exact
from symcnn.interop.onnx.export.registry import Form, composition, makes
from symcnn.ir.variable import Constant
from symcnn.ops.reduce import Reduce
from symcnn.rewrite.pattern import const, fn, match, wild

x, slope, low, high = (wild(name) for name in ("x", "slope", "low", "high"))
a, b = const("a"), const("b")
greater, where, maximum, minimum = (fn(name) for name in ("greater", "where", "maximum", "minimum"))
RELU_WITH_SLOPE = where(greater(x, 0), x, slope * x)
ELU = where(greater(x, 0), x, a * fn("expm1")(minimum(x, 0)))
CLIP = minimum(maximum(x, low), high)
HARD_SIGMOID = minimum(maximum(a * x + b, 0), 1)


@composition("where")
def leaky_relu(v):
    """LeakyRelu if the slope is a number, PRelu if it is learnt."""
    found = match(RELU_WITH_SLOPE, v)
    if found is None or not v.type.is_float or found["x"].dtype != v.dtype:
        return None
    x, slope = found["x"], found["slope"]
    number = _number(slope, v)
    if number is not None:
        return Form((x,), lambda writer, x: writer("LeakyRelu", x, alpha=number))
    pairs = zip(slope.shape[::-1], x.shape[::-1], strict=False)
    stretched = slope.ndim > x.ndim or any(n is not None and d not in (1, n) for d, n in pairs)  # which PRelu is not
    if stretched or slope.dtype != x.dtype or isinstance(slope, Constant):
        return None
    return Form((x, slope), lambda writer, x, slope: writer("PRelu", x, slope))


@composition("where")
def elu(v):
    found = match(ELU, v)
    if found is None:
        return None
    x, alpha = found["x"], _number(found["a"], v)
    if alpha is None or not makes(v, sc.elu, x, alpha):
        return None
    return Form((x,), lambda writer, x: writer("Elu", x, alpha=alpha))


@composition("multiply")
def without_numbers(v):
    """Selu and Gelu: compositions whose only argument is `x`."""
    x = _innermost(v)
    if x is None or not x.type.is_float:
        return None
    if makes(v, sc.selu, x) and is_exact(1.0507009873554805, v.dtype):
        return Form((x,), lambda writer, x: writer("Selu", x, alpha=1.6732632423543772, gamma=1.0507009873554805))
    for approximate in ("none", "tanh"):
        if makes(v, sc.gelu, x, approximate):
            return Form((x,), lambda writer, x, how=approximate: writer("Gelu", x, approximate=how))
    return None


def _innermost(v):
    """What ``c * where(.., x, ..)`` or ``c * x * (..)`` is a function of, if `v` looks like one of them."""
    first, second = v.inputs
    if isinstance(first, Constant):
        return second.inputs[1] if second.op is not None and second.op.name == "where" else None
    if first.op is not None and first.op.name == "multiply" and isinstance(first.inputs[0], Constant):
        return first.inputs[1]
    return None


@composition("minimum")
def clip(v):
    """HardSigmoid and Clip."""
    found = match(HARD_SIGMOID, v)
    if found is not None and v.type.is_float and found["x"].dtype == v.dtype:
        alpha, beta = (_number(found[name], v) for name in "ab")
        if None not in (alpha, beta):
            return Form((found["x"],), lambda writer, x: writer("HardSigmoid", x, alpha=alpha, beta=beta))
    found = match(CLIP, v)
    if found is None or any(p.ndim or p.dtype != v.dtype for p in (found["low"], found["high"])):
        return None
    if found["x"].dtype != v.dtype or v.dtype.kind == "b":
        return None
    return Form((found["x"], found["low"], found["high"]), lambda writer, *names: writer("Clip", *names))


@composition("divide")
def softmax(v):
    e, total = v.inputs
    if not (_is(e, "exp") and _is(e.inputs[0], "subtract") and isinstance(total.op, Reduce)):
        return None
    x, axes = e.inputs[0].inputs[0], total.op.axes
    if len(axes) != 1 or not makes(v, sc.softmax, x, axes):
        return None
    return Form((x,), lambda writer, x: writer("Softmax", x, axis=axes[0]))


@composition("subtract")
def log_softmax(v):
    shifted, logarithm = v.inputs
    if not (_is(shifted, "subtract") and _is(logarithm, "log") and isinstance(logarithm.inputs[0].op, Reduce)):
        return None
    x, axes = shifted.inputs[0], logarithm.inputs[0].op.axes
    if len(axes) != 1 or not makes(v, sc.log_softmax, x, axes):
        return None
    return Form((x,), lambda writer, x: writer("LogSoftmax", x, axis=axes[0]))


@composition("add", "squeeze")
def logsumexp(v):
    kept = v.inputs[0] if _is(v, "squeeze") else v
    if not (_is(kept, "add") and _is(kept.inputs[0], "log") and _is(kept.inputs[0].inputs[0], "sum")):
        return None
    total = kept.inputs[0].inputs[0]
    if not (_is(total.inputs[0], "exp") and _is(total.inputs[0].inputs[0], "subtract")):
        return None
    x, axes, keepdims = total.inputs[0].inputs[0].inputs[0], total.op.axes, kept is v
    if not makes(v, sc.logsumexp, x, axes, keepdims):
        return None
    options = {"keepdims": int(keepdims)}
    return Form((x,), lambda writer, x: writer("ReduceLogSumExp", x, writer.constant(axes), **options))


def _is(v, name) -> bool:
    return v.op is not None and v.op.name == name


def _number(v, root) -> float | None:
    """The number that a constant is, if an attribute can hold it as it is."""
    if not isinstance(v, Constant) or v.ndim or v.dtype != root.dtype:
        return None
    return float(v.value) if is_exact(float(v.value), root.dtype) else None
