"""Networks are written in (N, C, H, W) and run in (N, H, W, C).

A convolution becomes the same op on images with their channels last, between transposes::

    conv2d(x, w)  ->  transpose(ChannelsLast(conv2d)(transpose(x), w))

and transposes travel towards the outputs, past everything that lies between two layers, until they meet their inverse.
What remains of them is where a network begins, where it flattens its images, and where it ends in one. Here ``first(y)``
is a `y` in (N, H, W, C), transposed to the order in which it was written; each rule says what an op of it is in terms
of `y`. An op that has another operand, too, which is not of that form, reads that one through a transpose: a view.
"""

from __future__ import annotations

import numpy as np

from symcnn.ir.variable import Constant, Variable, apply, constant
from symcnn.ops.broadcast import BroadcastTo, SumLike
from symcnn.ops.channels_last import FIRST, LAST, ChannelsLast
from symcnn.ops.elementwise import Cast, Elementwise
from symcnn.ops.fill import PositionLike
from symcnn.ops.gather import take
from symcnn.ops.indexing import Slice, Unslice
from symcnn.ops.joining import Concat, Part
from symcnn.ops.pad import Pad
from symcnn.ops.reduce import ArgReduce, Reduce
from symcnn.ops.shape import Reshape, Transpose, expand_dims, squeeze, transpose
from symcnn.rewrite.canonicalize import cancel_transposes
from symcnn.rewrite.engine import Rules

LAYOUT = Rules()


def first(y: Variable) -> Variable:
    """An image in (N, H, W, C) as (N, C, H, W)."""
    return transpose(y, FIRST)


def last(x: Variable) -> Variable:
    """An operand that broadcasts to (N, C, H, W), so that it broadcasts to (N, H, W, C)."""
    if _is_first(x):
        return x.inputs[0]
    if x.ndim == 0:
        return x
    if isinstance(x, Constant):
        return constant(x.value.reshape((1,) * (4 - x.ndim) + x.shape).transpose(LAST), name=x.name)
    return transpose(expand_dims(x, tuple(range(4 - x.ndim))), LAST)


def _is_first(x: Variable) -> bool:
    return isinstance(x.op, Transpose) and x.op.axes == FIRST


def _moved(axes) -> tuple[int, ...]:
    """The axes of y that are `axes` of first(y)."""
    return tuple(sorted(FIRST[k] for k in axes))


def _in_order(axes) -> bool:
    """Whether elements are scanned in the same order over `axes` of first(y) and over those axes of y."""
    return _moved(axes) == tuple(FIRST[k] for k in axes)


def _permuted(per_axis) -> tuple:
    return tuple(per_axis[k] for k in LAST)


def _without(axes, y: Variable) -> Variable:
    """What is left of an image in (N, H, W, C) after an op that removes `axes` of first(y), its axes in their order."""
    left = [FIRST[k] for k in range(4) if k not in axes]
    return transpose(y, tuple(sorted(left).index(k) for k in left))


def _is_first_of_same_order(x: Variable) -> bool:
    """Whether x is first(y), and all that moves are axes of size 1."""
    return _is_first(x) and x.op.keeps_order(x.inputs[0].shape)


# ---- images


@LAYOUT.on(
    "conv2d", "conv2d_input_grad", "conv2d_weight_grad", "conv2d_transpose", name="convolutions run channels last"
)
def _convolution(v):
    return None if isinstance(v.op, ChannelsLast) else _channels_last(v)


@LAYOUT.on("*", name="an image op runs channels last if its operand does")
def _image_op(v):
    return _channels_last(v) if any(_is_first(v.inputs[k]) for k in v.op.images) else None


def _channels_last(v):
    found = apply(ChannelsLast(v.op), *(last(x) if k in v.op.images else x for k, x in enumerate(v.inputs)))
    return first(found) if v.op.image_result else found


# ---- transposes

LAYOUT.on("transpose", name="transpose of transpose")(cancel_transposes)


@LAYOUT.on("transpose", name="transpose of expand_dims")
def _transpose_of_expand(v):
    """New axes are put where they belong at once, if the others keep their order."""
    (x,) = v.inputs
    if x.op is None or x.op.name != "expand_dims":
        return None
    kept = [k for k in v.op.axes if k not in x.op.axes]
    if kept != sorted(kept):
        return None
    return expand_dims(x.inputs[0], tuple(k for k, axis in enumerate(v.op.axes) if axis in x.op.axes))


@LAYOUT.on("*", name="a transpose moves past an elementwise op")
def _elementwise(v):
    if not isinstance(v.op, (Elementwise, Cast)):
        return None
    if v.ndim == 4 and any(_is_first(x) and x.shape == v.shape for x in v.inputs):
        return first(apply(v.op, *map(last, v.inputs)))
    orders = {x.op.axes for x in v.inputs if isinstance(x.op, Transpose)}
    if len(orders) != 1 or not all(isinstance(x.op, Transpose) or x.ndim == 0 for x in v.inputs):
        return None
    (order,) = orders
    return transpose(apply(v.op, *(x if x.ndim == 0 else x.inputs[0] for x in v.inputs)), order)


@LAYOUT.on("*", name="a transpose moves past a reduction")
def _reduction(v):
    if not isinstance(v.op, (Reduce, ArgReduce)) or not _is_first(v.inputs[0]):
        return None
    if isinstance(v.op, ArgReduce) and not _in_order(v.op.axes):
        return None
    found = apply(type(v.op)(v.op.kind, _moved(v.op.axes), v.op.keepdims), v.inputs[0].inputs[0])
    return first(found) if v.op.keepdims else _without(v.op.axes, found)


@LAYOUT.on("concat", name="a transpose moves past concat")
def _concat(v):
    if v.ndim != 4 or 2 * sum(map(_is_first, v.inputs)) < len(v.inputs):
        return None
    return first(apply(Concat(FIRST[v.op.axis]), *map(last, v.inputs)))


@LAYOUT.on("part", name="a transpose moves past a part of concat")
def _part(v):
    if not any(map(_is_first, v.inputs)):
        return None
    return first(apply(Part(FIRST[v.op.axis], v.op.position, v.op.count), *map(last, v.inputs)))


@LAYOUT.on("pad", name="a transpose moves past pad")
def _pad(v):
    return (
        first(apply(Pad(_permuted(v.op.widths), v.op.value), v.inputs[0].inputs[0])) if _is_first(v.inputs[0]) else None
    )


@LAYOUT.on("slice", name="a transpose moves past a slice")
def _slice(v):
    if not _is_first(v.inputs[0]):
        return None
    removed = [k for k, part in enumerate(v.op.parts) if isinstance(part, int)]
    return _without(removed, apply(Slice(_permuted(v.op.parts)), v.inputs[0].inputs[0]))


@LAYOUT.on("unslice", name="a transpose moves past the gradient of a slice")
def _unslice(v):
    if v.inputs[0].ndim != 4 or not any(map(_is_first, v.inputs)):
        return None
    return first(apply(Unslice(_permuted(v.op.parts)), *map(last, v.inputs)))


@LAYOUT.on("broadcast_to", "broadcast_like", "sum_like", name="a transpose moves past a broadcast and its gradient")
def _broadcast(v):
    if v.ndim != 4 or not any(map(_is_first, v.inputs)):
        return None
    x = v.inputs[0]
    stretch = v.op.maybe if isinstance(v.op, SumLike) else {*v.op.stretch, *range(4 - x.ndim)} if x.ndim else ()
    if isinstance(v.op, BroadcastTo):
        op = BroadcastTo(_permuted(v.op.shape), _moved(stretch))
    else:
        op = type(v.op)(_moved(stretch))
    return first(apply(op, *map(last, v.inputs)))


@LAYOUT.on("position_like", name="positions are counted in the order in which they were written")
def _position(v):
    (like,) = v.inputs
    return first(apply(PositionLike(tuple(FIRST[k] for k in v.op.axes)), like.inputs[0])) if _is_first(like) else None


@LAYOUT.on("squeeze", name="a transpose moves past squeeze")
def _squeeze(v):
    (x,) = v.inputs
    return _without(v.op.axes, squeeze(x.inputs[0], _moved(v.op.axes))) if _is_first(x) else None


@LAYOUT.on("reshape", name="channels are shuffled where they lie")
def _shuffle(v):
    """Channels taken as a matrix and transposed, as between the grouped convolutions of ShuffleNet."""
    (turned,) = v.inputs
    if not isinstance(turned.op, Transpose) or turned.op.axes != (0, 2, 1, 3, 4):
        return None
    (matrix,) = turned.inputs
    if not isinstance(matrix.op, Reshape) or not _is_first(matrix.inputs[0]):
        return None
    (image,), (_, rows, columns, *size) = matrix.inputs, matrix.shape
    if None in (rows, columns, *size) or not image.shape[1:] == v.shape[1:] == (rows * columns, *size):
        return None
    return first(take(image.inputs[0], np.arange(rows * columns).reshape(rows, columns).T.ravel(), 3))


@LAYOUT.on("reshape", "reshape_like", name="a reshape does not see axes of size 1 move")
def _reshape(v):
    x, *like = v.inputs
    copied = [k for k, d in enumerate(v.op.newshape) if d is None] if not like else []
    if _is_first_of_same_order(x) and all(k == 0 for k in copied):
        return apply(v.op, x.inputs[0], *like)
    if like and _is_first_of_same_order(like[0]):
        return first(apply(v.op, x, like[0].inputs[0]))
    return None
