"""Batched matrix product C[b] = A[b] B[b] with any strides, on the kernels of `product`."""

from dataclasses import replace
from math import prod
from typing import Any

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.tuned import dots
from symcnn.backends.cpu.tuned.blocks import round_up
from symcnn.backends.cpu.tuned.packing import BATCH_AXES, PACK, Packing
from symcnn.backends.cpu.tuned.product import (
    ALWAYS,
    FINISH_ROWS_OF,
    NEVER,
    PRODUCT,
    WHOLE_UNITS,
    Product,
    one_precision,
)
from symcnn.backends.cpu.tuned.tile import ROW_UNIT, TILE_ROWS, tile_columns
from symcnn.schedule.plan import View

# Products of at most so many rows use each number of B so seldom that it is read in place.
FEW_ROWS = 2 * TILE_ROWS
# Rows a multiple of this many bytes apart compete for the same places in the first-level cache: they are copied.
BAD_PITCH = 2048
# Results of at least so many bytes are rather not stored if only the epilogue reads them: they would leave the cache.
KEPT_BYTES = 1 << 20


class MatMul:
    """The tuned kernels of ``MatMul``: (..., m, k) @ (..., k, n), leading axes broadcast, with any strides."""

    finishes_rows = True
    sometimes = (PACK, PRODUCT, FINISH_ROWS_OF, dots.DOTS)

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types, output_type) and 2 <= len(output_type.shape) <= 2 + BATCH_AXES

    def keeps_rows(self, op, types, output_type) -> bool:
        """Where it saves memory bandwidth: large matrices of known size, computed by whole rows whatever the depth."""
        shape = output_type.shape
        if len(shape) != 2 or None in shape:
            return False
        return shape[0] > FEW_ROWS and prod(shape) * output_type.dtype.itemsize >= KEPT_BYTES

    def workspace(self, op, output: View, operands) -> int:
        a, b = operands
        return 0 if dots.suits(a, b, output) else arranged(a, b, output).workspace

    def algorithm_for(self, op, output: View, operands) -> str:
        a, b = operands
        return "dot products" if dots.suits(a, b, output) else "product"

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        a, b = operands
        if dots.suits(a, b, output):
            return dots.launches(a, b, output, threads)
        return arranged(a, b, output).launches(workspace, threads)


def arranged(a: View, b: View, c: View) -> Product:
    """C = A B as a product of rows and panels."""
    itemsize = c.dtype.itemsize
    batch = _merged_axes(c.shape[:-2], _batch_strides(a, c), _batch_strides(b, c), c.strides[:-2])
    m, n = c.shape[-2:]
    k = a.shape[-1]
    if batch and batch[0][1:] == (m * a.strides[-2], 0, m * c.strides[-2]):
        # One B for every row of a contiguous batch: it is one tall product.
        m *= batch.pop(0)[0]
    (a_row, a_step), (b_step, b_column), (c_row, c_column) = a.strides[-2:], b.strides[-2:], c.strides[-2:]
    swapped = b_step == 1 and b_column > 1 and m <= FEW_ROWS < n
    if swapped:
        # C^T = B^T A^T: the rows of B^T are contiguous, and there is no need to pack it for a few columns.
        a, b, m, n = b, a, n, m
        a_row, a_step, b_step, b_column, c_row, c_column = b_column, b_step, a_step, a_row, c_column, c_row
        batch = [(extent, of_b, of_a, of_c) for extent, of_a, of_b, of_c in batch]
    extents = [extent for extent, *_ in batch]
    of_a, of_b, of_c = ([axis[which] for axis in batch] for which in (1, 2, 3))

    few = m <= FEW_ROWS and not batch and b_column == 1 and n >= m
    if few or (a_step != 1 and k != 1):
        source = replace(a, shape=(1, 1, m, 1, 1, k), strides=(0, 0, a_row, 0, 0, a_step))
        x = Packing(source, min(TILE_ROWS, round_up(max(m, 1), ROW_UNIT)), _distinct(extents, of_a))
        of_a = _packed_strides(x, of_a)
        x_strides, x_in_place = (k, 1, x.width), ALWAYS
    else:
        x, x_strides = a, (a_row, a_row, 1)
        x_in_place = NEVER if a_row * itemsize % BAD_PITCH == 0 else WHOLE_UNITS
    packing, in_place = None, n // tile_columns(itemsize) * tile_columns(itemsize) if few else 0
    if in_place < n:
        source = replace(
            b,
            offset=b.offset + in_place * itemsize,
            shape=(1, 1, n - in_place, 1, 1, k),
            strides=(0, 0, b_column, 0, 0, b_step),
        )
        packing = Packing(source, tile_columns(itemsize), _distinct(extents, of_b))
        of_b = _packed_strides(packing, of_b)
    return Product(
        x=x,
        x_strides=x_strides,
        x_in_place=x_in_place,
        geometry=(1, m, 1, m, 0, 0, a_row, k, 1, 1, 0, 1, 1, 1, 1, 0, 1),
        w=replace(b, shape=(k, n), strides=(b_step, b_column)),
        in_place=in_place,
        packing=packing,
        y=replace(c, shape=(1, 1, m, n), strides=(0, 0, c_row, c_column)),
        rows=m,
        columns=n,
        depth=k,
        batch=tuple(zip(extents, of_a, of_b, of_c, strict=True)),
        whole_rows=not swapped,
    )


def _distinct(extents, strides) -> tuple[tuple[int, int], ...]:
    """The batch axes along which an operand is not the same matrix all over."""
    return tuple((extent, stride) for extent, stride in zip(extents, strides, strict=True) if stride)


def _packed_strides(packing: Packing, strides) -> list[int]:
    """The strides of the packed matrices along all batch axes, given those of the operand."""
    packed = iter(packing.batch_strides())
    return [next(packed) if stride else 0 for stride in strides]


def _batch_strides(x: View, c: View) -> tuple[int, ...]:
    """Strides of `x` along the leading axes of `c`: 0 where `x` is broadcast."""
    missing = len(c.shape) - len(x.shape)
    leading = zip(x.shape[:-2], x.strides[:-2], strict=True)
    return (*[0] * missing, *(0 if size == 1 else stride for size, stride in leading))


def _merged_axes(shape, a_strides, b_strides, c_strides) -> list[tuple[int, int, int, int]]:
    """Batch axes as (extent, stride in A, B, C), last first, with axes that act as one merged."""
    axes = []
    for extent, *strides in reversed(list(zip(shape, a_strides, b_strides, c_strides, strict=True))):
        if extent == 1:
            continue
        if axes and all(outer == axes[-1][0] * inner for outer, inner in zip(strides, axes[-1][1:], strict=True)):
            axes[-1] = (extent * axes[-1][0], *axes[-1][1:])
        else:
            axes.append((extent, *strides))
    return axes
