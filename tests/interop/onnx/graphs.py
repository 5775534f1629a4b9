"""Small ONNX models for tests."""

import numpy as np
import pytest

pytest.importorskip("onnx")
import onnx
from onnx import helper

from symcnn.interop.onnx import load

CURRENT = 21  # an opset that every operator here has its present form in


def value(name: str, array_or_dtype, shape=None):
    """An input or output like an array, or of a dtype and any shape."""
    array = None if isinstance(array_or_dtype, (str, np.dtype, type)) else np.asarray(array_or_dtype)
    dtype = np.dtype(array_or_dtype) if array is None else array.dtype
    shape = shape if array is None or shape is not None else array.shape
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), shape)


def graph(nodes, inputs, outputs, tensors=(), opset=CURRENT) -> onnx.ModelProto:
    """A model; `inputs` and `outputs` by `value`, `tensors` a mapping of initialisers."""
    initialisers = [onnx.numpy_helper.from_array(np.asarray(t), name) for name, t in dict(tensors).items()]
    made = helper.make_graph(nodes, "test", inputs, outputs, initialisers)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def apply(op: str, *arrays, opset=CURRENT, count=1, known=(), device="reference", **attributes):
    """What one node makes of arrays; those at positions in `known` are initialisers, ``None`` is left out."""
    names = ["" if a is None else f"x{k}" for k, a in enumerate(arrays)]
    node = helper.make_node(op, names, [f"y{k}" for k in range(count)], **attributes)
    given = {name: np.asarray(a) for name, a in zip(names, arrays, strict=True) if name}
    tensors = {names[k]: given[names[k]] for k in known}
    inputs = {name: a for name, a in given.items() if name not in tensors}
    # The dtypes of outputs are not read.
    outputs = [value(f"y{k}", "float32") for k in range(count)]
    model = graph([node], [value(n, a) for n, a in inputs.items()], outputs, tensors, opset)
    found = load(model, device=device)(*inputs.values())
    return found[0] if count == 1 else found
