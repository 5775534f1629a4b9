"""Expressions that overflow or cancel, in forms that do not.

`grad` applies these before it differentiates, for the derivative of an unstable expression is unstable in ways that no
later rule can see.
"""

from __future__ import annotations

from symcnn.ops.composite import logsumexp
from symcnn.ops.elementwise import exp, expm1, log, log1p, sigmoid, softplus
from symcnn.ops.reduce import Reduce
from symcnn.rewrite.engine import Rules
from symcnn.rewrite.pattern import fn, wild

STABILIZE = Rules()
rule = STABILIZE
x, y, z = wild("x"), wild("y"), wild("z")
exp_, log_, log1p_, sigmoid_, reciprocal_ = map(fn, ("exp", "log", "log1p", "sigmoid", "reciprocal"))

rule("1 / (1 + exp(-x)) = sigmoid(x)", 1 / (1 + exp_(-x)), lambda x: sigmoid(x))
rule("1 / (1 + exp(x)) = sigmoid(-x)", 1 / (1 + exp_(x)), lambda x: sigmoid(-x))
rule("reciprocal(1 + exp(-x)) = sigmoid(x)", reciprocal_(1 + exp_(-x)), lambda x: sigmoid(x))
rule("exp(x) / (1 + exp(x)) = sigmoid(x)", exp_(x) / (1 + exp_(x)), lambda x: sigmoid(x))
rule("1 - sigmoid(x) = sigmoid(-x)", 1 - sigmoid_(x), lambda x: sigmoid(-x))
rule("log(sigmoid(x)) = -softplus(-x)", log_(sigmoid_(x)), lambda x: -softplus(-x))
rule("log(1 + exp(x)) = softplus(x)", log_(1 + exp_(x)), lambda x: softplus(x))
rule("log1p(exp(x)) = softplus(x)", log1p_(exp_(x)), lambda x: softplus(x))
rule("log(1 + x) = log1p(x)", log_(1 + x), lambda x: log1p(x))
rule("log(1 - x) = log1p(-x)", log_(1 - x), lambda x: log1p(-x))
rule("exp(x) - 1 = expm1(x)", exp_(x) - 1, lambda x: expm1(x))
rule("log(exp(x)) = x", log_(exp_(x)), lambda x: x)
rule("log(exp(x) / y) = x - log(y)", log_(exp_(x) / y), lambda x, y: x - log(y))


@STABILIZE.on("log", name="log(sum(exp(x))) = logsumexp(x)")
def _log_sum_exp(v):
    (total,) = v.inputs
    if not _is_sum_of_exp(total):
        return None
    inside = total.inputs[0].inputs[0]
    if _is_shifted(inside, total.op.axes):
        return None  # it is a logsumexp already
    return logsumexp(inside, axis=total.op.axes, keepdims=total.op.keepdims)


@STABILIZE.on("divide", name="exp(x) / sum(exp(x)) = softmax(x)")
def _softmax(v):
    top, total = v.inputs
    if not _is_sum_of_exp(total) or total.inputs[0] is not top or not total.op.keepdims:
        return None
    inside = top.inputs[0]
    if _is_shifted(inside, total.op.axes):
        return None
    return exp(inside - logsumexp(inside, axis=total.op.axes, keepdims=True))


def _is_sum_of_exp(v) -> bool:
    return v.op is not None and isinstance(v.op, Reduce) and v.op.kind == "sum" and v.inputs[0].op is not None and v.inputs[0].op.name == "exp"


def _is_shifted(v, axes) -> bool:
    """Whether `v` is x - max(x) over `axes`, so that its exponentials cannot overflow."""
    if v.op is None or v.op.name != "subtract":
        return False
    top = v.inputs[1]
    while top.op is not None and top.op.name in ("stop_gradient", "where"):  # where: infinities are not shifted
        top = top.inputs[1 if top.op.name == "where" else 0]
    return top.op is not None and isinstance(top.op, Reduce) and top.op.kind == "max" and top.op.axes == axes and top.inputs[0] is v.inputs[0]
