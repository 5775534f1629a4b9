"""Pooling: the largest, the average, or the length of what a window sees; or of what there is."""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import InputError
from symcnn.interop.onnx.operators.windows import as_before, as_image, geometry, pair, sizes
from symcnn.interop.onnx.registry import operator
from symcnn.ir.variable import apply
from symcnn.ops.pool import MaxPool2dArgmax
from symcnn.ops.window import Window2d, window2d

MOST_TAPS = 2**16  # of a window; a file of a few bytes could ask for any number of them


@operator("MaxPool")
def max_pool(node, x):
    image, kernel = as_image(x), _kernel(node)
    window, ceil_mode = geometry(node, image, kernel), bool(node.get("ceil_mode", 0))
    y = as_before(sc.max_pool2d(image, kernel, **window, ceil_mode=ceil_mode), x)
    if len(node.outputs) < 2:
        return y
    winners = apply(MaxPool2dArgmax(kernel, window2d(**window), ceil_mode), image)
    places = _places(winners, sizes(image, slice(2, None), "indices"), kernel, window2d(**window), node)
    return y, as_before(places, x)


def _places(winners, size, kernel, window: Window2d, node):
    """The winning tap of every window as a position in the whole tensor, by rows or, if `storage_order` says so, by columns."""
    pads = window.pads(size, kernel)
    taps = sc.floor_divide(winners.astype("int64"), kernel[1]), sc.mod(winners.astype("int64"), kernel[1])
    row, column = (
        sc.position_like(winners, 2 + axis) * window.stride[axis] - pads[axis][0] + taps[axis] * window.dilation[axis]
        for axis in (0, 1)
    )
    height, width = size
    inside = column * height + row if node.get("storage_order", 0) else row * width + column
    return sc.position_like(winners, (0, 1)) * (height * width) + inside


@operator("AveragePool")
def average_pool(node, x):
    image, kernel = as_image(x), _kernel(node)
    counted = bool(node.get("count_include_pad", 0))
    y = sc.avg_pool2d(
        image, kernel, **geometry(node, image, kernel), ceil_mode=bool(node.get("ceil_mode", 0)), count_include_pad=counted
    )  # fmt: skip
    return as_before(y, x)


@operator("LpPool")
def lp_pool(node, x):
    """A sum is an average times the number of taps, padding counted."""
    image, kernel, p = as_image(x), _kernel(node), node.get("p", 2)
    window = geometry(node, image, kernel)
    if node.get("ceil_mode", 0):
        window["padding"] = _pads_for_all(image, kernel, window2d(**window))
    mean = sc.avg_pool2d(sc.power(sc.abs(image), p), kernel, **window, count_include_pad=True)
    return as_before(sc.power(mean * (kernel[0] * kernel[1]), 1 / p), x)


def _pads_for_all(image, kernel, window: Window2d):
    """Padding with which the windows of `ceil_mode` are those that fit."""
    size = sizes(image, slice(2, None), "ceil_mode")
    counts = window.output_sizes(size, kernel, ceil_mode=True)
    ends = [(counts[k] - 1) * window.stride[k] + window.reach(kernel[k], k) for k in (0, 1)]
    befores = [before for before, _ in window.pads(size, kernel)]
    return tuple((b, max(end - n - b, 0)) for b, end, n in zip(befores, ends, size, strict=True))


@operator("GlobalAveragePool")
def global_average_pool(node, x):
    return sc.mean(x, _pixels(x), keepdims=True)


@operator("GlobalMaxPool")
def global_max_pool(node, x):
    return sc.max(x, _pixels(x), keepdims=True)


@operator("GlobalLpPool")
def global_lp_pool(node, x):
    p = node.get("p", 2)
    return sc.power(sc.sum(sc.power(sc.abs(x), p), _pixels(x), keepdims=True), 1 / p)


def _pixels(x) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


def _kernel(node) -> tuple[int, int]:
    if not node.get("kernel_shape"):
        raise InputError("kernel_shape is missing")
    rows, columns = pair(node, "kernel_shape")
    if rows * columns > MOST_TAPS:
        raise InputError("the window is too large", expected=f"at most {MOST_TAPS:,} taps", found=(rows, columns))
    return rows, columns
