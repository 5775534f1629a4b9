"""The same elements in another shape or order."""

from __future__ import annotations

from math import prod

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.operators.operands import axis_of, integers
from symcnn.interop.onnx.registry import operator
from symcnn.interop.onnx.values import shape_of, sizes_for


@operator("Identity", structural=True)
def identity(node, x):
    return x


@operator("Reshape", sizes=(1,), structural=True)
def reshape(node, x, sizes=None):
    """Sizes are an input since opset 5; 0 keeps a size unless `allowzero` is set."""
    wanted = list(node.get("shape", ()) if sizes is None else sizes)
    if not node.get("allowzero", 0):
        own = shape_of(x)
        if any(_is_zero(n) for n in wanted[len(own) :]):
            raise InputError("Reshape: a size is kept that is not there", found=wanted)
        wanted = [own[k] if _is_zero(n) else n for k, n in enumerate(wanted)]
    return (
        np.reshape(x, integers(wanted)) if isinstance(x, np.ndarray) else sc.reshape(x, sizes_for(x, wanted, "Reshape"))
    )


def _is_zero(size) -> bool:
    return isinstance(size, (int, np.integer)) and size == 0


@operator("Flatten")
def flatten(node, x):
    """A matrix: all axes before `axis`, and all others."""
    axis, sizes = node.get("axis", 1), shape_of(x)
    axis = axis if axis == x.ndim else axis_of(axis, x.ndim)
    if None not in x.shape:
        return sc.reshape(x, (prod(x.shape[:axis]), prod(x.shape[axis:])))
    return sc.reshape(x, (-1, prod(integers(sizes[axis:]))))


@operator("Transpose", structural=True)
def transpose(node, x):
    return np.transpose(x, node.get("perm"))


@operator("Squeeze", numbers=(1,), structural=True)
def squeeze(node, x, axes=None):
    axes = node.get("axes") if axes is None else axes
    if axes is None:
        axes = [k for k, n in enumerate(integers(shape_of(x))) if n == 1]
    axes = tuple(axis_of(axis, x.ndim) for axis in integers(axes))
    if any(x.shape[axis] not in (1, None) for axis in axes):
        raise InputError("Squeeze: an axis is not of size 1", expected=f"1 along {axes}", found=x.shape)
    return np.squeeze(x, axes)


@operator("Unsqueeze", numbers=(1,), structural=True)
def unsqueeze(node, x, axes=None):
    axes = integers(node.get("axes", ()) if axes is None else axes)
    axes = tuple(axis_of(axis, x.ndim + len(axes)) for axis in axes)
    if len(set(axes)) != len(axes):
        raise InputError("Unsqueeze: an axis is named twice", found=axes)
    return np.expand_dims(x, axes)


@operator("DepthToSpace")
def depth_to_space(node, x):
    """(N, C b b, H, W) to (N, C, H b, W b); `mode` says whether the blocks are the outer or the inner part of the channels."""
    n, c, h, w = _image(x)
    b, deep = node.get("blocksize"), node.get("mode", "DCR") == "DCR"
    if b < 1 or c % (b * b):
        raise InputError("DepthToSpace: the channels are no blocks", expected=f"a multiple of {b} * {b}", found=c)
    split = (n, b, b, c // (b * b), h, w) if deep else (n, c // (b * b), b, b, h, w)
    order = (0, 3, 4, 1, 5, 2) if deep else (0, 1, 4, 2, 5, 3)
    return _reshaped(sc.transpose(_reshaped(x, split), order), (n, c // (b * b), h * b, w * b))


@operator("SpaceToDepth")
def space_to_depth(node, x):
    """(N, C, H b, W b) to (N, C b b, H, W)."""
    n, c, h, w = _image(x)
    b, deep = node.get("blocksize"), node.get("mode", "DCR") == "DCR"
    if b < 1 or h % b or w % b:
        raise InputError(
            "SpaceToDepth: the image is not made of blocks", expected=f"multiples of {b}", found=f"{h}, {w}"
        )
    order = (0, 3, 5, 1, 2, 4) if deep else (0, 1, 3, 5, 2, 4)
    return _reshaped(sc.transpose(_reshaped(x, (n, c, h // b, b, w // b, b)), order), (n, c * b * b, h // b, w // b))


def _image(x) -> tuple:
    """The sizes of a batch of images, of which only the first may be unknown."""
    if x.ndim != 4:
        raise InputError("images are needed", expected="4 axes", found=repr(x))
    return (shape_of(x)[0], *integers(shape_of(x)[1:]))


def _reshaped(x, sizes):
    return sc.reshape(x, (None if x.shape[0] is None else x.shape[0], *sizes[1:]))
