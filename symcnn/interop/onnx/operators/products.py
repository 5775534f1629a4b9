"""Products of matrices."""

from __future__ import annotations

import symcnn as sc
from symcnn.interop.onnx.registry import operator


@operator("MatMul")
def matmul(node, a, b):
    return sc.matmul(a, b)


@operator("Gemm")
def gemm(node, a, b, c=None):
    """``alpha a b + beta c``, a and b transposed first if asked for; `c` broadcasts, before opset 7 if `broadcast` is set."""
    a = sc.transpose(a) if node.get("transA", 0) else a
    b = sc.transpose(b) if node.get("transB", 0) else b
    y = _scaled(sc.matmul(a, b), node.get("alpha", 1.0))
    return y if c is None else y + _scaled(c, node.get("beta", 1.0))


def _scaled(x, factor: float):
    """`factor` times `x`, of the dtype of `x`."""
    return x if factor == 1 else (x * factor).astype(x.dtype)
