"""Tensors that come from no data: constants, ranges, and the shapes of others."""

from __future__ import annotations

import math

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.operators.conversion import dtype_of
from symcnn.interop.onnx.operators.operands import countable, integer, integers
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import like_of, shape_of

FORMS = {"value_float": "float32", "value_floats": "float32", "value_int": "int64", "value_ints": "int64"}


@operator("Constant")
def constant(node):
    for name, dtype in FORMS.items():
        if name in node.attributes:
            return np.array(node.attributes[name], dtype)
    value = node.get("value")
    if not isinstance(value, np.ndarray):
        raise InputError("Constant: this form of a value is not supported", found=", ".join(node.attributes))
    return value


@operator("ConstantOfShape", sizes=(0,))
def constant_of_shape(node, sizes):
    value = node.get("value", np.zeros(1, "float32"))
    number, like = value.reshape(-1)[0].item(), like_of(sizes)
    return sc.full(integers(sizes), number, value.dtype) if like is None else sc.full_like(like, number, value.dtype)


@operator("Shape", structural=True)
def shape(node, x):
    return shape_of(x)[node.get("start", 0) : node.get("end")]


@operator("Size", structural=True)
def size(node, x):
    return np.array(math.prod(integers(shape_of(x))), "int64")


@operator("Range", numbers=(0, 1, 2))
def range_(node, start, limit, delta):
    first, last, step = (v.reshape(-1)[0].item() for v in (start, limit, delta))
    if step == 0 or not math.isfinite(count := (last - first) / step):
        raise InputError("Range: these are no numbers to count by", found=f"{first}, {last}, {step}")
    return (np.arange(max(math.ceil(countable(count, "Range")), 0)) * step + first).astype(start.dtype)


@operator("EyeLike")
def eye_like(node, x):
    """Only the shape of `x` counts, and its dtype unless there is another."""
    rows, columns = integers(shape_of(x))
    dtype = dtype_of(node.get("dtype")) if "dtype" in node.attributes else x.dtype
    return sc.eye(rows, columns, node.get("k", 0), dtype)


@operator("Trilu", numbers=(1,))
def triangle(node, x, k=None):
    return (sc.triu if node.get("upper", 1) else sc.tril)(x, 0 if k is None else integer(k))
