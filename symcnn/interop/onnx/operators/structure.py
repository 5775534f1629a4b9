"""Operators that move elements around, and those that ask for shapes."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import shape_of, sizes_for


@operator("Identity", structural=True)
def identity(node, x):
    return x


@operator("Shape", structural=True)
def shape(node, x):
    sizes = shape_of(x)
    start, end = node.get("start", 0), node.get("end")
    return sizes[slice(start, end)]


@operator("Constant")
def constant(node):
    for name, dtype in (
        ("value_float", "float32"),
        ("value_floats", "float32"),
        ("value_int", "int64"),
        ("value_ints", "int64"),
    ):
        if name in node.attributes:
            return np.array(node.attributes[name], dtype)
    return node.attributes["value"]


@operator("Reshape", sizes=(1,))
def reshape(node, x, sizes=None):
    """Sizes are an input since opset 5; 0 keeps a size unless `allowzero` is set."""
    wanted = list(node.get("shape", ()) if sizes is None else sizes)
    if not node.get("allowzero", 0):
        wanted = [shape_of(x)[k] if isinstance(n, (int, np.integer)) and n == 0 else n for k, n in enumerate(wanted)]
    return sc.reshape(x, sizes_for(x, wanted, "Reshape"))
