"""Matrix products, and dense layers."""

from __future__ import annotations

from symcnn.interop.onnx.export.registry import Form, composition, form
from symcnn.ops.linalg import MatMul


@form(MatMul)
def matmul(writer, variable, a, b):
    dtype = variable.dtype
    taken = dtype if dtype.kind == "f" or dtype.itemsize >= 4 else "int32"
    left, right = (writer.cast(name, x, taken) for name, x in zip((a, b), variable.inputs, strict=True))
    found = writer("MatMul", left, right)
    return found if taken == dtype else writer.to(found, dtype)


@composition("add")
def dense(v):
    """``x @ w + b`` as one Gemm."""
    for product, bias in (v.inputs, v.inputs[::-1]):
        if isinstance(product.op, MatMul) and product.ndim == 2 and bias.ndim == 1 and v.type.is_float:
            x, w = product.inputs
            if x.dtype == w.dtype == bias.dtype and w.shape[1] == bias.shape[0] is not None:
                return Form((x, w, bias), lambda writer, *names: writer("Gemm", *names), (product,))
    return None
