"""Dropout, which drops in training only."""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.registry import operator


@operator("Dropout", numbers=(1, 2), needs_training=True)
def dropout(node, x, ratio=None, training_mode=None, training=False):
    """The result and the mask of what was kept; a model may be exported so that it always drops."""
    rate = float(node.get("ratio", 0.5) if ratio is None else ratio.reshape(-1)[0])
    if not 0 <= rate < 1:
        raise InputError("Dropout: the ratio is out of range", expected="0 <= ratio < 1", found=rate)
    dtype = "bool" if node.opset >= 10 else x.dtype
    if rate == 0 or not (training or (training_mode is not None and training_mode.any())):
        return x, sc.ones_like(x, dtype)
    scale = sc.dropout(sc.ones_like(x), rate)
    return x * scale, sc.astype(scale > 0, dtype)
