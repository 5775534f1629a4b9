"""Two-dimensional convolution of images with their channels last, as a product of patches and weights.

With t = (i, j, channel) for the taps of the window and p = (image, row, column) for the pixels of the output, a
convolution is ``y[p, k] = sum_t X[p, t] W[t, k]`` in each group, where X holds the patches of the input (see `pixels`).
A block of patches at a time is copied to scratch memory; where a patch is a pixel, X is read in place. Images of few
channels, as those that come into a network, have patches with many short rows: of these, whole padded lines are copied,
in which the patches of neighbouring pixels overlap.

Groups of a few channels would leave most of a vector empty. So many of them as fill one are multiplied as one group,
with zeros in the weights from each of them to the others.
"""

from dataclasses import replace
from math import prod
from typing import Any

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.tuned.blocks import DEPTH, vector_length
from symcnn.backends.cpu.tuned.gemm import BAD_PITCH
from symcnn.backends.cpu.tuned.packing import Packing
from symcnn.backends.cpu.tuned.pixels import geometry, is_flat, line_geometry, pixels_joined, row_stride
from symcnn.backends.cpu.tuned.product import (
    FINISH_ROWS_OF,
    IN_LINES,
    NEVER,
    WHOLE_UNITS,
    Product,
    one_precision,
)
from symcnn.backends.cpu.tuned.tile import TILE_ROWS, tile_columns
from symcnn.ops.window import Window2d
from symcnn.schedule.plan import View


class Conv2d:
    """The tuned kernels of ``ChannelsLast(Conv2d)``: x (N, H, W, C) and w (O, C / groups, KH, KW), with any strides."""

    algorithm = "direct"
    finishes_rows = True
    sometimes = (FINISH_ROWS_OF,)

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types, output_type)

    def workspace(self, op, output: View, operands) -> int:
        x, w = operands
        return convolution(x, w, output, op.inner.window).workspace

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        x, w = operands
        return convolution(x, w, output, op.inner.window).launches(workspace, threads)


def convolution(x: View, w: View, y: View, window: Window2d, group_stride: int | None = None) -> Product:
    """The convolution y of x and w, whose groups are `group_stride` apart (one after the other, if not given)."""
    (out, channels, *kernel), itemsize = w.shape, w.dtype.itemsize
    columns = out // window.groups
    if group_stride is None:
        group_stride = columns * w.strides[0]
    members = groups_in_one(window.groups, channels, columns, itemsize)
    groups = window.groups // members
    source = channels_together(x)
    seen = packed_image(source) if isinstance(source, Packing) else x
    in_place = pixelwise(window, x.shape[1:3], kernel) and reads_well(seen)
    of_out, of_channel, *of_tap = w.strides
    weights = replace(w, shape=(1, 1, columns, *kernel, channels), strides=(0, 0, of_out, *of_tap, of_channel))
    batch = ((groups, members * group_stride),)
    pitch = row_stride(seen)
    x_strides, x_in_place = (pitch, pitch, 1), WHOLE_UNITS if in_place else NEVER
    copied = geometry(seen, y.shape[1:3], kernel, window, members * channels)
    if reads_lines(seen, y, members * channels, kernel, window):
        x_in_place = IN_LINES
        copied, x_strides = line_geometry(seen, y.shape[1:3], kernel, window, members * channels)
    return Product(
        x=source,
        x_strides=x_strides,
        x_in_place=x_in_place,
        geometry=copied,
        w=w,
        in_place=0,
        packing=Packing(weights, tile_columns(itemsize), batch, members, group_stride),
        y=y,
        rows=prod(y.shape[:3]),
        columns=members * columns,
        depth=members * channels * prod(kernel),
        groups=groups,
        group_strides=(members * channels, members * columns * y.strides[3]),
    )


def reads_lines(image: View, y: View, channels: int, kernel, window: Window2d) -> bool:
    """Whether patches are read in a copy of whole lines: rows of patches so short that to copy each costs too much."""
    return (
        channels < vector_length(image.dtype.itemsize)
        and pixels_joined(image, window, channels)
        and prod(kernel) > 1
        and channels * prod(kernel) <= DEPTH
        and y.shape[2] >= TILE_ROWS
    )


def groups_in_one(groups: int, channels: int, out: int, itemsize: int) -> int:
    """How many groups are multiplied as one: as many as fill a vector."""
    room = vector_length(itemsize) // max(channels, out, 1)
    return next((members for members in range(room, 1, -1) if groups % members == 0), 1)


def pixelwise(window: Window2d, size, kernel) -> bool:
    """Whether every output pixel is seen through one tap by the input pixel at its own place."""
    return tuple(kernel) == (1, 1) and window.stride == (1, 1) and not any(map(any, window.pads(size, kernel)))


def reads_well(image: View) -> bool:
    """Whether the pixels of an image are at one distance, and one that does not make them compete for the cache."""
    return is_flat(image) and row_stride(image) * image.dtype.itemsize % BAD_PITCH != 0


def channels_together(image: View, flat: bool = False) -> View | Packing:
    """The image as it is, if the channels of its pixels lie side by side, else how to make a copy where they do.

    If `flat`, its pixels must be at one distance too.
    """
    if is_flat(image) or not prod(image.shape) or (not flat and (image.strides[3] == 1 or image.shape[3] == 1)):
        return image
    n, height, width, channels = image.shape
    of_image, *of_pixel, of_channel = image.strides
    source = replace(image, shape=(1, 1, channels, 1, height, width), strides=(0, 0, of_channel, 0, *of_pixel))
    return Packing(source, channels, ((n, of_image),))


def packed_image(packing: Packing) -> View:
    """The image that the packing makes; where it will lie is not known."""
    channels, _, height, width = packing.source.shape[2:]
    ((n, _),) = packing.batch
    strides = (height * width * channels, width * channels, channels, 1)
    return replace(packing.source, shape=(n, height, width, channels), strides=strides)
