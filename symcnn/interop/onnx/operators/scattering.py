"""Writing at positions: each element of the result asks which update, if any, is its own."""

from __future__ import annotations

from math import prod

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.operators.indexing import element_positions, part_positions
from symcnn.interop.onnx.operators.operands import axis_of, integers
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import shape_of
from symcnn.ir.graph import evaluate, leaves
from symcnn.ir.variable import Constant


@operator("Scatter", "ScatterElements")
def scatter_elements(node, x, indices, updates):
    position = sc.flatten(element_positions(x, indices, axis_of(node.get("axis", 0), x.ndim)))
    found = _scattered(node, sc.reshape(x, (-1, 1)), position, sc.reshape(updates, (-1, 1)))
    return sc.reshape(found, integers(shape_of(x)))


@operator("ScatterND")
def scatter_nd(node, x, indices, updates):
    shape = integers(shape_of(x))
    count = integers(shape_of(indices))[-1]
    if count > x.ndim:
        raise InputError("ScatterND: the indices do not fit", expected=f"at most {x.ndim} axes", found=repr(indices))
    size = prod(shape[count:])
    rows = sc.reshape(x, (prod(shape[:count]), size))
    position = sc.flatten(part_positions(indices, shape[:count]))
    return sc.reshape(_scattered(node, rows, position, sc.reshape(updates, (-1, size))), shape)


def _scattered(node, rows, position, updates):
    """`rows` (n, s) with `updates` (m, s) written at `position` (m,). Unless positions are constants the work grows with n m."""
    reduction = node.get("reduction", "none")
    if position.shape[0] == 0:
        return rows
    if reduction == "none":
        last = _last_writers(position, rows.shape[0])
        return sc.where(sc.expand_dims(last >= 0, 1), sc.take(updates, sc.maximum(last, 0), 0), rows)
    if reduction not in REDUCTIONS:
        raise InputError("the reduction is not known", expected=", ".join(REDUCTIONS), found=reduction)
    combine, fold, neutral = REDUCTIONS[reduction]
    mine = sc.expand_dims(_writers(position, rows.shape[0]), 2)
    # To an extreme, what is not mine contributes the element itself, which changes nothing.
    others = sc.expand_dims(rows, 1) if neutral is None else sc.full_like(updates, neutral)
    return sc.astype(combine(rows, fold(sc.where(mine, updates, others), 1)), rows.dtype)


def _writers(position, count):
    """Whether update j is written to row i: (count, m)."""
    return sc.equal(position, np.arange(count)[:, None])


def _last_writers(position, count):
    """For each row the last update that is written to it, or -1."""
    updates = np.arange(position.shape[0])
    if all(isinstance(v, Constant) for v in leaves([position])):
        last = np.full(count, -1)
        last[evaluate([position], {})[0]] = updates
        return sc.constant(last)
    return sc.max(sc.where(_writers(position, count), updates, -1), 1)


REDUCTIONS = {
    "add": (sc.add, sc.sum, 0),
    "mul": (sc.multiply, sc.prod, 1),
    "max": (sc.maximum, sc.max, None),
    "min": (sc.minimum, sc.min, None),
}
