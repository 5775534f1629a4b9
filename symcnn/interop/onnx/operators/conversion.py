"""From one type of element to another."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import as_expression

# The codes of ONNX's TensorProto.DataType that symcnn computes in.
DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 11: "float64",
    12: "uint32", 13: "uint64",
}  # fmt: skip


def dtype_of(code: int) -> np.dtype:
    """The dtype that an attribute names.

    Raises
    ------
    InputError
        For all that symcnn does not compute in: strings, complex numbers, and floats and integers of unusual sizes.
    """
    if code not in DTYPES:
        raise InputError(f"the element type {code} is not supported", expected=", ".join(DTYPES.values()))
    return np.dtype(DTYPES[code])


@operator("Cast", structural=True)
def cast(node, x):
    """Unknown sizes are integers, and stay what they are among integers."""
    dtype = dtype_of(node.get("to"))
    if isinstance(x, np.ndarray) and x.dtype == object and dtype.kind in "iu":
        return x
    return sc.astype(as_expression(x), dtype)


@operator("CastLike")
def cast_like(node, x, like):
    return sc.astype(x, like.dtype)
