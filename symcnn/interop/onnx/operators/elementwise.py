"""Operators that work element by element."""

from __future__ import annotations

import symcnn as sc
from symcnn.interop.onnx.registry import operator


@operator("Relu")
def relu(node, x):
    return sc.relu(x)
