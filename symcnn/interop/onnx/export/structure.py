"""Ops that move elements: shapes, transposes, broadcasts, slices, joins, padding; and values made of a shape alone."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.interop.onnx.export.registry import Form, composition, form, makes
from symcnn.ops.broadcast import BroadcastLike, BroadcastTo
from symcnn.ops.fill import PositionLike, ZerosLike
from symcnn.ops.indexing import WHOLE, Slice
from symcnn.ops.joining import Concat
from symcnn.ops.pad import Pad
from symcnn.ops.shape import ExpandDims, Reshape, ReshapeLike, Squeeze, Transpose

END = np.iinfo(np.int64).max
"""Where a slice ends that goes to the last element; the other end for one that goes backwards is the smallest integer."""


@form(Reshape)
def reshape(writer, variable, x):
    """Known sizes as they are; 0 keeps a size that is not known, and -1 takes what remains."""
    sizes = variable.shape
    if variable.type.is_concrete:
        return writer.reshape(x, sizes)
    wanted = [d if n is None else n for d, n in zip(variable.op.newshape, sizes, strict=True)]
    if 0 not in wanted:
        return writer("Reshape", x, writer.constant([0 if d is None else d for d in wanted]))
    parts = [  # a size that is 0, which would be taken for one that is kept
        writer.size(variable.inputs[0], x, k) if d is None else writer.constant([d]) for k, d in enumerate(wanted)
    ]
    return writer("Reshape", x, writer("Concat", *parts, axis=0), allowzero=1)


@form(ReshapeLike)
def reshape_like(writer, variable, x, like):
    return writer("Reshape", x, writer.shape(variable.inputs[1], like), allowzero=1)


@form(Transpose)
def transpose(writer, variable, x):
    return writer("Transpose", x, perm=variable.op.axes) if variable.op.axes else x


@form(ExpandDims)
def expand_dims(writer, variable, x):
    return writer.unsqueeze(x, variable.op.axes)


@form(Squeeze)
def squeeze(writer, variable, x):
    return writer.squeeze(x, variable.op.axes)


@form(BroadcastTo)
def broadcast_to(writer, variable, x):
    """A size of 1 in the target keeps what is there."""
    return writer("Expand", x, writer.constant([1 if d is None else d for d in variable.op.shape]))


@form(BroadcastLike)
def broadcast_like(writer, variable, x, like):
    return writer("Expand", x, writer.shape(variable.inputs[1], like))


@form(ZerosLike)
def zeros_like(writer, variable, like):
    return writer("Expand", writer.constant(0, variable.dtype), writer.shape(variable.inputs[0], like))


@form(PositionLike)
def position_like(writer, variable, like):
    """0, 1, 2 ... in the shape of the axes that are counted along, brought to their places and repeated along the others."""
    axes, operand = variable.op.axes, variable.inputs[0]
    sizes = [writer.size(operand, like, k) for k in axes]
    shape = writer("Concat", *sizes, axis=0) if sizes else writer.constant(np.zeros(0))
    count, zero, one = writer("ReduceProd", shape, keepdims=0), writer.constant(0), writer.constant(1)
    positions = writer("Reshape", writer("Range", zero, count, one), shape, allowzero=1)
    if axes:
        positions = writer("Transpose", positions, perm=[int(k) for k in np.argsort(axes)])
    rest = [k for k in range(operand.ndim) if k not in axes]
    return writer("Expand", writer.unsqueeze(positions, rest), writer.shape(operand, like))


@form(Slice)
def slice_(writer, variable, x):
    """Slices along all axes at once; then numbers, which remove their axes, from the last one on."""
    parts = variable.op.parts
    sliced = {k: part for k, part in enumerate(parts) if not isinstance(part, int) and part != WHOLE}
    if sliced:
        ends = [_ends(*part) for part in sliced.values()]
        starts, stops, steps = (writer.constant(column) for column in zip(*ends, strict=True))
        x = writer("Slice", x, starts, stops, writer.constant(list(sliced)), steps)
    for axis in reversed(range(len(parts))):
        if isinstance(parts[axis], int):
            x = writer("Gather", x, writer.constant(parts[axis]), axis=axis)
    return x


def _ends(start, stop, step) -> tuple[int, int, int]:
    step = 1 if step is None else step
    first, last = (0, END) if step > 0 else (END, -END - 1)
    return first if start is None else start, last if stop is None else stop, step


@form(Concat)
def concat(writer, variable, *xs):
    return writer("Concat", *xs, axis=variable.op.axis)


@form(Pad)
def pad(writer, variable, x):
    op = variable.op
    if not op.widths:
        return x
    pads = [low for low, _ in op.widths] + [high for _, high in op.widths]
    return writer("Pad", x, writer.constant(pads), writer.constant(op.value, variable.dtype))


@composition("concat")
def mirrored(v):
    """The outermost elements of an axis, or those next to them mirrored, around what is between."""
    first, axis = v.inputs[0], v.op.axis
    x = first.inputs[0].inputs[0] if isinstance(first.op, ExpandDims) and first.inputs[0].inputs else first
    low = next((k for k, y in enumerate(v.inputs) if y is x), None)
    if low is None or len(v.inputs) < 2:
        return None
    widths = [(low, len(v.inputs) - 1 - low) if k == axis else (0, 0) for k in range(v.ndim)]
    pads = [w for side in zip(*widths, strict=True) for w in side]
    for mode in ("edge", "reflect"):
        if makes(v, sc.pad, x, widths, mode):
            return Form((x,), lambda writer, x, mode=mode: writer("Pad", x, writer.constant(pads), mode=mode))
    return None
