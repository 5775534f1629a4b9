"""Normalisations: one operator each, where the graph is what the function of that name makes."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.interop.onnx.export.registry import Form, composition, form, makes
from symcnn.ir.variable import Constant, Variable
from symcnn.ops.lrn import ChannelWindowSum
from symcnn.ops.shape import Reshape, ReshapeLike
from symcnn.ops.standardize import Standardize
from symcnn.rewrite.pattern import const, fn, match, wild

x, mean, variance, gamma, beta, energy = (wild(name) for name in ("x", "mean", "variance", "gamma", "beta", "energy"))
epsilon, factor, k, power = (const(name) for name in ("epsilon", "factor", "k", "power"))
BATCH_NORM = (x - mean) * (gamma / fn("sqrt")(variance + epsilon)) + beta
AFFINE = x * gamma + beta
LRN = x / fn("power")(k + factor * energy, power)


@composition("add")
def batch_norm(v):
    found = match(BATCH_NORM, v)
    if found is None or found["x"].ndim < 2:
        return None
    x, number = found["x"], _number(found["epsilon"])
    vectors = [_vector(found[name]) for name in ("gamma", "beta", "mean", "variance")]
    if number is None or any(p.ndim > 1 for p in vectors) or not makes(v, sc.batch_norm, x, *vectors, epsilon=number):
        return None
    return _per_channel(v, "BatchNormalization", x, vectors, epsilon=number)


@composition("add", "standardize", "reshape", "reshape_like")
def by_own_statistics(v):
    """Layer, group and instance norm, with or without gamma and beta."""
    standard, gamma, beta = v, None, None
    if (found := match(AFFINE, v)) is not None:
        standard, gamma, beta = found["x"], found["gamma"], found["beta"]
    inner = standard.inputs[0] if isinstance(standard.op, (Reshape, ReshapeLike)) else standard
    if not isinstance(inner.op, Standardize):
        return None
    op, (x, *affine) = inner.op, inner.inputs
    if affine:
        return None
    if inner is not standard:
        return _group_norm(v, x, op, gamma, beta)
    if op.axes == tuple(range(2, x.ndim)) and x.ndim > 2:
        vectors = [p if p is None else _vector(p) for p in (gamma, beta)]
        if makes(v, sc.instance_norm, x, *vectors, epsilon=op.epsilon):
            return _per_channel(v, "InstanceNormalization", x, vectors, epsilon=op.epsilon)
    return _layer_norm(v, x, op, gamma, beta)


def _group_norm(v, grouped, op, gamma, beta):
    if not isinstance(grouped.op, Reshape) or len(grouped.op.newshape) != 3:
        return None
    (x,), groups = grouped.inputs, grouped.op.newshape[1]
    vectors = [p if p is None else _vector(p) for p in (gamma, beta)]
    if not groups or x.ndim < 3 or not makes(v, sc.group_norm, x, groups, *vectors, epsilon=op.epsilon):
        return None
    return _per_channel(v, "GroupNormalization", x, vectors, epsilon=op.epsilon, num_groups=groups)


def _layer_norm(v, x, op, gamma, beta):
    """Only with gamma and beta of the normalised shape, which runtimes expect."""
    axis, shape = x.ndim - len(op.axes), x.shape[x.ndim - len(op.axes) :]
    if gamma is None or not op.axes or None in shape or {gamma.shape, beta.shape} != {shape}:
        return None
    if not makes(v, sc.layer_norm, x, gamma, beta, axis=axis, epsilon=op.epsilon):
        return None
    attributes = {"axis": axis, "epsilon": op.epsilon}
    return Form((x, gamma, beta), lambda writer, *names: writer("LayerNormalization", *names, **attributes))


def _per_channel(v, operator, x, vectors, **attributes):
    """A form of an operator that takes a vector per channel; numbers are repeated, gamma and beta may be missing."""
    given = [p for p in vectors if p is not None and p.ndim]
    channels = next((p.shape[0] for p in given), x.shape[1])
    if channels is None or x.dtype != v.dtype or any(p.shape != (channels,) or p.dtype != x.dtype for p in given):
        return None
    if any(p is not None and not p.ndim and not isinstance(p, Constant) for p in vectors):
        return None

    def write(writer, x_name, *names):
        rest = iter(names)
        filled = []
        for missing, p in zip((1, 0, 0, 1), vectors, strict=False):
            if p is not None and p.ndim:
                filled.append(next(rest))
            else:
                filled.append(writer.constant(np.full(channels, missing if p is None else p.value), x.dtype))
        return writer(operator, x_name, *filled, **attributes)

    return Form((x, *given), write)


@form(Standardize)
def standardize(writer, variable, x, *affine):
    op, (operand, *_) = variable.op, variable.inputs
    axes, dtype = writer.constant(np.array(op.axes, np.int64)), operand.dtype
    options = {"noop_with_empty_axes": 1}
    deviation = writer("Sub", x, writer("ReduceMean", x, axes, **options))
    variance = writer("ReduceMean", writer("Mul", deviation, deviation), axes, **options)
    scale = writer("Sqrt", writer("Add", variance, writer.constant(op.epsilon, dtype)))
    standard = writer("Div", deviation, scale)
    return writer("Add", writer("Mul", standard, affine[0]), affine[1]) if affine else standard


@composition("divide")
def lrn(v):
    """For as many channels on either side: onnxruntime takes no other size."""
    found = match(LRN, v)
    if found is None or not isinstance(found["energy"].op, ChannelWindowSum):
        return None
    x, c, k, beta = found["x"], *(_number(found[name]) for name in ("factor", "k", "power"))
    if c is None or k is None or beta is None:
        return None
    op = found["energy"].op
    size = op.before + 1 + op.after
    if op.before != op.after or not makes(v, sc.lrn, x, size, c * size, beta, k):
        return None
    attributes = {"size": size, "alpha": c * size, "beta": beta, "bias": k}
    return Form((x,), lambda writer, x: writer("LRN", x, **attributes))


@form(ChannelWindowSum)
def channel_window_sum(writer, variable, x):
    """Zeros around the channels, and a sum of shifted copies."""
    op, ndim = variable.op, variable.ndim
    pads = [0, op.before, *[0] * (ndim - 2), 0, op.after, *[0] * (ndim - 2)]
    padded = writer("Pad", x, writer.constant(pads), writer.constant(0, variable.dtype))
    channels = writer.size(variable.inputs[0], x, 1)
    axis = writer.constant([1])
    copies = []
    for start in range(op.before + 1 + op.after):
        first = writer.constant([start])
        copies.append(writer("Slice", padded, first, writer("Add", first, channels), axis))
    return writer("Sum", *copies)


def _vector(v: Variable) -> Variable:
    """What was given for every channel, before it got axes of size 1."""
    return v.inputs[0] if isinstance(v.op, Reshape) and v.inputs[0].ndim == 1 else v


def _number(v) -> float | None:
    return float(v.value) if isinstance(v, Constant) and v.ndim == 0 else None
