"""ONNX models in and out, with the package onnx (extra ``onnx``)."""

from symcnn.interop.onnx.export.save import save
from symcnn.interop.onnx.model import OnnxModel, load
from symcnn.interop.onnx.operators import OPERATORS

__all__ = ["OPERATORS", "OnnxModel", "load", "save"]
