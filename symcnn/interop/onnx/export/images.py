"""Ops of images: convolutions, pools, resizing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from symcnn.interop.onnx.export.registry import Form, composition, form
from symcnn.ops.avg_pool import AvgPool2d
from symcnn.ops.conv import Conv2d
from symcnn.ops.conv_transpose import Conv2dTranspose
from symcnn.ops.elementwise import Elementwise
from symcnn.ops.indexing import WHOLE, Slice
from symcnn.ops.pool import MaxPool2d
from symcnn.ops.resize import Upsample2d
from symcnn.ops.shape import Reshape


def _window(window, sizes, kernel) -> dict:
    """The attributes of a window: strides, dilations and padding."""
    found = {"strides": window.stride, "dilations": window.dilation}
    if None not in kernel:
        found["kernel_shape"] = kernel
    pads = _pads(window, sizes, kernel)
    return {**found, "auto_pad": "SAME_UPPER"} if pads is None else {**found, "pads": pads}


def _pads(window, sizes, kernel):
    """(top, left, bottom, right), or ``None`` for "same" padding that depends on sizes which are not known.

    Numbers are said where they can be: runtimes differ in which padding by name they support.
    """
    if window.stride == (1, 1):
        sizes = (1, 1)  # then the padding is that of any size
    if isinstance(window.padding, str) and None in (*sizes, *kernel):
        return None
    (top, bottom), (left, right) = window.pads(sizes, kernel)
    return top, left, bottom, right


@form(Conv2d)
def conv2d(writer, variable, x, w, *bias):
    image, filters = variable.inputs
    window = variable.op.window
    attributes = _window(window, image.shape[2:], filters.shape[2:])
    return writer("Conv", x, w, *bias, group=window.groups, **attributes)


@form(Conv2dTranspose)
def conv2d_transpose(writer, variable, x, w, *bias):
    """Padding by name is that of any size; where a stride goes beyond the filter, the gap it leaves at the end is padded."""
    op, kernel = variable.op, variable.inputs[1].shape[2:]
    window, extra = op.window, op.output_padding
    if isinstance(window.padding, str) and None not in kernel:
        extra = [max(window.stride[axis] - window.reach(kernel[axis], axis), 0) for axis in (0, 1)]
    attributes = _window(window, window.stride, kernel)
    return writer("ConvTranspose", x, w, *bias, group=window.groups, output_padding=extra, **attributes)


@composition("conv2d_input_grad")
def enlarged_to(v):
    """A transposed convolution to the size of another image, of which there are as many as the stride: to the largest, then cut."""
    g, w, like = v.inputs
    window, kernel, sizes = v.op.window, w.shape[2:], like.shape[2:]
    pads = _pads(window, sizes, kernel)
    if pads is None or None in kernel:
        return None
    attributes = {"group": window.groups, **_window(window, sizes, kernel)}
    if None not in (*sizes, *g.shape[2:]):
        seen = [(g.shape[2 + axis] - 1) * window.stride[axis] + window.reach(kernel[axis], axis) for axis in (0, 1)]
        extra = [sizes[axis] + pads[axis] + pads[2 + axis] - seen[axis] for axis in (0, 1)]
        return Form((g, w), lambda writer, g, w: writer("ConvTranspose", g, w, output_padding=extra, **attributes))

    def write(writer, g, w, of):
        largest = writer("ConvTranspose", g, w, output_padding=[s - 1 for s in window.stride], **attributes)
        size = writer("Shape", of, start=2)
        return writer("Slice", largest, writer.constant([0, 0]), size, writer.constant([2, 3]))

    return Form((g, w, _of_the_same_size(like)), write)


def _of_the_same_size(images):
    """The image of which `images` are some channels, perhaps computed with: to ask for its size nothing need be computed."""
    part = images
    while isinstance(part.op, Elementwise):
        part = next((x for x in part.inputs if x.ndim == 4 and x.shape[2:] == images.shape[2:]), None)
        if part is None:
            return images
    return part.inputs[0] if isinstance(part.op, Slice) and part.op.parts[2:] == (WHOLE, WHOLE) else images


@composition("add")
def biased(v):
    """A convolution with a bias per channel."""
    for images, bias in (v.inputs, v.inputs[::-1]):
        write = {Conv2d: conv2d, Conv2dTranspose: conv2d_transpose}.get(type(images.op))
        if write is not None and isinstance(bias.op, Reshape) and bias.dtype == v.dtype:
            (vector,) = bias.inputs
            if vector.ndim == 1 and bias.shape == (1, images.shape[1], 1, 1):
                return Form(
                    (*images.inputs, vector),
                    lambda writer, *names, write=write, y=images: write(writer, y, *names),
                    absorbs=(images,),
                )
    return None


@form(MaxPool2d)
def max_pool2d(writer, variable, x):
    """Integers that ONNX does not pool as float64, which holds those of 53 bits."""
    (image,), dtype = variable.inputs, variable.dtype
    attributes = _pool(variable.op, image)
    if dtype.kind == "f" or dtype in ("int8", "uint8"):
        return writer("MaxPool", x, **attributes)
    wide = "uint8" if dtype.kind == "b" else "float64"
    return writer.to(writer("MaxPool", writer.cast(x, image, wide), **attributes), dtype)


@form(AvgPool2d)
def avg_pool2d(writer, variable, x):
    include = int(variable.op.count_include_pad)
    return writer("AveragePool", x, count_include_pad=include, **_pool(variable.op, variable.inputs[0]))


def _pool(op, image) -> dict:
    return {**_window(op.window, image.shape[2:], op.window_size), "ceil_mode": int(op.ceil_mode)}


@form(Upsample2d)
def upsample2d(writer, variable, x):
    scales = [1.0, 1.0, *map(_at_least, variable.op.scale)]
    return writer(
        "Resize", x, "", writer.constant(scales, "float32"), mode={"bilinear": "linear"}.get(variable.op.mode, "nearest"),
        coordinate_transformation_mode="half_pixel", nearest_mode="round_prefer_floor",
    )  # fmt: skip


def _at_least(scale: Fraction) -> np.float32:
    """The smallest float32 that is not below `scale`: a size of n pixels, n * scale rounded down, must not lose one."""
    found = np.float32(scale.numerator / scale.denominator)
    return found if Fraction(float(found)) >= scale else np.nextafter(found, np.float32(np.inf))
