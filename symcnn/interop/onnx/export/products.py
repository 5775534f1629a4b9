"""Matrix products, and dense layers."""

from __future__ import annotations

from symcnn.interop.onnx.export.registry import Form, composition, form
from symcnn.ops.linalg import MatMul
from symcnn.ops.shape import Transpose


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
        is_bias = bias.ndim == 1 and bias.dtype == v.dtype and bias.shape[0] is not None
        if is_bias and _is_product(product) and product.shape[1] == bias.shape[0]:
            return _gemm(product, bias)
    return None


@composition("matmul")
def turned(v):
    """``x @ w.T`` as one Gemm, as PyTorch keeps the weights of dense layers."""
    return _gemm(v) if _is_product(v) and any(isinstance(x.op, Transpose) for x in v.inputs) else None


def _is_product(v) -> bool:
    """Whether this is a product of two matrices of floats."""
    return isinstance(v.op, MatMul) and v.type.is_float and all(x.ndim == 2 and x.dtype == v.dtype for x in v.inputs)


def _gemm(product, *bias) -> Form:
    """Matrices that are transposed are read as they were before."""
    flags = [isinstance(x.op, Transpose) for x in product.inputs]
    reads = [x.inputs[0] if flag else x for x, flag in zip(product.inputs, flags, strict=True)]
    attributes = {name: 1 for name, flag in zip(("transA", "transB"), flags, strict=True) if flag}
    return Form(
        (*reads, *bias), lambda writer, *names: writer("Gemm", *names, **attributes), (product,) if bias else ()
    )
