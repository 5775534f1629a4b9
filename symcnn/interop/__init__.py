"""Networks from elsewhere, and for elsewhere: ONNX models, weights of other libraries."""

from symcnn.interop import onnx
from symcnn.interop.weights import load_weights, save_weights

__all__ = ["load_weights", "onnx", "save_weights"]
