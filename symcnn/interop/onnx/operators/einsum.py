"""Sums of products in Einstein's notation."""

from __future__ import annotations

import symcnn as sc
from symcnn.interop.onnx.registry import operator


@operator("Einsum")
def einsum(node, *xs):
    return sc.einsum(node.get("equation").replace(" ", ""), *xs)
