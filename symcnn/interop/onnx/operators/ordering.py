"""Positions of extremes: ArgMax, ArgMin and the largest or smallest few."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.operators.operands import axis_of, integer
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import shape_of


@operator("ArgMax")
def argmax(node, x):
    return _position(sc.argmax, node, x)


@operator("ArgMin")
def argmin(node, x):
    return _position(sc.argmin, node, x)


def _position(function, node, x):
    axis, keepdims = axis_of(node.get("axis", 0), x.ndim), bool(node.get("keepdims", 1))
    if not node.get("select_last_index", 0):
        return function(x, axis, keepdims)
    return int(shape_of(x)[axis]) - 1 - function(sc.flip(x, axis), axis, keepdims)


@operator("TopK", numbers=(1,))
def top_k(node, x, k=None):
    """By ranks: how many elements of its row come before each one; ties go to the first.

    The work grows with the square of the size of the axis.
    """
    k = node.get("k") if k is None else integer(k)
    axis, size = axis_of(node.get("axis", -1), x.ndim), int(shape_of(x)[node.get("axis", -1)])
    if k is None or not 0 <= k <= size:
        raise InputError("TopK: k is out of range", expected=f"0 <= k <= {size}", found=k)
    rows = sc.moveaxis(x, axis, -1)
    position = np.arange(size)
    here, there = sc.expand_dims(rows, -1), sc.expand_dims(rows, -2)  # element i against each element j of its row
    before = there > here if node.get("largest", 1) else there < here
    earlier = sc.logical_and(sc.equal(there, here), position < position[:, None])
    rank = sc.sum(sc.logical_or(before, earlier), -1)
    chosen = sc.equal(sc.expand_dims(rank, -1), np.arange(k))  # element i is the r-th
    values = sc.sum(sc.where(chosen, here, sc.zeros_like(here)), -2)
    indices = sc.sum(sc.where(chosen, position[:, None], 0), -2)
    return sc.moveaxis(sc.astype(values, x.dtype), -1, axis), sc.moveaxis(indices, -1, axis)
