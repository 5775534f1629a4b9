"""Writing at positions: each element of the result asks which update, if any, is its own."""

from __future__ import annotations

from math import prod

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.operators.indexing import flat_positions
from symcnn.interop.onnx.operators.operands import axis_of, integers
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import shape_of


@operator("Scatter", "ScatterElements")
def scatter_elements(node, x, indices, updates):
    axis, shape, places = axis_of(node.get("axis", 0), x.ndim), integers(shape_of(x)), integers(shape_of(indices))
    indices = sc.where(indices < 0, indices + shape[axis], indices)
    position = np.int64(0)
    for k, n in enumerate(places):
        along = indices if k == axis else np.arange(n).reshape(-1, *[1] * (x.ndim - 1 - k))
        position = position + along * prod(shape[k + 1 :])
    rows = sc.reshape(x, (-1, 1))
    return sc.reshape(_scattered(node, rows, sc.flatten(position), sc.reshape(updates, (-1, 1))), shape)


@operator("ScatterND")
def scatter_nd(node, x, indices, updates):
    shape = integers(shape_of(x))
    count = integers(shape_of(indices))[-1]
    if count > x.ndim:
        raise InputError("ScatterND: the indices do not fit", expected=f"at most {x.ndim} axes", found=repr(indices))
    size = prod(shape[count:])
    rows = sc.reshape(x, (prod(shape[:count]), size))
    position = sc.flatten(flat_positions(indices, shape[:count]))
    return sc.reshape(_scattered(node, rows, position, sc.reshape(updates, (-1, size))), shape)


def _scattered(node, rows, position, updates):
    """`rows` (n, s) with `updates` (m, s) written at `position` (m,); the work grows with n m s."""
    mine = sc.equal(position, np.arange(rows.shape[0])[:, None])  # (n, m)
    reduction = node.get("reduction", "none")
    if reduction == "none":
        last = sc.max(sc.where(mine, np.arange(position.shape[0]), -1), 1) if position.shape[0] else None
        if last is None:
            return rows
        return sc.where(sc.expand_dims(last >= 0, 1), sc.take(updates, sc.maximum(last, 0), 0), rows)
    if reduction not in REDUCTIONS:
        raise InputError("the reduction is not known", expected=", ".join(REDUCTIONS), found=reduction)
    combine, fold, neutral = REDUCTIONS[reduction]
    if neutral is None:  # an extreme: what is not mine competes as the element itself
        given = sc.where(sc.expand_dims(mine, 2), updates, sc.expand_dims(rows, 1))
    else:
        given = sc.where(sc.expand_dims(mine, 2), updates, sc.full_like(updates, neutral))
    return sc.astype(combine(rows, fold(given, 1)), rows.dtype)


REDUCTIONS = {
    "add": (sc.add, sc.sum, 0),
    "mul": (sc.multiply, sc.prod, 1),
    "max": (sc.maximum, sc.max, None),
    "min": (sc.minimum, sc.min, None),
}
