"""Softmax and its relatives: along one axis, or before opset 13 over all from `axis` on together."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.interop.onnx.registry import operator
from symcnn.ir.types import normalize_axis


@operator("Softmax")
def softmax(node, x):
    return sc.softmax(x, _axes(node, x))


@operator("LogSoftmax")
def log_softmax(node, x):
    return sc.log_softmax(x, _axes(node, x))


@operator("Hardmax")
def hardmax(node, x):
    """1 at the largest, the first of several, 0 elsewhere."""
    axes = _axes(node, x)
    places = sc.position_like(x, axes)
    largest = sc.equal(x, sc.max(x, axes, keepdims=True))
    first = sc.min(sc.where(largest, places, np.iinfo(np.int64).max), axes, keepdims=True)
    return sc.equal(places, first).astype(x.dtype)


def _axes(node, x) -> tuple[int, ...]:
    if node.opset >= 13:
        return (normalize_axis(node.get("axis", -1), x.ndim),)
    axis = node.get("axis", 1)
    return tuple(range(axis if axis == x.ndim else normalize_axis(axis, x.ndim), x.ndim))
