"""Reading at positions: slices, and gathers of every kind."""

from __future__ import annotations

from math import prod

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.operators.operands import axis_of, countable, integer, integers
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import shape_of


@operator("Slice", numbers=(1, 2, 3, 4), structural=True)
def slice_(node, x, starts=None, ends=None, axes=None, steps=None):
    """Ends beyond the axis mean its end, as in Python; attributes until opset 9, then inputs."""
    starts = integers(node.get("starts", ()) if starts is None else starts)
    ends = integers(node.get("ends", ()) if ends is None else ends)
    axes = integers(node.get("axes", range(len(starts))) if axes is None else axes)
    steps = (1,) * len(starts) if steps is None else integers(steps)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise InputError("Slice: starts, ends, axes and steps are not of one length",
                         found=f"{len(starts)}, {len(ends)}, {len(axes)}, {len(steps)}")  # fmt: skip
    key = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step == 0:
            raise InputError("Slice: the step cannot be 0")
        key[axis_of(axis, x.ndim)] = slice(start, end, step)
    return x[tuple(key)]


@operator("Gather", structural=True)
def gather(node, x, indices):
    axis = axis_of(node.get("axis", 0), x.ndim)
    if isinstance(x, np.ndarray):
        return np.asarray(np.take(x, indices, axis), x.dtype)  # of sizes, too
    return sc.take(x, indices, axis)


@operator("GatherElements")
def gather_elements(node, x, indices):
    return take_along(x, indices, axis_of(node.get("axis", 0), x.ndim))


def take_along(x, indices, axis: int):
    """``x[.., indices[.., i, ..], ..]`` at every position of `indices` along `axis`, as ``np.take_along_axis``."""
    return sc.take(sc.flatten(x), element_positions(x, indices, axis), 0)


def element_positions(x, indices, axis: int):
    """Where the elements that `indices` mean along `axis` are in a flattened `x`; along other axes each is at its own place."""
    shape, places = integers(shape_of(x)), integers(shape_of(indices))
    found = from_the_front(indices, shape[axis]) * prod(shape[axis + 1 :])
    for k in set(range(x.ndim)) - {axis}:
        own = np.arange(places[k]) * prod(shape[k + 1 :])
        found = found + own.reshape(-1, *[1] * (x.ndim - 1 - k))
    return found


def part_positions(indices, shape):
    """Where the parts that the last axis of `indices` means are among all parts, of which there is an array of this shape."""
    found = sc.zeros(integers(shape_of(indices))[:-1], "int64")
    for k, size in enumerate(shape):
        found = found + from_the_front(indices[..., k], size) * prod(shape[k + 1 :])
    return found


def from_the_front(indices, size):
    """Negative indices count from the end."""
    indices = sc.astype(indices, "int64")
    return sc.where(indices < 0, indices + size, indices)


@operator("GatherND")
def gather_nd(node, x, indices):
    """The last axis of `indices` holds positions along as many axes of `x`, the first `batch_dims` axes run in parallel."""
    shape, batch = integers(shape_of(x)), node.get("batch_dims", 0)
    count = integers(shape_of(indices))[-1]
    if not 0 <= batch < min(x.ndim, indices.ndim) or batch + count > x.ndim:
        raise InputError("GatherND: the indices do not fit", expected=f"at most {x.ndim} axes", found=repr(indices))
    position = part_positions(indices, shape[batch : batch + count])
    parallel = np.arange(prod(shape[:batch])).reshape(*shape[:batch], *[1] * (indices.ndim - 1 - batch))
    rows = sc.reshape(x, (prod(shape[: batch + count]), *shape[batch + count :]))
    return sc.take(rows, position + parallel * prod(shape[batch : batch + count]), 0)


@operator("OneHot", numbers=(1,))
def one_hot(node, labels, depth, values):
    """`values` are those off and on; what is no label at all is off everywhere."""
    depth, axis = countable(integer(depth), "OneHot: the depth"), axis_of(node.get("axis", -1), labels.ndim + 1)
    labels = sc.expand_dims(from_the_front(labels, depth), axis)
    classes = np.arange(depth).reshape(-1, *[1] * (labels.ndim - 1 - axis))
    return sc.where(sc.equal(labels, classes), values[1], values[0])


@operator("Compress", numbers=(1,))
def compress(node, x, condition):
    axis = node.get("axis")
    if axis is None:
        x, axis = sc.flatten(x), 0
    return sc.take(x, np.flatnonzero(condition), axis_of(axis, x.ndim))


@operator("NonZero", numbers=(0,))
def non_zero(node, x):
    return np.array(np.nonzero(np.atleast_1d(x)), "int64")


@operator("ReverseSequence")
def reverse_sequence(node, x, lengths):
    """Of each example of a batch, the first so many steps of time in reverse order."""
    batch, time = node.get("batch_axis", 1), node.get("time_axis", 0)
    if {batch, time} != {0, 1}:
        raise InputError("ReverseSequence: batch and time are the first two axes", found=f"{batch}, {time}")
    shape = integers(shape_of(x))
    step = np.arange(shape[time]).reshape(-1, *[1] * (1 - time))
    lengths = sc.expand_dims(lengths, time)
    source = sc.where(step < lengths, lengths - 1 - step, step)
    source = sc.expand_dims(source, tuple(range(2, x.ndim)))
    return take_along(x, sc.broadcast_to(source, shape), time)
