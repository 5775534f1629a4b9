"""More elements or fewer: joining, cutting, repeating and padding."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.interop.onnx.operators.operands import axis_of, countable, integer, integers
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import Size, like_of, shape_of

MODES = ("constant", "edge", "reflect", "wrap")
FEW = 64  # elements around an axis that are joined to it one by one


@operator("Concat", structural=True)
def concat(node, *xs):
    return np.concatenate(xs, node.get("axis", 1))


@operator("Split", numbers=(1,), structural=True)
def split(node, x, sizes=None):
    """Parts of given sizes (an attribute until opset 12, then an input), or as many equal parts as there are outputs,
    the last of which may be smaller."""
    axis = axis_of(node.get("axis", 0), x.ndim)
    sizes = node.get("split") if sizes is None else sizes
    if sizes is None:
        total, count = int(shape_of(x)[axis]), len(node.outputs)
        each = -(-total // count)
        sizes = [max(min(each, total - k * each), 0) for k in range(count)]
    sizes = integers(sizes)
    if min(sizes, default=0) < 0 or x.shape[axis] not in (None, sum(sizes)):
        raise ShapeError("Split: the parts do not add up", expected=x.shape[axis], found=sizes)
    return tuple(np.split(x, np.cumsum(sizes)[:-1].tolist(), axis))


@operator("Expand", sizes=(1,))
def expand(node, x, sizes):
    """Broadcasting in both directions: a size of 1 on either side gives way."""
    rank = max(x.ndim, len(sizes))
    own = [1] * (rank - x.ndim) + list(shape_of(x))
    wanted = [1] * (rank - len(sizes)) + list(sizes)
    found = [n if m == n or _is_one(m) else m for n, m in zip(own, wanted, strict=True)]
    if found == own:
        return sc.expand_dims(x, tuple(range(rank - x.ndim)))
    like = like_of(found)
    return sc.broadcast_to(x, integers(found)) if like is None else sc.broadcast_like(x, like)


def _is_one(size) -> bool:
    return not isinstance(size, Size) and size == 1


@operator("Tile", numbers=(1, 2))
def tile(node, x, repeats, axis=None):
    """Until opset 5 only one axis is repeated."""
    if axis is not None:
        counts = [1] * x.ndim
        counts[axis_of(integer(axis), x.ndim)] = integers(repeats)[0]
        return sc.tile(x, tuple(counts))
    if len(integers(repeats)) != x.ndim:
        raise InputError("Tile: there must be one number for each axis", expected=x.ndim, found=integers(repeats))
    return sc.tile(x, integers(repeats))


@operator("Pad", numbers=(1, 2, 3))
def pad(node, x, pads=None, value=None, axes=None):
    """Widths are an attribute until opset 10, then an input; negative ones cut off."""
    pads = integers(node.get("pads", ()) if pads is None else pads)
    axes = tuple(axis_of(axis, x.ndim) for axis in (range(x.ndim) if axes is None else integers(axes)))
    if len(pads) != 2 * len(axes):
        raise InputError("Pad: there must be two numbers for each axis", expected=2 * len(axes), found=pads)
    widths = [(0, 0)] * x.ndim
    for axis, low, high in zip(axes, pads, pads[len(axes) :], strict=False):
        widths[axis] = (low, high)
    x = x[tuple(slice(max(-low, 0), min(high, 0) or None) for low, high in widths)]
    widths = [(max(low, 0), max(high, 0)) for low, high in widths]
    mode = node.get("mode", "constant")
    if mode == "constant":
        value = node.get("value", 0) if value is None or value.size == 0 else value.reshape(-1)[0].item()
        return sc.pad(x, widths, constant_values=value)
    if mode not in MODES:
        raise InputError("Pad: the mode is not known", expected=", ".join(MODES), found=mode)
    for axis, (low, high) in enumerate(widths):
        x = _padded(x, axis, low, high, mode)
    return x


def _padded(x, axis, low, high, mode):
    """Elements of `x` itself around it."""
    if low == high == 0:
        return x
    if low + high <= FEW and (mode == "edge" or (mode == "reflect" and max(low, high) < (x.shape[axis] or np.inf))):
        return sc.pad(x, [(low, high) if k == axis else (0, 0) for k in range(x.ndim)], mode)
    countable(low + high, "Pad: the width")
    return sc.take(x, np.pad(np.arange(int(shape_of(x)[axis])), (low, high), mode), axis)
