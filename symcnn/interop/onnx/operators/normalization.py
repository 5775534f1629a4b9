"""Normalisations by a sample's own statistics."""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.registry import operator
from symcnn.ir.types import normalize_axis

MOST_CHANNELS = 2**12  # of a window of LRN; a file of a few bytes could ask for any number of them


@operator("InstanceNormalization")
def instance_normalization(node, x, gamma, beta):
    return sc.instance_norm(x, gamma, beta, node.get("epsilon", 1e-5))


@operator("GroupNormalization")
def group_normalization(node, x, gamma, beta):
    """Before opset 21 there was one scale and shift for each group, now for each channel."""
    groups = node.get("num_groups")
    standard = sc.group_norm(_single(node, x), groups, epsilon=node.get("epsilon", 1e-5)).astype(x.dtype)
    if node.opset < 21:
        grouped = sc.reshape(standard, (None, groups, -1))
        return sc.reshape_like(grouped * sc.reshape(gamma, (1, -1, 1)) + sc.reshape(beta, (1, -1, 1)), x)
    per_channel = (1, -1, *(1,) * (x.ndim - 2))
    return standard * sc.reshape(gamma, per_channel) + sc.reshape(beta, per_channel)


@operator("LayerNormalization")
def layer_normalization(node, x, gamma, beta=None):
    """Also returns mean and 1 / standard deviation."""
    axis, epsilon, wide = node.get("axis", -1), node.get("epsilon", 1e-5), _single(node, x)
    y = sc.layer_norm(wide, axis=axis, epsilon=epsilon).astype(x.dtype) * gamma
    axes = _from(axis, x)
    deviation = 1 / sc.sqrt(sc.var(wide, axes, keepdims=True) + epsilon)
    return y if beta is None else y + beta, sc.mean(wide, axes, keepdims=True), deviation


@operator("RMSNormalization")
def rms_normalization(node, x, gamma):
    wide = _single(node, x)
    mean_square = sc.mean(sc.square(wide), _from(node.get("axis", -1), x), keepdims=True)
    return (wide / sc.sqrt(mean_square + node.get("epsilon", 1e-5))).astype(x.dtype) * gamma


@operator("LRN")
def lrn(node, x):
    size = node.get("size")
    if size is not None and size > MOST_CHANNELS:
        raise InputError("the window is too large", expected=f"at most {MOST_CHANNELS:,} channels", found=size)
    return sc.lrn(x, size, node.get("alpha", 1e-4), node.get("beta", 0.75), node.get("bias", 1.0))


@operator("LpNormalization")
def lp_normalization(node, x):
    """Vectors along an axis divided by their length; one of length 0 stays."""
    axis = normalize_axis(node.get("axis", -1), x.ndim)
    length = sc.norm(x, node.get("p", 2), axis, keepdims=True)
    return x / sc.where(sc.equal(length, 0), 1, length)


@operator("MeanVarianceNormalization")
def mean_variance_normalization(node, x):
    axes = tuple(node.get("axes", (0, 2, 3)))
    return (x - sc.mean(x, axes, keepdims=True)) / (sc.std(x, axes, keepdims=True) + 1e-9)


def _from(axis: int, x) -> tuple[int, ...]:
    return tuple(range(normalize_axis(axis, x.ndim), x.ndim))


def _single(node, x):
    """`x` in the precision of the statistics, which is float32 for half precision unless the node says otherwise."""
    return x.astype("float32") if x.dtype == "float16" and node.get("stash_type", 1) == 1 else x
