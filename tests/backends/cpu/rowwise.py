"""A tuned matrix product as plain as can be, for tests of epilogues: it finishes its rows in blocks of three."""

import inspect

import numpy as np
from numba import float32, float64

from symcnn.backends.cache import content_hash
from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import advance
from symcnn.backends.cpu.tuned.arguments import arguments, finish, finish_kept, keeps_rows, operand, scratch, sizes

ROWS = 3  # per block


def _factory(dtype):
    itemsize = dtype.bitwidth // 8

    def kernel(lo, hi, args):
        block = arguments(args)
        a, b, c = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        size = sizes(block, 3)
        m, n, k, a_row, a_column, b_row, b_column = size[0], size[1], size[2], size[3], size[4], size[5], size[6]
        for task in range(lo, hi):
            first, last = task * 3, min(m, task * 3 + 3)
            kept = keeps_rows(block, 3)
            rows = scratch(block, 3, task, dtype) if kept else advance(c, first * n)
            for i in range(first, last):
                for j in range(n):
                    total = dtype(0)
                    for t in range(k):
                        total += a[i * a_row + t * a_column] * b[t * b_row + j * b_column]
                    rows[(i - first) * n + j] = total
            if kept:
                finish_kept(block, 3, task, 0, first, last, n * itemsize)
            else:
                finish(block, 3, first, last)

    # Named by its text, for the cache of kernels knows the sources of the package only.
    kernel.__name__ = kernel.__qualname__ = f"rowwise_{dtype}_{content_hash(inspect.getsource(_factory))}"
    return kernel


KERNELS = {"float32": _factory(float32), "float64": _factory(float64)}


class RowwiseMatMul:
    """An entry of ``TUNED``, which stores no result that only its epilogue reads."""

    finishes_rows = True

    def accepts(self, op, types, output_type):
        return {t.dtype.name for t in (*types, output_type)} <= set(KERNELS) and all(len(t.shape) == 2 for t in types)

    def keeps_rows(self, op, types, output_type):
        return True

    def workspace(self, op, output, operands):
        return 0

    def algorithm_for(self, op, output, operands):
        return "rows"

    def launches(self, op, output, operands, threads, workspace=None):
        m, n = output.shape
        if not m * n:
            return []
        a, b = operands
        kernel = KERNELS[np.dtype(output.dtype).name]
        sizes = (m, n, a.shape[1], *a.strides, *b.strides)
        return [
            Launch(
                kernel, (a, b, output), sizes, tasks=-(-m // ROWS), grain=1, scratch=ROWS * n * output.dtype.itemsize
            )
        ]
