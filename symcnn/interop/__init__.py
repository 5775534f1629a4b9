"""Networks from elsewhere, and for elsewhere: ONNX models, weights of other libraries."""

from symcnn.interop import onnx

__all__ = ["onnx"]
