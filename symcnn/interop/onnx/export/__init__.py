"""Forms of our ops in ONNX, by family."""

from symcnn.interop.onnx.export import (
    activation,
    elementwise,
    images,
    indexing,
    normalization,
    products,
    reduction,
    structure,
)
from symcnn.interop.onnx.export.registry import FORMS

__all__ = [
    "FORMS",
    "activation",
    "elementwise",
    "images",
    "indexing",
    "normalization",
    "products",
    "reduction",
    "structure",
]
