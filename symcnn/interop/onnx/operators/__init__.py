"""The operators of ONNX, by family."""

from symcnn.interop.onnx.operators import elementwise, structure
from symcnn.interop.onnx.registry import OPERATORS

__all__ = ["OPERATORS", "elementwise", "structure"]
