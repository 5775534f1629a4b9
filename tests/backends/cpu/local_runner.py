"""Runs the launches of a tuned kernel without a planner: what the executor does, serially and with checks."""

from functools import cache

import numpy as np
from numba import cfunc

from symcnn.schedule.plan import View

_signature = "void(int64, int64, uintp)"


@cache
def compiled(kernel):
    """The ctypes function of a kernel, compiled once per test session."""
    return cfunc(_signature, nopython=True, fastmath={"reassoc", "contract", "arcp", "nsz"})(kernel).ctypes


def view_of(array, buffer):
    strides = tuple(s // array.itemsize for s in array.strides)
    return View(buffer, 0, array.shape, strides, array.dtype)


def run(entry, op, output, operands, threads=2, epilogue=(0, 0)):
    """Compute `op` into `output` with the launches of a tuned entry; a guard after all memory must survive.

    `epilogue` is the address of a kernel and of its argument block.
    """
    arrays = [*operands, output]
    views = [None if a is None else view_of(a, i) for i, a in enumerate(arrays)]
    *inputs, result = views
    needed = entry.workspace(op, result, tuple(inputs))
    workspace, guard = _guarded(needed)
    space = View(len(arrays), 0, (needed,), (1,), np.dtype(np.uint8)) if needed else None
    launches = entry.launches(op, result, tuple(inputs), threads, space)
    buffers = [*arrays, workspace]
    for launch in launches:
        scratch, scratch_guard = _guarded(launch.scratch * launch.chunks)
        addresses = [buffers[v.buffer].ctypes.data + v.offset for v in launch.operands]
        header = [scratch.ctypes.data, launch.scratch, launch.grain, *epilogue, 0]
        block = np.array([*addresses, *header, *launch.sizes], np.int64)
        for lo in range(0, launch.tasks, launch.grain):
            compiled(launch.kernel)(lo, min(lo + launch.grain, launch.tasks), block.ctypes.data)
        assert (scratch_guard == 0xA5).all(), "wrote past the scratch memory"
    assert (guard == 0xA5).all(), "wrote past the workspace"
    return launches


def _guarded(count):
    """`count` bytes aligned to 64 and filled with garbage, and the guard that follows them."""
    memory = np.full(count + 4160, 0xA5, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + count], memory[start + count : start + count + 4096]
