"""Winograd convolution of channels-last images (see `winograd_transforms`), and its input gradient.

The input gradient of a convolution is a convolution too, of g with the weights turned by 180 degrees and their channels
exchanged, so both run on the same two launches. `pack_weights` transforms all weights. `winograd` computes the result
block by block: it transforms the tiles of some rows of tiles, multiplies 36 small matrices
``[tiles, channels] [channels, out]``, and transforms the products into their final place. Blocks are small enough to
stay in the second-level cache in between, except in wide layers, which multiply long enough to hide it.

Tiles may hang over the edge of an image: the transforms find pixels through tables of addresses, in which every pixel
outside of the image is the same line of zeros, or of memory that nobody reads.

What is not finite spreads: a NaN or an infinity in the input makes NaN of all outputs in its tiles.
"""

from math import ceil, prod
from typing import Any

import numpy as np
from numba import float32, int64

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import VECTOR_BYTES, advance, integers
from symcnn.backends.cpu.tuned.arguments import arguments, finish, helper, operand, scratch, scratch_address, sizes
from symcnn.backends.cpu.tuned.blocks import FLOPS_PER_NANOSECOND, clear, even_blocks, even_grain, round_up, row_pitch
from symcnn.backends.cpu.tuned.tile import TILE_ROWS, rank_one_updates, tile_columns
from symcnn.backends.cpu.tuned.winograd_transforms import (
    EXTENT,
    TILE,
    VALUES,
    transform_input,
    transform_output,
    transform_weights,
)
from symcnn.config import config
from symcnn.schedule.plan import View

ITEM = 4  # bytes of a float32: the only precision that comes here, for float64 is asked for its accuracy
LANES = VECTOR_BYTES // ITEM
PANEL = tile_columns(ITEM)
TABLE = 2 * VALUES  # room for a table of addresses, in float32s
PACKED_CHANNELS = 16  # that a task of `pack_weights` transforms
# Of transformed tiles and their products, in a second-level cache of 1 MiB.
BLOCK_BYTES = 640 * 1024
FEWEST_TILES, MOST_TILES = 36, 96
# What it costs to transform the weights of one channel for one output, and to fetch them, in multiply-adds of vectors.
PACKING = 60


def by_window(factory):
    """The kernels ``factory(3)`` and ``factory(5)`` keyed by the size of the window, each with a name of its own."""
    kernels = {}
    for size in TILE:
        kernels[size] = factory(size)
        kernels[size].__name__ = kernels[size].__qualname__ = f"{factory.__name__}_{size}x{size}"
    return kernels


@helper
def find_pixels(table, extent, image, row, column, rows, columns, of_row, of_column, outside):
    """Addresses of the extent x extent pixels from (row, column) on; of those not in the image, `outside`.

    `image` is the address of pixel (0, 0), and strides count bytes.
    """
    for i in range(row, row + extent):
        inside = 0 <= i < rows
        for j in range(column, column + extent):
            table[0] = image + i * of_row + j * of_column if inside and 0 <= j < columns else outside
            table = advance(table, 1)


def pack_weights(kernel_size):
    """Transform weights to panels [group][36][panel][channel][out]; a task is a few channels of one panel.

    Operands: w, panels. Sizes: of the window; channels and out of a group; strides of w along groups, out, channels,
    rows and columns of the window; where its first tap is.
    """
    transform = transform_weights[kernel_size]

    def kernel(lo, hi, args):
        block = arguments(args)
        w, packed = operand(block, 0, float32), operand(block, 1, float32)
        side, channels, out, of_group, of_out, of_channel, of_row, of_column, tap = integers(sizes(block, 2), 0, 9)
        taps = scratch(block, 2, lo, float32)
        panels, parts = (out + PANEL - 1) // PANEL, (channels + PACKED_CHANNELS - 1) // PACKED_CHANNELS
        for task in range(lo, hi):
            group, panel, part = task // (panels * parts), task // parts % panels, task % parts
            used = min(PANEL, out - panel * PANEL)
            first = advance(w, tap + group * of_group + panel * PANEL * of_out)
            for channel in range(part * PACKED_CHANNELS, min((part + 1) * PACKED_CHANNELS, channels)):
                line = taps
                for i in range(side):
                    for j in range(side):
                        source = advance(first, channel * of_channel + i * of_row + j * of_column)
                        for lane in range(used):
                            line[lane] = source[lane * of_out]
                        for lane in range(used, PANEL):
                            line[lane] = 0
                        line = advance(line, PANEL)
                place = advance(packed, ((group * VALUES * panels + panel) * channels + channel) * PANEL)
                transform(PANEL, taps, PANEL, place, panels * channels * PANEL)

    return kernel


def winograd(kernel_size):
    """Convolve; a task is a few rows of tiles, counted through all images.

    Operands: x, packed weights, y. Sizes: groups, channels and out of a group; images, height and width of x and of y,
    padding at the top and on the left; strides of x in bytes along groups, images, rows, columns, and of y; rows of
    tiles in a task; in the scratch memory, where the pixel outside, the transformed tiles and their products lie, with
    the pitches of tiles and of the 36 matrices.
    """
    extent = TILE[kernel_size]
    transform = transform_output[kernel_size]

    def kernel(lo, hi, args):
        block = arguments(args)
        packed = operand(block, 1, float32)
        size = sizes(block, 3)
        groups, channels, out, images, height, width, rows, columns, top, left = integers(size, 0, 10)
        x_group, x_image, x_row, x_column, y_group, y_image, y_row, y_column = integers(size, 10, 8)
        tile_rows, outside_at, v_at, v_pitch, v_step, m_at, m_pitch, m_step = integers(size, 18, 8)
        table, private = scratch(block, 3, lo, int64), scratch(block, 3, lo, float32)
        outside = scratch_address(block, 3, lo) + outside_at * ITEM
        v, m = advance(private, v_at), advance(private, m_at)
        down, across = (rows + extent - 1) // extent, (columns + extent - 1) // extent
        panels = (out + PANEL - 1) // PANEL
        for task in range(lo, hi):
            first, stop = task * tile_rows, min((task + 1) * tile_rows, images * down)
            tiles = (stop - first) * across
            for group in range(groups):
                clear(advance(private, outside_at), v_at - outside_at)
                for tile in range(tiles):
                    row, column = first + tile // across, tile % across * extent
                    find_pixels(
                        table, EXTENT, block[0] + group * x_group + row // down * x_image,
                        row % down * extent - top, column - left, height, width, x_row, x_column, outside,
                    )  # fmt: skip
                    transform_input(channels, table, 0, advance(v, tile * v_pitch), v_step)
                for k in range(VALUES):
                    for panel in range(panels):
                        weights = advance(packed, ((group * VALUES + k) * panels + panel) * channels * PANEL)
                        for tile in range(0, tiles, TILE_ROWS):
                            rank_one_updates(
                                channels, advance(v, k * v_step + tile * v_pitch), v_pitch, 1, weights, PANEL,
                                advance(m, k * m_step + tile * m_pitch + panel * PANEL), m_pitch,
                                min(TILE_ROWS, tiles - tile), PANEL, False,
                            )  # fmt: skip
                for tile in range(tiles):
                    row, column = first + tile // across, tile % across * extent
                    find_pixels(
                        table, extent, block[2] + group * y_group + row // down * y_image,
                        row % down * extent, column, rows, columns, y_row, y_column, outside,
                    )  # fmt: skip
                    transform(out, advance(m, tile * m_pitch), m_step, table, 0)
            start = (first // down * rows + first % down * extent) * columns
            finish(block, 3, start, (stop // down * rows + stop % down * extent) * columns)

    return kernel


PACK_WEIGHTS = by_window(pack_weights)
WINOGRAD = by_window(winograd)


def suits(window, image: View, w: View, other: View) -> bool:
    """Whether the kernels here and in `winograd_weight` can compute a convolution, or one of its gradients.

    Parameters
    ----------
    window : Window2d
    image, other : View
        What plays the parts of input and output.
    w : View
        The weights, or their gradient.
    """
    channels, out = image.shape[3] // window.groups, other.shape[3] // window.groups
    return (
        config.winograd
        and all(view.dtype == np.float32 for view in (image, w, other))
        and w.shape[2:] in {(size, size) for size in TILE}
        and window.stride == window.dilation == (1, 1)
        and image.strides[3] == other.strides[3] == 1
        and min(channels, out) >= LANES
        and prod(image.shape) * prod(other.shape) > 0
    )


def tiles_of(image: View, kernel_size: int) -> tuple[int, int, int]:
    """How many tiles cover images of outputs: images, down, across."""
    extent = TILE[kernel_size]
    return image.shape[0], ceil(image.shape[1] / extent), ceil(image.shape[2] / extent)


def byte_strides(image: View, group_channels: int) -> tuple[int, ...]:
    """Strides along groups, images, rows and columns."""
    return tuple(s * ITEM for s in (group_channels, *image.strides[:3]))


def _pays(window, x: View, w: View, y: View) -> bool:
    """Whether Winograd is faster than a direct convolution, by counting cycles of one multiply-add of vectors."""
    groups, kernel_size = window.groups, w.shape[2]
    channels, out = x.shape[3] // groups, y.shape[3] // groups
    panels, tiles = ceil(out / PANEL), prod(tiles_of(y, kernel_size))
    direct = prod(y.shape[:3]) * kernel_size**2 * channels * panels * (PANEL // LANES)
    products = VALUES * round_up(tiles, 4) * channels * panels * (PANEL // LANES)
    transforms = tiles * (160 * ceil(channels / LANES) + 100 * ceil(out / LANES))
    return products + transforms + PACKING * channels * out < 0.8 * direct


def _convolution(x: View, w: View, y: View, before, strides, tap, groups, packed: Any, threads: int) -> list[Launch]:
    """The launches of a convolution with `before` = (top, left) zeros around x.

    `strides` and `tap` tell how w is read: see `pack_weights`.
    """
    kernel_size = w.shape[2]
    channels, out = x.shape[3] // groups, y.shape[3] // groups
    images, down, across = tiles_of(y, kernel_size)
    v_pitch, m_pitch = row_pitch(channels, ITEM), row_pitch(round_up(out, PANEL), ITEM)
    most = min(MOST_TILES, max(FEWEST_TILES, BLOCK_BYTES // (VALUES * ITEM * (v_pitch + m_pitch))))
    tile_rows = even_blocks(images * down, most // across, 1, threads)
    room = round_up(tile_rows * across, TILE_ROWS)
    v_step, m_step = row_pitch(room * v_pitch, ITEM), row_pitch(room * m_pitch, ITEM)
    outside_at = TABLE
    v_at = outside_at + round_up(max(channels, out), LANES)
    m_at = v_at + VALUES * v_step
    flops = 2 * prod(y.shape) * channels * kernel_size**2
    pack_tasks = groups * ceil(out / PANEL) * ceil(channels / PACKED_CHANNELS)
    tasks = ceil(images * down / tile_rows)
    return [
        Launch(
            kernel=PACK_WEIGHTS[kernel_size],
            operands=(w, packed),
            sizes=(kernel_size, channels, out, *strides, tap),
            tasks=pack_tasks,
            grain=even_grain(pack_tasks, threads, 10 * groups * channels * out),
            scratch=kernel_size**2 * PANEL * ITEM,
        ),
        Launch(
            kernel=WINOGRAD[kernel_size],
            operands=(x, packed, y),
            sizes=(
                *(groups, channels, out, images, *x.shape[1:3], *y.shape[1:3], *before),
                *byte_strides(x, channels),
                *byte_strides(y, out),
                *(tile_rows, outside_at, v_at, v_pitch, v_step, m_at, m_pitch, m_step),
            ),
            tasks=tasks,
            grain=even_grain(tasks, threads, flops / FLOPS_PER_NANOSECOND),
            scratch=(m_at + VALUES * m_step) * ITEM,
            flops=flops,
        ),
    ]


class WinogradConv2d:
    """The kernels of ``ChannelsLast(Conv2d)``: x (N, H, W, C) and w (O, C / groups, K, K)."""

    finishes_rows = True

    def suits(self, op, output: View, operands) -> bool:
        x, w = operands
        window = op.inner.window
        return suits(window, x, w, output) and _pays(window, x, w, output)

    def workspace(self, op, output: View, operands) -> int:
        out, channels = operands[1].shape[:2]
        groups = op.inner.window.groups
        return groups * VALUES * channels * round_up(out // groups, PANEL) * ITEM

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        x, w = operands
        window = op.inner.window
        before = [pair[0] for pair in window.pads(x.shape[1:3], w.shape[2:])]
        strides = (w.shape[0] // window.groups * w.strides[0], *w.strides)
        return _convolution(x, w, output, before, strides, 0, window.groups, workspace, threads)


class WinogradConv2dInputGrad:
    """The kernels of ``ChannelsLast(Conv2dInputGrad)``: g (N, OH, OW, O) and w (O, C / groups, K, K)."""

    finishes_rows = True

    def suits(self, op, output: View, operands) -> bool:
        g, w = operands[:2]
        window = op.inner.window
        return suits(window, g, w, output) and _pays(window, g, w, output)

    def workspace(self, op, output: View, operands) -> int:
        out, channels = operands[1].shape[:2]
        return VALUES * out * round_up(channels, PANEL) * ITEM

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        g, w = operands[:2]
        window, size = op.inner.window, w.shape[2]
        before = [size - 1 - pair[0] for pair in window.pads(output.shape[1:3], w.shape[2:])]
        of_out, of_channel, of_row, of_column = w.strides
        strides = (w.shape[0] // window.groups * of_out, of_channel, of_out, -of_row, -of_column)
        tap = (size - 1) * (of_row + of_column)
        return _convolution(g, w, output, before, strides, tap, window.groups, workspace, threads)
