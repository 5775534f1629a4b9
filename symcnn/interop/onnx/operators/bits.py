"""Operators on the bits of integers, which symcnn has no ops for: all of them by arithmetic."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.interop.onnx.registry import operator


@operator("BitShift")
def bit_shift(node, x, count):
    """By multiplication or division; shifts by the whole width or more leave nothing but the sign."""
    weights = _weights(x.dtype)
    within = sc.logical_and(count >= 0, count < len(weights))
    factor = sc.take(weights, sc.where(within, count, 0))
    if node.get("direction") == "LEFT":
        return sc.where(within, x * factor, sc.zeros_like(x))
    sign = -sc.astype(x < 0, x.dtype) if x.dtype.kind == "i" else sc.zeros_like(x)
    return sc.where(sc.logical_and(within, factor > 0), sc.floor_divide(x, sc.maximum(factor, 1)), sign)


@operator("BitwiseNot")
def bitwise_not(node, x):
    return -1 - x if x.dtype.kind == "i" else np.iinfo(x.dtype).max - x


BITWISE = {"BitwiseAnd": sc.logical_and, "BitwiseOr": sc.logical_or, "BitwiseXor": sc.logical_xor}

for _name, _function in BITWISE.items():
    operator(_name)(lambda node, x, y, function=_function: _joined(function(_split(x), _split(y)), x.dtype))


def _weights(dtype) -> np.ndarray:
    """What each bit is worth; the last one of a signed integer is negative."""
    return np.left_shift(np.ones(1, dtype), np.arange(8 * dtype.itemsize, dtype=dtype))


def _split(x):
    """The bits of integers along a new last axis."""
    weights = _weights(x.dtype)
    x = sc.expand_dims(x, -1)
    odd = sc.remainder(sc.floor_divide(x, np.maximum(weights, 1)), 2) > 0
    return sc.where(weights < 0, x < 0, odd) if x.dtype.kind == "i" else odd


def _joined(bits, dtype):
    return sc.astype(sc.sum(sc.where(bits, _weights(dtype), np.zeros(1, dtype)), -1), dtype)
