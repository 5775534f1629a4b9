"""Two-dimensional convolution and its two gradients in NCHW, as blocked products that never store im2col.

With t = (channel, i, j) for the taps of the window and p = (image, row, column) for the pixels of the output, and with
X[t, p] the input that tap t sees from pixel p (see `pixels`),

    output       y[m, p]  = sum_t  w[m, t] X[t, p]
    weight       dw[m, t] = sum_p  g[m, p] X[t, p]
    input        dx[c, q] = sum_(m, i, j)  w[m, c, i, j] g[m, the pixel that sees q through tap (i, j)]

The input gradient is itself a convolution, of g with the roles of the channels of w exchanged and the taps walked
backwards. With a stride s, the input rows with equal ``(row + padding) % s`` are seen through the same taps, a regular
subset; so the gradient is s * s dense convolutions with stride 1, each on a strided view of w and of dx, and no
multiplication by an inserted zero is ever done. Both therefore share one kernel, `conv2d`.

The weight gradient sums over pixels, along which both of its operands are contiguous: `dot_products`.
"""

from dataclasses import dataclass, replace
from itertools import product
from math import ceil, gcd, prod

import numpy as np

from symcnn.backends.cpu.launch import Launch, View
from symcnn.backends.cpu.simd import advance, integers, lanes
from symcnn.backends.cpu.tuned.arguments import both_precisions, helper, operand, scratch, sizes
from symcnn.backends.cpu.tuned.blocks import (
    clear,
    depth_block,
    even_grain,
    multiply,
    pad,
    panel_rows,
    product_blocks,
    round_up,
    scratch_elements,
)
from symcnn.backends.cpu.tuned.pixels import gather, joined_rows, scatter
from symcnn.backends.cpu.tuned.tile import ROW_UNIT, TILE_ROWS, TILE_VECTORS


@helper
def pack_weights(lo, hi, block, dtype):
    """Pack the weights of every group into panels [taps][rows]; a task is one panel.

    Operands: w, panels. Sizes: m, channels, kernel_h, kernel_w; strides of a group, a row, a channel and both taps.
    """
    w, panels = operand(block, 0, dtype), operand(block, 1, dtype)
    m, channels, kernel_h, kernel_w, of_group, of_row, of_channel, of_i, of_j = integers(sizes(block, 2), 0, 9)
    depth = channels * kernel_h * kernel_w
    per_group = (m + TILE_ROWS - 1) // TILE_ROWS
    for task in range(lo, hi):
        group, first = task // per_group, task % per_group * TILE_ROWS
        rows, height = min(TILE_ROWS, m - first), panel_rows(m - first)
        source = advance(w, group * of_group + first * of_row)
        target = advance(panels, (group * pad(m, ROW_UNIT) + first) * depth)
        for channel in range(channels):
            for i in range(kernel_h):
                for j in range(kernel_w):
                    tap = advance(source, channel * of_channel + i * of_i + j * of_j)
                    for row in range(height):
                        target[row] = tap[row * of_row] if row < rows else 0
                    target = advance(target, height)


@helper
def conv2d(lo, hi, block, dtype):
    """y[m, p] = sum_t w[m, t] X[t, p] in every group; a task is a block of rows and pixels of one group.

    Operands: packed weights, image, output. Sizes: m, taps, pixels; rows, columns and depth of a block; the offset of
    the block of results in the scratch memory; the strides of a group of image and output channels; then grid, source
    and window (see `pixels`); then grid and strides of the output.
    """
    panels, image, output = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
    size = sizes(block, 3)
    m, taps, pixels, block_rows, block_columns, block_depth, results_at = integers(size, 0, 7)
    image_group, output_group = integers(size, 7, 2)
    grid, source, window = integers(size, 9, 2), integers(size, 11, 6), integers(size, 17, 8)
    output_grid, output_strides = integers(size, 25, 2), integers(size, 27, 4)
    packed = scratch(block, 3, lo, dtype)
    results = advance(packed, results_at)

    width = TILE_VECTORS * lanes(packed)
    across = (pixels + block_columns - 1) // block_columns
    down = (m + block_rows - 1) // block_rows
    for task in range(lo, hi):
        group = task // (down * across)
        i = task // across % down * block_rows
        start = task % across * block_columns
        rows, stop = min(block_rows, m - i), min(start + block_columns, pixels)
        pitch = pad(stop - start, width)
        group_panels = advance(panels, (group * pad(m, ROW_UNIT) + i) * taps)
        group_image = advance(image, group * image_group)

        clear(results, pad(rows, ROW_UNIT) * pitch)
        for first in range(0, taps, block_depth):
            depth = min(block_depth, taps - first)
            for p in range(start, stop, width):
                panel = advance(packed, (p - start) * depth)
                if p + width > stop:
                    clear(panel, depth * width)
                gather(
                    panel, width, group_image, grid, source, window, (first, first + depth), (p, min(p + width, stop))
                )
            multiply(group_panels, taps, first, depth, packed, results, rows, stop - start)
        place = advance(output, group * output_group + i * output_strides[1])
        scatter(place, output_grid, output_strides, results, pitch, rows, (start, stop))


PACK_WEIGHTS = both_precisions(pack_weights)
CONV2D = both_precisions(conv2d)


# -- Launches ---------------------------------------------------------------------------------------------------------


def one_precision(*types) -> bool:
    """Whether all types are float32 or all are float64."""
    dtypes = {np.dtype(t.dtype) for t in types}
    return len(dtypes) == 1 and dtypes.pop().name in CONV2D


def _packed_bytes(m: int, taps: int, groups: int, itemsize: int) -> int:
    """Bytes of the packed weights, in whole cache lines."""
    return round_up(groups * round_up(m, ROW_UNIT) * taps * itemsize, 64)


def _convolution(w: View, of_group: int, image: View, output: View, groups, axes, panels: View, threads) -> list[Launch]:
    """The launches of one convolution: pack the weights, then multiply.

    Parameters
    ----------
    w : View
        (rows, channels, kernel_h, kernel_w) of the first group; `of_group` elements on is the next group.
    image, output : View
        (images, groups * channels, height, width) and (images, groups * rows, height, width).
    axes : pair of (step, origin, tap)
        Geometry of the rows and of the columns (see `pixels`).
    panels : View
        Room for the packed weights.
    """
    dtype, itemsize = output.dtype.name, output.dtype.itemsize
    m, channels, kernel_h, kernel_w = w.shape
    taps = channels * kernel_h * kernel_w
    grid = output.shape[2:]
    pixels = output.shape[0] * grid[0] * grid[1]
    if not pixels * m * groups:
        return []
    size = image.shape[2:]
    output_grid = joined_rows(grid, output.strides[2:])
    if (kernel_h, kernel_w) == (1, 1) and axes == ((1, 0, 1), (1, 0, 1)) and grid == size:
        grid = size = joined_rows(grid, image.strides[2:])

    rows, columns = product_blocks(m, pixels, itemsize, groups, threads)
    depth = depth_block(taps, itemsize)
    _, packed, results = scratch_elements(min(m, rows), columns, depth, itemsize)
    tasks = groups * ceil(m / rows) * ceil(pixels / columns)
    panel_count = groups * ceil(m / TILE_ROWS)
    pack = Launch(
        kernel=PACK_WEIGHTS[dtype],
        operands=(w, panels),
        sizes=(*w.shape, of_group, *w.strides),
        tasks=panel_count,
        grain=even_grain(panel_count, threads),
    )
    convolve = Launch(
        kernel=CONV2D[dtype],
        operands=(panels, image, output),
        sizes=(
            *(m, taps, pixels, rows, columns, depth, packed),
            *(channels * image.strides[1], m * output.strides[1]),
            *(*grid, *size, *image.strides, kernel_h, kernel_w, *axes[0], *axes[1]),
            *(*output_grid, *output.strides),
        ),
        tasks=tasks,
        grain=even_grain(tasks, threads),
        scratch=(packed + results) * itemsize,
        flops=2 * groups * m * taps * pixels,
    )
    return [pack, convolve] if taps else [convolve]


class Conv2d:
    """The tuned kernel of ``Conv2d``: x (N, C, H, W) and w (O, C / groups, KH, KW), both with any strides."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types, output_type)

    def workspace(self, op, output: View, operands) -> int:
        o, *window = operands[1].shape
        return _packed_bytes(o // op.window.groups, prod(window), op.window.groups, output.dtype.itemsize)

    def launches(self, op, output: View, operands, threads: int, workspace=None) -> list[Launch]:
        x, w = operands
        window, groups = op.window, op.window.groups
        pads = window.pads(x.shape[2:], w.shape[2:])
        axes = tuple(
            (step, -before, tap)
            for step, (before, _), tap in zip(window.stride, pads, window.dilation, strict=True)
        )
        m = w.shape[0] // groups
        first_group = replace(w, shape=(m, *w.shape[1:]))
        return _convolution(first_group, m * w.strides[0], x, output, groups, axes, workspace, threads)


@dataclass(frozen=True)
class Phase:
    """The rows (or columns) of an input that see its output through the same taps.

    Attributes
    ----------
    first, step, count : int
        The input rows ``first + step * r`` for 0 <= r < count.
    first_tap, tap_step, taps : int
        The taps ``first_tap + tap_step * t`` for 0 <= t < taps.
    axis : (step, origin, tap)
        Row r sees output row ``r * step + origin + t * tap`` through tap t.
    """

    first: int
    step: int
    count: int
    first_tap: int
    tap_step: int
    taps: int
    axis: tuple[int, int, int]


def phases(extent: int, kernel: int, stride: int, dilation: int, before: int) -> list[Phase]:
    """The phases of an axis of `extent` inputs: tap i of output o reads input ``o * stride + i * dilation - before``.

    >>> [(phase.first, phase.first_tap, phase.taps) for phase in phases(8, kernel=3, stride=2, dilation=1, before=1)]
    [(0, 1, 1), (1, 0, 2)]
    """
    tap_step = stride // gcd(stride, dilation)
    found = []
    for first in range(min(stride, extent)):
        matching = [i for i in range(kernel) if (first + before - i * dilation) % stride == 0]
        first_tap = matching[0] if matching else 0
        axis = (1, (first + before - first_tap * dilation) // stride, -(tap_step * dilation) // stride)
        found.append(Phase(first, stride, ceil((extent - first) / stride), first_tap, tap_step, len(matching), axis))
    return found


class Conv2dInputGrad:
    """The tuned kernel of ``Conv2dInputGrad``: g (N, O, OH, OW), w (O, C / groups, KH, KW) and the shape of x."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types[:2], output_type)

    def workspace(self, op, output: View, operands) -> int:
        return sum(self._packed(op, pair, output, operands) for pair in self._phases(op, output, operands))

    def launches(self, op, output: View, operands, threads: int, workspace=None) -> list[Launch]:
        g, w, _ = operands
        groups = op.window.groups
        launches, offset = [], workspace.offset if workspace else 0
        for rows, columns in self._phases(op, output, operands):
            weights = View(
                w.buffer,
                w.offset + (rows.first_tap * w.strides[2] + columns.first_tap * w.strides[3]) * w.dtype.itemsize,
                (w.shape[1], w.shape[0] // groups, rows.taps, columns.taps),
                (w.strides[1], w.strides[0], rows.tap_step * w.strides[2], columns.tap_step * w.strides[3]),
                w.dtype,
            )
            seen = View(
                output.buffer,
                output.offset + (rows.first * output.strides[2] + columns.first * output.strides[3]) * output.dtype.itemsize,
                (*output.shape[:2], rows.count, columns.count),
                (*output.strides[:2], rows.step * output.strides[2], columns.step * output.strides[3]),
                output.dtype,
            )
            panels = workspace and replace(workspace, offset=offset)
            of_group = w.shape[0] // groups * w.strides[0]
            axes = (rows.axis, columns.axis)
            launches += _convolution(weights, of_group, g, seen, groups, axes, panels, threads)
            offset += self._packed(op, (rows, columns), output, operands)
        return launches

    @staticmethod
    def _phases(op, output: View, operands) -> list[tuple[Phase, Phase]]:
        window, kernel, extent = op.window, operands[1].shape[2:], output.shape[2:]
        pads = window.pads(extent, kernel)
        by_axis = (
            phases(extent[axis], kernel[axis], window.stride[axis], window.dilation[axis], pads[axis][0])
            for axis in (0, 1)
        )
        return list(product(*by_axis))

    @staticmethod
    def _packed(op, pair, output: View, operands) -> int:
        """Bytes of the packed weights of one pair of phases."""
        w, groups = operands[1], op.window.groups
        taps = w.shape[0] // groups * pair[0].taps * pair[1].taps
        return _packed_bytes(w.shape[1], taps, groups, output.dtype.itemsize)
