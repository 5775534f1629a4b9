"""The operators of ONNX, by family; importing this package registers them."""

from symcnn.interop.onnx.operators import (  # noqa: F401  (importing registers the operators)
    activation,
    batch_normalization,
    bits,
    conversion,
    convolution,
    dropout,
    einsum,
    elementwise,
    filling,
    indexing,
    joining,
    logic,
    normalization,
    ordering,
    pooling,
    products,
    reduction,
    resize,
    scattering,
    softmax,
    structure,
)
from symcnn.interop.onnx.registry import OPERATORS

__all__ = ["OPERATORS"]
