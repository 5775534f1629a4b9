"""Expressions that overflow or cancel, in forms that do not.

`grad` applies these before it differentiates, for the derivative of an unstable expression is unstable in ways that no
later rule can see.
"""

from __future__ import annotations

from symcnn.ir.variable import apply
from symcnn.ops.composite import logsumexp, softmax
from symcnn.ops.elementwise import expm1, log, log1p, sigmoid, softplus, where
from symcnn.ops.gather import OneHot
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
def _log_sum_exp(v, opaque):
    (total,) = v.inputs
    terms = _sum_of_exp(total, opaque)
    if terms is None:
        return None
    reduced = total.op if isinstance(total.op, Reduce) else total.inputs[0].op
    return logsumexp(terms.inputs[0], axis=reduced.axes, keepdims=total.ndim == terms.ndim)


@STABILIZE.on("log", name="log(sum(exp(x)) / n) = logsumexp(x) - log(n)")
def _log_mean_exp(v, opaque):
    (mean,) = v.inputs
    if mean in opaque or not _is(mean, "divide") or _sum_of_exp(mean.inputs[0], opaque) is None:
        return None
    return log(mean.inputs[0]) - log(mean.inputs[1])


@STABILIZE.on("log", name="log(sum(one_hot(t) * softmax(x))) = sum(where(one_hot(t), log(softmax(x)), 0))")
def _log_of_chosen(v, opaque):
    (total,) = v.inputs
    if total in opaque or not _is(total, "sum") or total.inputs[0] in opaque or not _is(total.inputs[0], "multiply"):
        return None
    for chosen, y in (total.inputs[0].inputs, total.inputs[0].inputs[::-1]):
        if (
            isinstance(chosen.op, OneHot)
            and (chosen.op.axis,) == total.op.axes
            and y not in opaque
            and _is(y, "divide")
            and _is(y.inputs[0], "exp")
        ):
            return apply(total.op, where(chosen > 0, log(y), 0))
    return None


@STABILIZE.on("divide", name="exp(x) / sum(exp(x)) = softmax(x)")
def _softmax(v, opaque):
    top, total = v.inputs
    if top is not _sum_of_exp(total, opaque) or total.ndim != top.ndim:
        return None
    reduced = total.op if isinstance(total.op, Reduce) else total.inputs[0].op
    return softmax(top.inputs[0], reduced.axes)


@STABILIZE.on("subtract", name="x - (y + max(x)) = (x - max(x)) - y")
def _shift_first(v, opaque):
    """A logsumexp of large numbers is as coarse as they are; what remains after the shift is not."""
    x, total = v.inputs
    if total in opaque or not _is(total, "add"):
        return None
    for y, shift in (total.inputs, total.inputs[::-1]):
        if _is_maximum(shift, x):
            return (x - shift) - y
    return None


def _is(v, name) -> bool:
    return v.op is not None and v.op.name == name


def _sum_of_exp(v, opaque):
    """The exponentials of which `v` is the sum, if they may overflow; reduced axes kept, dropped, or put back."""
    if (
        v not in opaque
        and _is(v, "expand_dims")
        and isinstance(v.inputs[0].op, Reduce)
        and v.inputs[0].op.axes == v.op.axes
    ):
        v = v.inputs[0]
    if v in opaque or not _is(v, "sum"):
        return None
    (terms,) = v.inputs
    if 0 in (terms.shape[axis] for axis in v.op.axes):  # a sum of nothing is 0, a maximum of nothing is nothing
        return None
    return terms if terms not in opaque and _is(terms, "exp") and not _is_shifted(terms.inputs[0], v.op.axes) else None


def _is_shifted(v, axes) -> bool:
    """Whether `v` is x - max(x) over `axes`, so that its exponentials cannot overflow."""
    return _is(v, "subtract") and _is_maximum(v.inputs[1], v.inputs[0], axes)


def _is_maximum(v, x, axes=None) -> bool:
    """Whether `v` is max(x), over `axes` if given."""
    while _is(v, "stop_gradient") or _is(v, "where"):  # where: infinities are not shifted
        v = v.inputs[1 if _is(v, "where") else 0]
    return _is(v, "max") and v.inputs[0] is x and axes in (None, v.op.axes)
