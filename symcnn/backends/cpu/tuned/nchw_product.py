"""The one product behind `MatMul`, `Conv2d` and `Conv2dInputGrad`:  Y[m, p] = sum_t L[m, t] X[t, p], batched.

L is the left-hand matrix: weights, or the A of a matrix product. X is a matrix of pixels (see `pixels`), which is
gathered from an image and never stored whole. A matrix product is the case of an image with one row, whose pixels are
the columns of B and whose channels are the rows of B, seen through a window of one point.

Two launches: `pack_left` packs all of L once, `product` computes Y block by block.
"""

from itertools import chain
from math import ceil, prod

import numpy as np

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import advance, integers, lanes
from symcnn.backends.cpu.tuned.arguments import arguments, both_precisions, helper, operand, scratch, sizes
from symcnn.backends.cpu.tuned.nchw_blocks import (
    FLOPS_PER_NANOSECOND,
    clear,
    depth_block,
    even_grain,
    multiply,
    pad,
    panel_rows,
    product_blocks,
    round_up,
)
from symcnn.backends.cpu.tuned.nchw_pixels import UNIT_AXES, gather, geometry, joined_rows, scatter
from symcnn.backends.cpu.tuned.nchw_tile import ROW_UNIT, TILE_ROWS, TILE_VECTORS
from symcnn.schedule.plan import View

BATCH_AXES = 4


@helper
def batch_offset(axes, batch, which):
    """Offset of batch number `batch` in L (0), in the image (1) or in Y (2).

    `axes` points to (extent, stride in L, in the image, in Y) of each batch axis, the last axis first.
    """
    offset = 0
    for axis in range(BATCH_AXES):
        extent = axes[4 * axis]
        offset += batch % extent * axes[4 * axis + 1 + which]
        batch //= extent
    return offset


def pack_left(dtype):
    """Pack L into panels [taps][rows]; a task is one panel of one batch.

    Operands: L, panels. Sizes: m, channels, kernel_h, kernel_w; the strides of L along these; the batch axes.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        left, panels = operand(block, 0, dtype), operand(block, 1, dtype)
        size = sizes(block, 2)
        m, channels, kernel_h, kernel_w, of_row, of_channel, of_i, of_j = integers(size, 0, 8)
        axes = advance(size, 8)
        taps = channels * kernel_h * kernel_w
        per_batch = (m + TILE_ROWS - 1) // TILE_ROWS
        for task in range(lo, hi):
            batch, first = task // per_batch, task % per_batch * TILE_ROWS
            rows, height = min(TILE_ROWS, m - first), panel_rows(m - first)
            source = advance(left, batch_offset(axes, batch, 0) + first * of_row)
            target = advance(panels, (batch * pad(m, ROW_UNIT) + first) * taps)
            for channel in range(channels):
                for i in range(kernel_h):
                    for j in range(kernel_w):
                        tap = advance(source, channel * of_channel + i * of_i + j * of_j)
                        for row in range(height):
                            target[row] = tap[row * of_row] if row < rows else 0
                        target = advance(target, height)

    return kernel


def product(dtype):
    """Y[m, p] = sum_t L[m, t] X[t, p] in every batch; a task is one block of one Y.

    Operands: packed L, image, Y. Sizes: m, taps, pixels; rows, columns and depth of a block; the offset of the block
    of Y in the scratch memory; grid, source and window of the image (see `pixels`); grid and strides of Y; the batch
    axes.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        panels, image, output = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        size = sizes(block, 3)
        m, taps, pixels, block_rows, block_columns, block_depth, results_at = integers(size, 0, 7)
        grid, source, window = integers(size, 7, 2), integers(size, 9, 6), integers(size, 15, 8)
        output_grid, output_strides = integers(size, 23, 2), integers(size, 25, 4)
        axes = advance(size, 29)
        packed = scratch(block, 3, lo, dtype)
        results = advance(packed, results_at)

        width = TILE_VECTORS * lanes(packed)
        across = (pixels + block_columns - 1) // block_columns
        down = (m + block_rows - 1) // block_rows
        for task in range(lo, hi):
            batch = task // (down * across)
            row = task // across % down * block_rows
            start = task % across * block_columns
            rows, stop = min(block_rows, m - row), min(start + block_columns, pixels)
            pitch = pad(stop - start, width)
            left = advance(panels, (batch * pad(m, ROW_UNIT) + row) * taps)
            seen = advance(image, batch_offset(axes, batch, 1))

            clear(results, pad(rows, ROW_UNIT) * pitch)
            for first in range(0, taps, block_depth):
                last = min(first + block_depth, taps)
                for p in range(start, stop, width):
                    panel = advance(packed, (p - start) * (last - first))
                    gather(panel, width, seen, grid, source, window, (first, last), (p, min(p + width, stop)))
                multiply(left, taps, first, last - first, packed, results, rows, pitch)
            place = advance(output, batch_offset(axes, batch, 2) + row * output_strides[1])
            scatter(place, output_grid, output_strides, results, pitch, rows, (start, stop))

    return kernel


PACK_LEFT = both_precisions(pack_left)
PRODUCT = both_precisions(product)


def one_precision(*types) -> bool:
    """Whether all types are float32 or all are float64."""
    dtypes = {np.dtype(t.dtype) for t in types}
    return len(dtypes) == 1 and dtypes.pop().name in PRODUCT


def panel_bytes(batch: int, m: int, taps: int, itemsize: int) -> int:
    """Bytes of a packed L, in whole cache lines."""
    return round_up(batch * round_up(m, ROW_UNIT) * taps * itemsize, 64)


def _padded(batch) -> list[int]:
    """The batch axes as integers, filled up with axes of one."""
    return list(chain(*batch, *[(1, 0, 0, 0)] * (BATCH_AXES - len(batch))))


def pack_launch(left: View, batch, panels: View, threads: int) -> Launch:
    """The launch that packs the left-hand matrices of a batch (see `product_launches`)."""
    count = prod(extent for extent, *_ in batch)
    tasks = count * ceil(left.shape[0] / TILE_ROWS)
    return Launch(
        kernel=PACK_LEFT[left.dtype.name],
        operands=(left, panels),
        sizes=(*left.shape, *left.strides, *_padded(batch)),
        tasks=tasks,
        grain=even_grain(tasks, threads, count * prod(left.shape)),
    )


def product_launches(left: View, image: View, output: View, batch, panels: View, threads: int, axes=UNIT_AXES):
    """The launches of one batched product.

    Parameters
    ----------
    left : View
        (m, channels, kernel_h, kernel_w).
    image, output : View
        (images, channels, height, width) and (images, m, height, width).
    batch : list of (extent, stride in left, stride in image, stride in output)
        Axes beyond those of the views, the last one first.
    panels : View
        `panel_bytes` of memory for the packed left-hand matrix.
    axes : pair of (step, origin, tap)
        How rows, and columns, of the output see those of the image: ``row * step + origin + i * tap``.

    Returns
    -------
    list of Launch
    """
    dtype, itemsize = output.dtype.name, output.dtype.itemsize
    m, channels, *kernel = left.shape
    taps = channels * prod(kernel)
    grid = output.shape[2:]
    pixels = output.shape[0] * prod(grid)
    count = prod(extent for extent, *_ in batch)
    if not pixels * m * count:
        return []

    rows, columns = product_blocks(m, pixels, itemsize, count, threads)
    depth = depth_block(taps, itemsize)
    results_at = columns * depth
    tasks = count * ceil(m / rows) * ceil(pixels / columns)
    flops = 2 * count * m * taps * pixels
    multiply_packed = Launch(
        kernel=PRODUCT[dtype],
        operands=(panels or output, image, output),  # a product over no taps reads nothing
        sizes=(
            *(m, taps, pixels, rows, columns, depth, results_at),
            *geometry(image, grid, kernel, axes),
            *joined_rows(grid, output.strides[2:]),
            *output.strides,
            *_padded(batch),
        ),
        tasks=tasks,
        grain=even_grain(tasks, threads, flops / FLOPS_PER_NANOSECOND),
        scratch=(results_at + round_up(rows, ROW_UNIT) * columns) * itemsize,
        flops=flops,
    )
    return [pack_launch(left, batch, panels, threads), multiply_packed] if taps else [multiply_packed]
