"""Matrix-vector products, and those of a few vectors, by dot products: the lanes are steps of the sum.

Where the contraction axis is the contiguous one of both operands, a tile whose lanes are columns would have to
transpose a whole matrix that is used once. A dot product reads it as it lies, at the speed of memory.
"""

from math import ceil
from typing import Any

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import advance, fma, integers, lane_range, lanes, load, load_where, total, zero
from symcnn.backends.cpu.tuned.arguments import arguments, both_precisions, finish, operand, sizes
from symcnn.backends.cpu.tuned.blocks import even_grain, vector_length
from symcnn.backends.cpu.tuned.product import finish_launch
from symcnn.schedule.plan import NOWHERE, View

ROWS = 4  # of the matrix at a time, two sums of each: enough to hide the latency of a multiplication
FEW_VECTORS = 4  # more reuse the matrix so often that the tile of `product` is faster, although it is packed
VECTORS_OF_DEPTH = 4  # shorter sums spend their time on adding up lanes
BYTES_PER_NANOSECOND = 16


def dots(dtype):
    """Y[p, q] = sum_t A[p, t] X[q, t], rows of A and X being contiguous; a task is `ROWS` rows of A.

    Operands: A, X, Y. Sizes: rows of A and X, depth; strides of rows of A and X, of Y by p and by q; whether a row of A
    is a row of the output, to be finished here. The order of a sum depends on its depth alone.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        a, x, y = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        rows, vectors, depth, a_row, x_row, y_row, y_vector, finishes = integers(sizes(block, 3), 0, 8)
        width = lanes(a)
        for task in range(lo, hi):
            first, last = task * ROWS, rows - 1
            # The last row stands in for those beyond it.
            second, third, fourth = min(first + 1, last), min(first + 2, last), min(first + 3, last)
            a0, a1 = advance(a, first * a_row), advance(a, second * a_row)
            a2, a3 = advance(a, third * a_row), advance(a, fourth * a_row)
            for q in range(vectors):
                v = advance(x, q * x_row)
                s0, s1, s2, s3 = zero(a), zero(a), zero(a), zero(a)
                r0, r1, r2, r3 = zero(a), zero(a), zero(a), zero(a)
                t = 0
                while t + 2 * width <= depth:
                    now, then = load(v, t), load(v, t + width)
                    s0, r0 = fma(load(a0, t), now, s0), fma(load(a0, t + width), then, r0)
                    s1, r1 = fma(load(a1, t), now, s1), fma(load(a1, t + width), then, r1)
                    s2, r2 = fma(load(a2, t), now, s2), fma(load(a2, t + width), then, r2)
                    s3, r3 = fma(load(a3, t), now, s3), fma(load(a3, t + width), then, r3)
                    t += 2 * width
                while t < depth:
                    there = lane_range(a, 0, depth - t)
                    now = load_where(there, v, t)
                    s0, s1 = fma(load_where(there, a0, t), now, s0), fma(load_where(there, a1, t), now, s1)
                    s2, s3 = fma(load_where(there, a2, t), now, s2), fma(load_where(there, a3, t), now, s3)
                    t += width
                column = advance(y, q * y_vector)
                column[first * y_row], column[second * y_row] = total(s0 + r0), total(s1 + r1)
                column[third * y_row], column[fourth * y_row] = total(s2 + r2), total(s3 + r3)
        if finishes != 0:
            finish(block, 3, lo * ROWS, min(hi * ROWS, rows))

    return kernel


DOTS = both_precisions(dots)


def suits(a: View, b: View, c: View) -> bool:
    """Whether C = A B is one of the products above: few rows, or few columns, and contiguous sums that are long."""
    itemsize = c.dtype.itemsize
    few = 0 < min(c.shape[-2:]) <= FEW_VECTORS and len(c.shape) == 2 and c.buffer != NOWHERE
    return few and a.strides[-1] == b.strides[-2] == 1 and a.shape[-1] >= VECTORS_OF_DEPTH * vector_length(itemsize)


def launches(a: View, b: View, c: View, threads: int) -> list[Launch]:
    """C = A B."""
    (m, n), k = c.shape, a.shape[1]
    matrix: Any = (a, m, a.strides[0], c.strides[0])
    others: Any = (b, n, b.strides[1], c.strides[1])
    by_rows = m >= n
    if not by_rows:
        matrix, others = others, matrix
    (large, rows, large_row, c_row), (small, vectors, small_row, c_vector) = matrix, others
    tasks = ceil(rows / ROWS)
    found = Launch(
        kernel=DOTS[c.dtype.name],
        operands=(large, small, c),
        sizes=(rows, vectors, k, large_row, small_row, c_row, c_vector, by_rows),
        tasks=tasks,
        grain=even_grain(tasks, threads, rows * vectors * k * c.dtype.itemsize / BYTES_PER_NANOSECOND),
        flops=2 * m * n * k,
    )
    return [found] if by_rows else [found, finish_launch(c, m, threads)]
