"""Convolution and transposed convolution."""

from __future__ import annotations

import symcnn as sc
from symcnn.interop.onnx.operators.windows import as_before, as_image, auto_pad, explicit_pads, geometry, pair, sizes
from symcnn.interop.onnx.registry import operator


@operator("Conv")
def conv(node, x, w, bias=None):
    image, filters = as_image(x), as_image(w)
    kernel = sizes(filters, slice(2, None), "the kernel")
    y = sc.conv2d(image, filters, **geometry(node, image, kernel), groups=node.get("group", 1))
    return as_before(_biased(y, bias), x)


@operator("ConvTranspose")
def conv_transpose(node, x, w, bias=None):
    """`output_padding`, and what `output_shape` asks for beyond what the windows reach, are lines at the bottom and right."""
    image, filters = as_image(x), as_image(w)
    stride, dilation = pair(node, "strides"), pair(node, "dilations")
    pads = [_transposed_pads(node, image, filters, axis, stride[axis], dilation[axis]) for axis in (0, 1)]
    more = [max(-after, 0) for _, after in pads]
    within = [min(m, s - 1) for m, s in zip(more, stride, strict=True)]
    y = sc.conv2d_transpose(
        image,
        filters,
        stride,
        padding=tuple((before, max(after, 0)) for before, after in pads),
        output_padding=tuple(within),
        dilation=dilation,
        groups=node.get("group", 1),
    )
    beyond = [m - w for m, w in zip(more, within, strict=True)]
    if any(beyond):
        y = sc.pad(y, ((0, 0), (0, 0), (0, beyond[0]), (0, beyond[1])))
    return as_before(_biased(y, bias), x)


def _transposed_pads(node, image, filters, axis, stride, dilation) -> tuple[int, int]:
    """(before, after) along an axis (0: rows, 1: columns): what is cut off, or added if negative."""
    extra, mode = pair(node, "output_padding", 0)[axis], auto_pad(node)
    (kernel,) = sizes(filters, slice(2 + axis, 3 + axis), "the kernel")
    reach = (kernel - 1) * dilation + 1
    if node.get("output_shape"):
        (size,) = sizes(image, slice(2 + axis, 3 + axis), "the padding for an output_shape")
        total = (size - 1) * stride + reach + extra - pair(node, "output_shape")[axis]
    elif mode.startswith("SAME"):  # the result has stride times the size
        total = reach + extra - stride
    else:
        before, after = explicit_pads(node)[axis] if mode == "NOTSET" else (0, 0)
        return before, after - extra
    smaller = max(total, 0) // 2
    before = smaller if mode == "SAME_UPPER" else max(total, 0) - smaller
    return before, total - before - extra


def _biased(y, bias):
    return y if bias is None else y + sc.reshape(bias, (1, -1, 1, 1))
