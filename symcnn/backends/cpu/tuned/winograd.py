"""Winograd convolution of channels-last images (see `winograd_transforms`), and its input gradient.

The input gradient of a convolution is a convolution too, of g with the weights turned by 180 degrees and their channels
exchanged. Where that takes many more tiles, it is the transposed map instead, whose tiles overlap and are added up.

There are two launches. `pack_weights` transforms all weights. `winograd` computes the result block by block: it
transforms some rows of tiles, multiplies 36 small matrices ``[tiles, channels] [channels, out]``, and transforms the
products into their final place. Blocks stay in the second-level cache in between, except in wide layers, which multiply
long enough to hide it.

Tiles may hang over the edge of an image: the transforms find pixels through tables of addresses, in which every pixel
outside of the image is the same line of zeros, or of memory that nobody reads.

What is not finite spreads: a NaN or an infinity in the input makes NaN of all outputs of its tiles.
"""

from dataclasses import replace
from math import ceil, prod
from typing import Any

import numpy as np
from numba import float32, int64, uintp

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import VECTOR_BYTES, advance, integers, pointer
from symcnn.backends.cpu.tuned.arguments import arguments, finish, helper, operand, scratch, scratch_address, sizes
from symcnn.backends.cpu.tuned.blocks import FLOPS_PER_NANOSECOND, clear, erase, even_grain, round_up, row_pitch
from symcnn.backends.cpu.tuned.tile import ROW_UNIT, TILE_ROWS, rank_one_updates, tile_columns
from symcnn.backends.cpu.tuned.winograd_transforms import (
    EXTENT,
    TILE,
    VALUES,
    transform_input,
    transform_input_gradient,
    transform_output,
    transform_output_gradient,
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
BLOCK_BYTES = 512 * 1024
FEWEST_TILES, MOST_TILES = 24, 96
# What it costs, in multiply-adds of vectors: to transform a vector of channels of a tile to the points or back, and to
# transform the weights of one channel for one output, beyond what a direct convolution spends to pack them. The latter
# waits for memory, while shorter vectors are multiplied faster.
TRANSFORM, WEIGHTS = 160, 480 // LANES
# To add up a tile costs more than to write it: the transposed map must do with at most this part of the tiles.
FEWER_TILES = 0.7


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


@helper
def erase_pixels(image, rows, columns, of_row, of_column, channels):
    """Zeros for all pixels of the image at this address; strides count bytes."""
    for row in range(rows):
        for column in range(columns):
            erase(pointer(uintp(image + row * of_row + column * of_column), float32), channels)


@helper
def multiply(tiles, channels, v, v_pitch, weights, m, m_pitch, width):
    """M = V times one panel of weights, `width` columns of it."""
    for tile in range(0, tiles, TILE_ROWS):
        rank_one_updates(
            1, channels, advance(v, tile * v_pitch), 0, v_pitch, 1, weights, PANEL,
            advance(m, tile * m_pitch), m_pitch, min(TILE_ROWS, tiles - tile), width, False,
        )  # fmt: skip


def pack_weights(kernel_size):
    """Transform weights to panels [group][36][panel][channel][out]; a task is a few channels of one panel.

    Operands: w, panels. Sizes: of the window; channels and out of a group; strides of w along groups, out, channels,
    rows and columns of the window.
    """
    transform = transform_weights[kernel_size]

    def kernel(lo, hi, args):
        block = arguments(args)
        w, packed = operand(block, 0, float32), operand(block, 1, float32)
        side, channels, out, of_group, of_out, of_channel, of_row, of_column = integers(sizes(block, 2), 0, 8)
        taps = scratch(block, 2, lo, float32)
        panels, parts = (out + PANEL - 1) // PANEL, (channels + PACKED_CHANNELS - 1) // PACKED_CHANNELS
        for task in range(lo, hi):
            group, panel, part = task // (panels * parts), task // parts % panels, task % parts
            used = min(PANEL, out - panel * PANEL)
            first = advance(w, group * of_group + panel * PANEL * of_out)
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


def winograd(kernel_size, transpose=False):
    """Convolve, or apply the transposed map; a task is a few rows of tiles, counted through all images.

    Operands: x, packed weights, y. Sizes: groups, channels and out of a group; images; tiles down and across an image;
    height and width of x, row and column of its first tile; the same of y; strides of x in bytes along groups, images,
    rows, columns, and of y; rows of tiles in a task, whole images for the transposed map; in the scratch memory, where
    the pixel outside, the transformed tiles and their products lie, with the pitches of tiles and of matrices.
    """
    extent = TILE[kernel_size]
    x_extent, y_extent = (extent, EXTENT) if transpose else (EXTENT, extent)
    to_points = transform_output_gradient[kernel_size] if transpose else transform_input
    from_points = transform_input_gradient if transpose else transform_output[kernel_size]

    def kernel(lo, hi, args):
        block = arguments(args)
        packed = operand(block, 1, float32)
        size = sizes(block, 3)
        groups, channels, out, images, down, across = integers(size, 0, 6)
        height, width, top, left = integers(size, 6, 4)
        rows, columns, y_top, y_left = integers(size, 10, 4)
        x_group, x_image, x_row, x_column, y_group, y_image, y_row, y_column = integers(size, 14, 8)
        tile_rows, outside_at, v_at, v_pitch, v_step, m_at, m_pitch, m_step = integers(size, 22, 8)
        table, private = scratch(block, 3, lo, int64), scratch(block, 3, lo, float32)
        outside = scratch_address(block, 3, lo) + outside_at * ITEM
        v, m = advance(private, v_at), advance(private, m_at)
        panels = (out + PANEL - 1) // PANEL
        for task in range(lo, hi):
            first, stop = task * tile_rows, min((task + 1) * tile_rows, images * down)
            tiles = (stop - first) * across
            for group in range(groups):
                clear(advance(private, outside_at), v_at - outside_at)
                for tile in range(tiles):
                    row, column = first + tile // across, tile % across * extent
                    find_pixels(
                        table, x_extent, block[0] + group * x_group + row // down * x_image,
                        row % down * extent + top, column + left, height, width, x_row, x_column, outside,
                    )  # fmt: skip
                    to_points(channels, table, 0, advance(v, tile * v_pitch), v_step)
                for k in range(VALUES):
                    for panel in range(panels):
                        weights = advance(packed, ((group * VALUES + k) * panels + panel) * channels * PANEL)
                        # Constants, or the tile would be compiled for ragged edges, too, of which there are none.
                        if out - panel * PANEL > LANES:
                            multiply(
                                tiles, channels, advance(v, k * v_step), v_pitch, weights,
                                advance(m, k * m_step + panel * PANEL), m_pitch, PANEL,
                            )  # fmt: skip
                        else:
                            multiply(
                                tiles, channels, advance(v, k * v_step), v_pitch, weights,
                                advance(m, k * m_step + panel * PANEL), m_pitch, LANES,
                            )  # fmt: skip
                if transpose:
                    for image in range(first // down, stop // down):
                        start = block[2] + group * y_group + image * y_image
                        erase_pixels(start, rows, columns, y_row, y_column, out)
                for tile in range(tiles):
                    row, column = first + tile // across, tile % across * extent
                    find_pixels(
                        table, y_extent, block[2] + group * y_group + row // down * y_image,
                        row % down * extent + y_top, column + y_left, rows, columns, y_row, y_column, outside,
                    )  # fmt: skip
                    from_points(out, advance(m, tile * m_pitch), m_step, table, 0)
            # Rows of tiles are whole rows of pixels, except for the transposed map, whose tasks are whole images.
            start = (first // down * rows + first % down * extent) * columns
            finish(block, 3, start, (stop // down * rows + stop % down * extent) * columns)

    return kernel


def winograd_transposed(kernel_size):
    """`winograd` for the transposed map."""
    return winograd(kernel_size, transpose=True)


PACK_WEIGHTS = by_window(pack_weights)
WINOGRAD = by_window(winograd)
WINOGRAD_TRANSPOSED = by_window(winograd_transposed)


def is_possible(window, w: View, *images: View) -> bool:
    """Whether the kernels here and in `winograd_weight` can compute a convolution, or one of its gradients."""
    out, channels, *kernel = w.shape
    return (
        config.winograd
        and all(view.dtype == np.float32 for view in (w, *images))
        and tuple(kernel) in {(size, size) for size in TILE}
        and window.stride == window.dilation == (1, 1)
        and min(channels, out // window.groups) >= LANES
        and all(image.strides[3] == 1 and prod(image.shape) for image in images)
    )


def tiles_of(image: View, kernel_size: int) -> tuple[int, int, int]:
    """How many tiles cover images of outputs: images, down, across."""
    extent = TILE[kernel_size]
    return image.shape[0], ceil(image.shape[1] / extent), ceil(image.shape[2] / extent)


def byte_strides(image: View, group_channels: int) -> tuple[int, ...]:
    """Strides along groups, images, rows and columns."""
    return tuple(s * ITEM for s in (group_channels, *image.strides[:3]))


def _pays(x: View, w: View, y: View, tiles: int) -> bool:
    """Whether it is faster than a direct convolution, by counting multiply-adds of vectors; w as in `_convolution`."""
    _, out, channels, kernel_size, _ = w.shape
    vectors = ceil(out / LANES)
    direct = prod(y.shape[:3]) * kernel_size**2 * channels * vectors
    products = VALUES * round_up(tiles, ROW_UNIT) * channels * vectors
    transforms = tiles * TRANSFORM * (ceil(channels / LANES) + ceil(out / LANES))
    return products + transforms + WEIGHTS * channels * out < direct


def _convolution(x: View, w: View, y: View, first, packed: Any, threads: int, transpose=False) -> list[Launch]:
    """The launches of a convolution, or of the transposed map.

    Parameters
    ----------
    w : View
        (groups, out, channels, rows, columns), where `channels` are those of x and `out` those of y.
    first : (row, column)
        The first pixel of the first tile: of x, or of y for the transposed map.
    packed : View
        `packed_bytes` of memory.
    """
    groups, out, channels, kernel_size, _ = w.shape
    images, down, across = tiles_of(x if transpose else y, kernel_size)
    v_pitch, m_pitch = row_pitch(channels, ITEM), row_pitch(round_up(out, PANEL), ITEM)
    most = min(MOST_TILES, max(FEWEST_TILES, BLOCK_BYTES // (VALUES * ITEM * (v_pitch + m_pitch))))
    tile_rows = _task_rows(images * down, across, most, down if transpose else 1, threads)
    room = round_up(tile_rows * across, TILE_ROWS)
    v_step, m_step = row_pitch(room * v_pitch, ITEM), row_pitch(room * m_pitch, ITEM)
    outside_at = TABLE
    v_at = outside_at + round_up(max(channels, out), LANES)
    m_at = v_at + VALUES * v_step
    flops = 2 * prod((x if transpose else y).shape[:3]) * prod(w.shape)
    pack_tasks = groups * ceil(out / PANEL) * ceil(channels / PACKED_CHANNELS)
    tasks = ceil(images * down / tile_rows)
    return [
        Launch(
            kernel=PACK_WEIGHTS[kernel_size],
            operands=(w, packed),
            sizes=(kernel_size, channels, out, *w.strides),
            tasks=pack_tasks,
            grain=even_grain(pack_tasks, threads, 10 * groups * channels * out),
            scratch=kernel_size**2 * PANEL * ITEM,
            prepares=packed_bytes(groups, channels, out),
        ),
        Launch(
            kernel=(WINOGRAD_TRANSPOSED if transpose else WINOGRAD)[kernel_size],
            operands=(x, packed, y),
            sizes=(
                *(groups, channels, out, images, down, across),
                *(*x.shape[1:3], *((0, 0) if transpose else first)),
                *(*y.shape[1:3], *(first if transpose else (0, 0))),
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


def _task_rows(rows: int, across: int, most: int, unit: int, threads: int) -> int:
    """Rows of tiles in a task, a multiple of `unit`: about `most` tiles, and shares that are as equal as they can be."""
    units, about = rows // unit, max(1, round(most / (across * unit)))

    def longest_share(size):
        return ceil(ceil(units / size) / threads) * round_up(size * unit * across, ROW_UNIT)

    fewest = min(ceil(about * 2 / 3), ceil(units / threads))
    return unit * min(range(about * 4 // 3, fewest - 1, -1), key=longest_share)


def packed_bytes(groups: int, channels: int, out: int) -> int:
    """Of transformed weights."""
    return groups * VALUES * channels * round_up(out, PANEL) * ITEM


class WinogradConv2d:
    """The kernels of ``ChannelsLast(Conv2d)``: x (N, H, W, C) and w (O, C / groups, K, K)."""

    algorithm = "winograd"
    finishes_rows = True

    def suits(self, op, output: View, operands) -> bool:
        x, w = operands
        groups = op.inner.window.groups
        return is_possible(op.inner.window, w, x, output) and _pays(
            x, _by_group(w, groups), output, prod(tiles_of(output, w.shape[2]))
        )

    def workspace(self, op, output: View, operands) -> int:
        out, channels = operands[1].shape[:2]
        return packed_bytes(op.inner.window.groups, channels, out // op.inner.window.groups)

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        x, w = operands
        window = op.inner.window
        first = [-before for before, _ in window.pads(x.shape[1:3], w.shape[2:])]
        return _convolution(x, _by_group(w, window.groups), output, first, workspace, threads)


class WinogradConv2dInputGrad:
    """The kernels of ``ChannelsLast(Conv2dInputGrad)``: g (N, OH, OW, O) and w (O, C / groups, K, K).

    As a convolution it needs tiles to cover the image, as the transposed map tiles to cover g. The latter are fewer
    where there is little padding, but it costs more to add up the results of tiles that overlap.
    """

    algorithm = "winograd"
    finishes_rows = True

    def suits(self, op, output: View, operands) -> bool:
        g, w = operands[:2]
        return is_possible(op.inner.window, w, g, output) and _pays(
            g, _exchanged(w, op.inner.window.groups), output, min(self._tiles(output, g, w))
        )

    def workspace(self, op, output: View, operands) -> int:
        out, channels = operands[1].shape[:2]
        return packed_bytes(op.inner.window.groups, out // op.inner.window.groups, channels)

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        g, w = operands[:2]
        window, size = op.inner.window, w.shape[2]
        weights = _exchanged(w, window.groups)
        before = [pair[0] for pair in window.pads(output.shape[1:3], w.shape[2:])]
        gathered, added = self._tiles(output, g, w)
        if added < FEWER_TILES * gathered:
            return _convolution(g, weights, output, [-b for b in before], workspace, threads, transpose=True)
        return _convolution(g, _turned(weights), output, [b - size + 1 for b in before], workspace, threads)

    def _tiles(self, output, g, w) -> tuple[int, int]:
        return prod(tiles_of(output, w.shape[2])), prod(tiles_of(g, w.shape[2]))


def _by_group(w: View, groups: int) -> View:
    """w (O, C / groups, K, K) as (groups, O / groups, C / groups, K, K)."""
    out = w.shape[0] // groups
    return replace(w, shape=(groups, out, *w.shape[1:]), strides=(out * w.strides[0], *w.strides))


def _exchanged(w: View, groups: int) -> View:
    """w (O, C / groups, K, K) as (groups, C / groups, O / groups, K, K)."""
    w = _by_group(w, groups)
    shape, strides = ((a[0], a[2], a[1], *a[3:]) for a in (w.shape, w.strides))
    return replace(w, shape=shape, strides=strides)


def _turned(w: View) -> View:
    """w with its window turned by 180 degrees."""
    last = sum((extent - 1) * stride for extent, stride in zip(w.shape[3:], w.strides[3:], strict=True))
    return replace(w, offset=w.offset + last * ITEM, strides=(*w.strides[:3], -w.strides[3], -w.strides[4]))
