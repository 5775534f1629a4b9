"""The operators of ONNX, by family."""

from symcnn.interop.onnx.operators import (
    batch_normalization,
    convolution,
    elementwise,
    normalization,
    pooling,
    products,
    resize,
    softmax,
    structure,
)
from symcnn.interop.onnx.registry import OPERATORS

__all__ = [
    "OPERATORS",
    "batch_normalization",
    "convolution",
    "elementwise",
    "normalization",
    "pooling",
    "products",
    "resize",
    "softmax",
    "structure",
]
