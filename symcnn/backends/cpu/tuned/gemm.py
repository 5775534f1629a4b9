"""Batched matrix product C[b] = A[b] B[b] with any strides: packed, blocked for the caches, on the register tile."""

from itertools import chain
from math import ceil, prod

import numpy as np

from symcnn.backends.cpu.launch import Launch, View
from symcnn.backends.cpu.simd import advance, integers, lanes
from symcnn.backends.cpu.tuned.arguments import both_precisions, helper, operand, scratch, sizes
from symcnn.backends.cpu.tuned.blocks import (
    clear,
    copy,
    depth_block,
    even_grain,
    multiply,
    pack_columns,
    pack_rows,
    pad,
    product_blocks,
    round_up,
    scratch_elements,
)
from symcnn.backends.cpu.tuned.tile import ROW_UNIT, TILE_VECTORS, tile_columns

BATCH_AXES = 4


@helper
def batch_offset(axes, batch, which):
    """Offset of batch number `batch` in operand `which` (0: A, 1: B, 2: C).

    `axes` holds (extent, stride of A, of B, of C) for each batch axis, the last axis first.
    """
    offset = 0
    for axis in range(BATCH_AXES):
        extent = axes[4 * axis]
        offset += batch % extent * axes[4 * axis + 1 + which]
        batch //= extent
    return offset


@helper
def write_block(target, row_stride, column_stride, block, block_stride, rows, columns):
    """Copy a finished block of C to its place."""
    if column_stride == 1:
        for i in range(rows):
            copy(advance(target, i * row_stride), advance(block, i * block_stride), columns)
    else:
        for j in range(columns):
            for i in range(rows):
                target[i * row_stride + j * column_stride] = block[i * block_stride + j]


@helper
def matmul(lo, hi, block, dtype):
    """C[b] = A[b] B[b]; a task is one block of one C.

    Operands: A, B, C. Sizes: m, n, k; rows, columns and depth of a block; the offsets of B and C in the scratch
    memory; row and column strides of A, B, C; the batch axes (see `batch_offset`).
    """
    a, b, c = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
    size = sizes(block, 3)
    m, n, k, block_rows, block_columns, block_depth, b_at, c_at = integers(size, 0, 8)
    a_row, a_column, b_row, b_column, c_row, c_column = integers(size, 8, 6)
    axes = advance(size, 14)
    packed_a = scratch(block, 3, lo, dtype)
    packed_b, partial_c = advance(packed_a, b_at), advance(packed_a, c_at)

    across = (n + block_columns - 1) // block_columns
    down = (m + block_rows - 1) // block_rows
    for task in range(lo, hi):
        batch = task // (down * across)
        i = task // across % down * block_rows
        j = task % across * block_columns
        rows, columns = min(block_rows, m - i), min(block_columns, n - j)
        padded_columns = pad(columns, TILE_VECTORS * lanes(packed_b))
        a_block = advance(a, batch_offset(axes, batch, 0) + i * a_row)
        b_block = advance(b, batch_offset(axes, batch, 1) + j * b_column)
        c_block = advance(c, batch_offset(axes, batch, 2) + i * c_row + j * c_column)

        clear(partial_c, pad(rows, ROW_UNIT) * padded_columns)
        for first in range(0, k, block_depth):
            depth = min(block_depth, k - first)
            pack_rows(packed_a, advance(a_block, first * a_column), rows, depth, a_row, a_column)
            pack_columns(packed_b, advance(b_block, first * b_row), columns, depth, b_column, b_row)
            multiply(packed_a, depth, 0, depth, packed_b, partial_c, rows, columns)
        write_block(c_block, c_row, c_column, partial_c, padded_columns, rows, columns)


MATMUL = both_precisions(matmul)


class MatMul:
    """The tuned kernel of ``MatMul``: (..., m, k) @ (..., k, n), with equal ranks and any strides."""

    def accepts(self, op, types, output_type) -> bool:
        dtypes = {np.dtype(t.dtype) for t in (*types, output_type)}
        return len(dtypes) == 1 and dtypes.pop().name in MATMUL and 2 <= len(output_type.shape) <= 2 + BATCH_AXES

    def workspace(self, op, output: View, operands) -> int:
        return 0

    def launches(self, op, output: View, operands, threads: int, workspace=None) -> list[Launch]:
        a, b = operands
        m, k, n = a.shape[-2], a.shape[-1], b.shape[-1]
        count = prod(output.shape[:-2])
        flops = 2 * count * m * n * k
        if not count * m * n:
            return []
        axes = _merged_axes(output.shape[:-2], a.strides[:-2], b.strides[:-2], output.strides[:-2])
        strides = [(x.strides[-2], x.strides[-1]) for x in (a, b, output)]
        if axes and axes[0][1:] == (m * strides[0][0], 0, m * strides[2][0]):
            # One B for every row of a contiguous batch: it is one tall product.
            m *= axes.pop(0)[0]

        itemsize = output.dtype.itemsize
        if _padded_size(n, m, itemsize) < 0.9 * _padded_size(m, n, itemsize):
            # C^T = B^T A^T wastes less of the tile when C is narrow, and to transpose is to exchange strides.
            m, n, a, b = n, m, b, a
            axes = [(extent, of_b, of_a, of_c) for extent, of_a, of_b, of_c in axes]
            strides = [strides[1][::-1], strides[0][::-1], strides[2][::-1]]

        batch = prod(extent for extent, *_ in axes)
        rows, columns = product_blocks(m, n, itemsize, batch, threads)
        depth = depth_block(k, itemsize)
        a_size, b_size, c_size = scratch_elements(min(m, rows), min(n, columns), depth, itemsize)
        axes += [(1, 0, 0, 0)] * (BATCH_AXES - len(axes))
        tasks = batch * ceil(m / rows) * ceil(n / columns)
        return [
            Launch(
                kernel=MATMUL[output.dtype.name],
                operands=(a, b, output),
                sizes=(m, n, k, rows, columns, depth, a_size, a_size + b_size, *chain(*strides), *chain(*axes)),
                tasks=tasks,
                grain=even_grain(tasks, threads),
                scratch=(a_size + b_size + c_size) * itemsize,
                flops=flops,
            )
        ]


def _padded_size(m: int, n: int, itemsize: int) -> int:
    """Elements that the tile computes for an m x n result."""
    return round_up(m, ROW_UNIT) * round_up(n, tile_columns(itemsize))


def _merged_axes(shape, a_strides, b_strides, c_strides) -> list[tuple[int, int, int, int]]:
    """Batch axes as (extent, stride of A, B, C), last first, with axes that act as one merged."""
    axes = []
    for extent, *strides in reversed(list(zip(shape, a_strides, b_strides, c_strides, strict=True))):
        if extent == 1:
            continue
        if axes and all(outer == axes[-1][0] * inner for outer, inner in zip(strides, axes[-1][1:], strict=True)):
            axes[-1] = (extent * axes[-1][0], *axes[-1][1:])
        else:
            axes.append((extent, *strides))
    return axes
