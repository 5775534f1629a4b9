"""The weight gradient of a two-dimensional convolution: dw[m, t] = sum_p g[m, p] X[t, p] (see `conv2d`).

The sum runs over every pixel of every image, often a hundred thousand of them, while dw may be as small as 20 x 25.
So the pixels are cut into slices that are summed in parallel and added in order at the end. How many slices there are
depends on the sizes alone, never on the number of threads, so the gradient is the same number on any of them.
"""

from math import ceil, prod
from typing import Any, NamedTuple

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import (
    VECTOR_BYTES,
    advance,
    integers,
    lane_range,
    lanes,
    load_where,
    store_where,
    zero,
)
from symcnn.backends.cpu.tuned.arguments import arguments, both_precisions, operand, scratch, sizes
from symcnn.backends.cpu.tuned.nchw_blocks import (
    FLOPS_PER_NANOSECOND,
    clear,
    copy,
    even_blocks,
    even_grain,
    pad,
    round_up,
)
from symcnn.backends.cpu.tuned.nchw_pixels import gather, geometry, window_axes
from symcnn.backends.cpu.tuned.nchw_product import one_precision
from symcnn.backends.cpu.tuned.nchw_tile import DOT_COLUMNS, DOT_ROWS, dot_products
from symcnn.schedule.plan import View

# A tile's rows of g and X (4 KiB each) stay in the first-level cache, a block of them in the second.
RUN_BYTES = 4096
BLOCK_ROWS = 20 * DOT_ROWS
BLOCK_COLUMNS = 20 * DOT_COLUMNS
TARGET_TASKS = 32
ADD_BLOCK = 1024


def conv2d_weight(dtype):
    """partial[s, m, t] = sum_p g[m, p] X[t, p] over slice s of the pixels; a task is one block of one slice.

    Operands: g, image, partial sums. Sizes: groups, m, taps, pixels, pixels in a slice, in a run; rows and columns of
    a block; the offset of the results in the scratch memory; the strides of a group of channels of g and of the image,
    and of a slice of partial sums; grid, source and window of g and of the image (see `pixels`).
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        g, image, partial = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        size = sizes(block, 3)
        groups, m, taps, pixels, slice_length, run_length = integers(size, 0, 6)
        block_rows, block_columns, results_at, g_group, image_group, of_slice = integers(size, 6, 6)
        g_grid, g_source, g_window = integers(size, 12, 2), integers(size, 14, 6), integers(size, 20, 8)
        grid, source, window = integers(size, 28, 2), integers(size, 30, 6), integers(size, 36, 8)
        wanted = scratch(block, 3, lo, dtype)
        results = advance(wanted, results_at)
        # One vector more than a run: rows a multiple of 4 KiB apart would all compete for the same lines of the cache.
        pitch = run_length + lanes(wanted)

        across = (taps + block_columns - 1) // block_columns
        down = (m + block_rows - 1) // block_rows
        for task in range(lo, hi):
            i, t = task // across % down * block_rows, task % across * block_columns
            piece, group = task // (down * across * groups), task // (down * across) % groups
            rows, columns = min(block_rows, m - i), min(block_columns, taps - t)
            width = pad(columns, DOT_COLUMNS)
            clear(results, pad(pad(rows, DOT_ROWS) * width, lanes(results)))
            seen = advance(wanted, rows * pitch)
            group_g, group_image = advance(g, group * g_group), advance(image, group * image_group)
            end = min((piece + 1) * slice_length, pixels)
            for first in range(piece * slice_length, end, run_length):
                run = (first, min(first + run_length, end))
                depth = pad(run[1] - first, lanes(wanted))
                if depth > run[1] - first:
                    for row in range(rows + columns):
                        clear(advance(wanted, row * pitch + depth - lanes(wanted)), lanes(wanted))
                # Two turns instead of two calls: `gather` is large, and each call of it would be compiled again.
                for side in range(2):
                    if side == 0:
                        gathered = (wanted, group_g, g_grid, g_source, g_window, (i, i + rows))
                    else:
                        gathered = (seen, group_image, grid, source, window, (t, t + columns))
                    gather(gathered[0], pitch, gathered[1], gathered[2], gathered[3], gathered[4], gathered[5], run)
                for row in range(0, rows, DOT_ROWS):
                    for column in range(0, columns, DOT_COLUMNS):
                        dot_products(
                            depth, advance(wanted, row * pitch), advance(seen, column * pitch), pitch,
                            advance(results, row * width + column), width,
                        )  # fmt: skip
            place = advance(partial, piece * of_slice + (group * m + i) * taps + t)
            for row in range(rows):
                copy(advance(place, row * taps), advance(results, row * width), columns)

    return kernel


def add_slices(dtype):
    """out[i] = sum_s partial[s, i]; a task is `ADD_BLOCK` elements. Sizes: elements, slices."""

    def kernel(lo, hi, args):
        block = arguments(args)
        partial, out = operand(block, 0, dtype), operand(block, 1, dtype)
        count, slices = integers(sizes(block, 2), 0, 2)
        for i in range(lo * ADD_BLOCK, min(hi * ADD_BLOCK, count), lanes(out)):
            inside = lane_range(out, 0, count - i)
            sum_ = zero(out)
            for piece in range(slices):
                sum_ = sum_ + load_where(inside, partial, piece * count + i)
            store_where(inside, out, i, sum_)

    return kernel


CONV2D_WEIGHT = both_precisions(conv2d_weight)
ADD_SLICES = both_precisions(add_slices)


class Conv2dWeightGrad:
    """The tuned kernel of ``Conv2dWeightGrad``: x (N, C, H, W), g (N, O, OH, OW) and the shape of w."""

    sometimes = (ADD_SLICES,)

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types[:2], output_type)

    def workspace(self, op, output: View, operands) -> int:
        slices = _cut(op, output, operands[1]).slices
        return slices * prod(output.shape) * output.dtype.itemsize if slices > 1 else 0

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        x, g, _ = operands
        groups = op.window.groups
        dtype, itemsize, elements = output.dtype.name, output.dtype.itemsize, prod(output.shape)
        if not elements:
            return []
        o, channels, *kernel = output.shape
        m, taps, grid = o // groups, channels * prod(kernel), g.shape[2:]
        pixels = g.shape[0] * prod(grid)
        rows, columns, run, slices, slice_length = _cut(op, output, g)
        pitch = run + VECTOR_BYTES // itemsize
        gathered = (round_up(rows, DOT_ROWS) + round_up(columns, DOT_COLUMNS)) * pitch
        tasks = slices * groups * ceil(m / rows) * ceil(taps / columns)
        flops = 2 * o * taps * pixels
        multiply = Launch(
            kernel=CONV2D_WEIGHT[dtype],
            operands=(g, x, workspace if slices > 1 else output),
            sizes=(
                *(groups, m, taps, pixels, slice_length, run, rows, columns, gathered),
                *(m * g.strides[1], channels * x.strides[1], elements),
                *geometry(g, grid),
                *geometry(x, grid, kernel, window_axes(op.window, x.shape[2:], kernel)),
            ),
            tasks=tasks,
            grain=even_grain(tasks, threads, flops / FLOPS_PER_NANOSECOND),
            scratch=(gathered + round_up(rows * columns, VECTOR_BYTES)) * itemsize,
            flops=flops,
        )
        if slices == 1:
            return [multiply]
        blocks = ceil(elements / ADD_BLOCK)
        add = Launch(
            kernel=ADD_SLICES[dtype],
            operands=(workspace, output),
            sizes=(elements, slices),
            tasks=blocks,
            grain=even_grain(blocks, threads, slices * elements / 8),
            flops=slices * elements,
        )
        return [multiply, add]


class Cut(NamedTuple):
    """How a weight gradient is cut: rows and columns of a block, pixels in a run, slices, pixels in a slice."""

    rows: int
    columns: int
    run: int
    slices: int
    slice_length: int


def _cut(op, output: View, g: View) -> Cut:
    """As many slices as make `TARGET_TASKS` tasks, if every slice has at least one full run of pixels."""
    m, taps = output.shape[0] // op.window.groups, prod(output.shape[1:])
    pixels = g.shape[0] * prod(g.shape[2:])
    rows = even_blocks(m, BLOCK_ROWS, DOT_ROWS)
    columns = even_blocks(taps, BLOCK_COLUMNS, DOT_COLUMNS)
    run = RUN_BYTES // output.dtype.itemsize
    blocks = op.window.groups * ceil(m / rows) * ceil(taps / columns)
    slices = max(1, min(ceil(TARGET_TASKS / max(1, blocks)), ceil(pixels / run)))
    slice_length = max(run, round_up(ceil(pixels / slices), run))
    return Cut(rows, columns, run, max(1, ceil(pixels / slice_length)), slice_length)
