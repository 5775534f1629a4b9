"""Transposes travel towards the outputs until they meet their inverse.

A network written in NHWC is transposes around operations in NCHW; between two layers only elementwise ops lie, so
moving a transpose past them lets neighbours cancel, and a chain of layers runs in one order throughout.
"""

from __future__ import annotations

from symcnn.ir.variable import Constant, apply
from symcnn.ops.elementwise import Cast, Elementwise
from symcnn.ops.shape import Transpose, transpose
from symcnn.rewrite.canonicalize import cancel_transposes
from symcnn.rewrite.engine import Rules

LAYOUT = Rules()
LAYOUT.on("transpose", name="transpose of transpose")(cancel_transposes)


@LAYOUT.on("*", name="move a transpose past an elementwise op")
def _sink(v):
    if not isinstance(v.op, (Elementwise, Cast)):
        return None
    axes = {x.op.axes for x in v.inputs if x.op is not None and isinstance(x.op, Transpose)}
    if len(axes) != 1:
        return None
    (order,) = axes
    inputs = []
    for x in v.inputs:
        if x.op is not None and isinstance(x.op, Transpose) and x.ndim == v.ndim:
            inputs.append(x.inputs[0])
        elif x.ndim == 0 or (isinstance(x, Constant) and x.value.size == 1):
            inputs.append(x)
        else:
            return None
    return transpose(apply(v.op, *inputs), order)
