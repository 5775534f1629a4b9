"""Reductions, positions of extremes, running sums, and counts of elements."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.interop.onnx.export.registry import Form, composition, form, makes
from symcnn.ir.variable import Constant
from symcnn.ops.cumulative import CumSum
from symcnn.ops.reduce import ArgReduce, Reduce
from symcnn.ops.statistics import CountLike

OPERATORS = {"sum": "ReduceSum", "prod": "ReduceProd", "max": "ReduceMax", "min": "ReduceMin"}
SMALL = ("bool", "int8", "int16", "uint8", "uint16")  # which reductions do not take


@form(Reduce)
def reduce(writer, variable, x):
    op, operand = variable.op, variable.inputs[0]
    if op.kind in ("any", "all"):
        return _any_or_all(writer, variable, x)
    if not op.axes:
        return writer.cast(x, operand, variable.dtype)
    dtype = variable.dtype if op.kind in ("sum", "prod") else operand.dtype
    if dtype.name in SMALL:
        return writer.to(_reduced(writer, OPERATORS[op.kind], op, writer.to(x, "int32")), dtype)
    return _reduced(writer, OPERATORS[op.kind], op, writer.cast(x, operand, dtype))


def _reduced(writer, operator, op, x):
    return writer(operator, x, writer.constant(op.axes), keepdims=int(op.keepdims))


def _any_or_all(writer, variable, x):
    """Some are true if their number is not 0, and all are if the number of the others is 0; also of nothing."""
    op, zero = variable.op, writer.constant(0, "int32")
    true = writer.cast(x, variable.inputs[0], "bool")
    counted = true if op.kind == "any" else writer("Not", true)
    if not op.axes:
        return true
    count = _reduced(writer, "ReduceSum", op, writer.to(counted, "int32"))
    return writer("Greater" if op.kind == "any" else "Equal", count, zero)


@form(ArgReduce)
def arg_reduce(writer, variable, x):
    """Over several axes: those last and as one."""
    op, operand = variable.op, variable.inputs[0]
    operator = {"argmax": "ArgMax", "argmin": "ArgMin"}[op.kind]
    if operand.dtype.name in SMALL:
        x = writer.to(x, "int32")
    if len(op.axes) == 1:
        return writer(operator, x, axis=op.axes[0], keepdims=int(op.keepdims))
    rest = [k for k in range(operand.ndim) if k not in op.axes]
    rows = writer("Transpose", x, perm=[*rest, *op.axes]) if rest else x
    sizes = [operand.shape[k] for k in (*rest, *op.axes)]
    if None in sizes:
        rows = writer("Reshape", rows, writer.constant([0] * len(rest) + [-1]))
    else:
        rows = writer.reshape(rows, (*sizes[: len(rest)], int(np.prod(sizes[len(rest) :], dtype=int))))
    found = writer(operator, rows, axis=len(rest), keepdims=0)
    return writer.unsqueeze(found, op.axes) if op.keepdims else found


@form(CumSum)
def cumsum(writer, variable, x):
    dtype = variable.dtype
    wide = writer.to(x, "int32") if dtype.name in SMALL else x
    found = writer("CumSum", wide, writer.constant(variable.op.axis), reverse=int(variable.op.reverse))
    return writer.to(found, dtype) if dtype.name in SMALL else found


@form(CountLike)
def count_like(writer, variable, like):
    op, operand = variable.op, variable.inputs[0]
    sizes = [operand.shape[k] for k in op.axes]
    if None not in sizes:
        return writer.constant(np.prod(sizes, dtype=np.int64), op.dtype)
    counted = writer("Gather", writer("Shape", like), writer.constant(op.axes))
    return writer.to(writer("ReduceProd", counted, keepdims=0), op.dtype)


@composition("divide")
def mean(v):
    """ReduceMean; of all pixels of every channel GlobalAveragePool."""
    total, count = v.inputs
    if not (isinstance(total.op, Reduce) and (isinstance(count, Constant) or isinstance(count.op, CountLike))):
        return None
    (x,), op = total.inputs, total.op
    if not op.axes or not makes(v, sc.mean, x, op.axes, op.keepdims):
        return None
    if _is_global(op, x):
        return Form((x,), lambda writer, x: writer("GlobalAveragePool", x))
    return Form((x,), lambda writer, x: _reduced(writer, "ReduceMean", op, x))


@composition("max")
def global_max(v):
    (x,) = v.inputs
    if _is_global(v.op, x) and v.type.is_float:
        return Form((x,), lambda writer, x: writer("GlobalMaxPool", x))
    return None


def _is_global(op, x) -> bool:
    """Whether the reduction is of all pixels of every channel of images."""
    return x.ndim == 4 and op.axes == (2, 3) and op.keepdims
