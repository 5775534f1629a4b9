"""Batched matrix product C[b] = A[b] B[b] with any strides, on the kernels of `product`."""

from math import prod
from typing import Any

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.tuned.blocks import padded_size
from symcnn.backends.cpu.tuned.product import BATCH_AXES, one_precision, panel_bytes, product_launches
from symcnn.schedule.plan import View


class MatMul:
    """The tuned kernels of ``MatMul``: (..., m, k) @ (..., k, n), leading axes broadcast, with any strides."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types, output_type) and 2 <= len(output_type.shape) <= 2 + BATCH_AXES

    def workspace(self, op, output: View, operands) -> int:
        a, b = operands
        left, _, _, batch = _arranged(a, b, output)
        m, k = left.shape[:2]
        return panel_bytes(prod(extent for extent, *_ in batch), m, k, output.dtype.itemsize)

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        a, b = operands
        left, image, target, batch = _arranged(a, b, output)
        return product_launches(left, image, target, batch, workspace, threads)


def _arranged(a: View, b: View, c: View) -> tuple[View, View, View, list[tuple[int, int, int, int]]]:
    """C = A B as a product of a left-hand matrix and an image of one row: (left, image, output, batch axes)."""
    batch = _merged_axes(c.shape[:-2], _batch_strides(a, c), _batch_strides(b, c), c.strides[:-2])
    m, n = c.shape[-2:]
    k = a.shape[-1]
    if batch and batch[0][1:] == (m * a.strides[-2], 0, m * c.strides[-2]):
        # One B for every row of a contiguous batch: it is one tall product.
        m *= batch.pop(0)[0]
    (a_row, a_column), (b_row, b_column), (c_row, c_column) = a.strides[-2:], b.strides[-2:], c.strides[-2:]
    if padded_size(n, m, c.dtype.itemsize) < 0.9 * padded_size(m, n, c.dtype.itemsize):
        # C^T = B^T A^T wastes less of the tile when C is narrow, and to transpose is to exchange strides.
        m, n, a, b = n, m, b, a
        a_row, a_column, b_row, b_column, c_row, c_column = b_column, b_row, a_column, a_row, c_column, c_row
        batch = [(extent, of_b, of_a, of_c) for extent, of_a, of_b, of_c in batch]
    # One A for a whole axis of the batch: its B are the images.
    images, _, b_image, c_image = batch.pop(0) if batch and batch[0][1] == 0 else (1, 0, 0, 0)
    return (
        View(a.buffer, a.offset, (m, k, 1, 1), (a_row, a_column, 0, 0), a.dtype),
        View(b.buffer, b.offset, (images, k, 1, n), (b_image, b_row, n * b_column, b_column), b.dtype),
        View(c.buffer, c.offset, (images, m, 1, n), (c_image, c_row, n * c_column, c_column), c.dtype),
        batch,
    )


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
