"""Kernels of a GPU run by this processor, fast enough to check numbers, and strict about what goes wrong on a GPU.

`phases` turns the threads of a block into loops between barriers, and Numba compiles them. Mistakes are found besides wrong
numbers:

- A missing barrier: shared memory that one thread wrote is read or written by another, or what one has read is written by
  another, without a barrier in between.
- Two writers of one element, in any memory, and a read of what nobody wrote: every kernel runs twice, the second time with
  threads and blocks in the reverse order and other garbage in its memory, and both times must give the same bits.
- An index out of range, negative ones too, and four elements at once from an address where the GPU has no four.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from symcnn.backends.cuda import simulated
from symcnn.backends.cuda.launch import Kernel
from symcnn.backends.jit import njit
from symcnn.backends.scalars import functions
from tests.backends.cuda.phases import DTYPES, translate


class Race(AssertionError):
    """The result depends on the order of the threads, or on what memory happened to hold."""


_compiled: Any = njit(error_model="numpy", boundscheck=True)


@_compiled
def quotient(a, b):
    return np.int32(np.uint32(a) // np.uint32(b))


@_compiled
def rest(a, b):
    return np.int32(np.uint32(a) % np.uint32(b))


@_compiled
def load4(pointer, index):
    i = _aligned(pointer, index)
    return pointer[i], pointer[i + np.uint64(1)], pointer[i + np.uint64(2)], pointer[i + np.uint64(3)]


@_compiled
def store4(pointer, index, a, b, c, d):
    i = _aligned(pointer, index)
    pointer[i] = a
    pointer[i + np.uint64(1)] = b
    pointer[i + np.uint64(2)] = c
    pointer[i + np.uint64(3)] = d


@_compiled
def _aligned(pointer, index):
    if (pointer.ctypes.data + index * pointer.itemsize) % 16:
        raise IndexError("four elements from an address that is no multiple of 16 bytes")
    return np.uint64(index)


# Of every element of shared memory: the epochs in which it was last written and last read, and by whom.
_WRITTEN, _WRITER, _READ, _READER = range(4)
_SEVERAL = -1


@_compiled
def emulated_load(array, track, index, thread, epoch):
    """Read an element of shared memory."""
    i = np.uint64(index)
    if track[i, _WRITTEN] == epoch and track[i, _WRITER] != thread:
        raise Race("a thread reads what another wrote, with no barrier in between")
    track[i, _READER] = thread if track[i, _READ] != epoch or track[i, _READER] == thread else _SEVERAL
    track[i, _READ] = epoch
    return array[i]


@_compiled
def emulated_store(array, track, index, thread, epoch, value):
    """Write an element of shared memory; several threads may write the same value."""
    i = np.uint64(index)
    if track[i, _READ] == epoch and track[i, _READER] != thread:
        raise Race("a thread writes what another has read, with no barrier in between")
    before = array[i]
    array[i] = value
    if track[i, _WRITTEN] == epoch and track[i, _WRITER] != thread and array[i] != before:
        raise Race("two threads write the same element, with no barrier in between")
    track[i, _WRITTEN], track[i, _WRITER] = epoch, thread


@_compiled
def emulated_multiply_tiles(
    shared, track, thread, epoch, left, left_own, left_step, right, right_own, right_step, sums, at, lane
):
    """What `symcnn.backends.cuda.simulated.multiply_tiles` is, with its reads told apart."""
    for k in range(4):
        row, column = lane // 4 + k // 2 * 8, lane % 4 * 2 + k % 2
        total = sums[at + k]
        for step in range(8):
            a = emulated_load(shared, track, left + row * left_own + step * left_step, thread, epoch)
            total += a * emulated_load(shared, track, right + column * right_own + step * right_step, thread, epoch)
        sums[at + k] = total


PRIMITIVES: dict[str, Any] = {
    "quotient": quotient, "rest": rest, "load4": load4, "store4": store4,
    "to_tf32": _compiled(simulated.to_tf32), "emulated_multiply_tiles": emulated_multiply_tiles,
    "emulated_load": emulated_load, "emulated_store": emulated_store,
}  # fmt: skip


def emulate(kernel: Kernel, grid, pointers, sizes, names: dict | None = None, interpreted: bool = False) -> None:
    """Run `kernel` on every thread of every block, changing what `pointers` hold.

    Parameters
    ----------
    kernel : Kernel
    grid : int, or up to three of them
    pointers : list of numpy.ndarray, or of (numpy.ndarray, int)
        One-dimensional memory, and the element to which the operand points, if it is not the first. Operands that share
        memory on the device may share it here.
    sizes : sequence of int
    names : dict, optional
        Functions that Numba can compile, beyond those that all kernels know.
    interpreted : bool
        By Python itself, without compiling: sooner done where there are few threads and elements.

    Raises
    ------
    Refused
        If barriers stand or values live where they may not.
    Race
        If the order of the threads matters, or what was in memory before.
    IndexError
        If an index is out of range.
    """
    grid = (*(grid if isinstance(grid, (tuple, list)) else (grid,)), 1, 1)[:3]
    pointers = [p if isinstance(p, tuple) else (p, 0) for p in pointers]
    pointers, firsts = [p for p, _ in pointers], [first for _, first in pointers]
    assert [p.dtype.name for p in pointers] == list(kernel.operands), "the operands have other types"
    assert all(p.ndim == 1 for p in pointers), "the operands have other axes than one"
    assert len(sizes) == kernel.integers, "the kernel takes another number of integers"
    run: Any = (
        in_python(kernel.source, len(kernel.operands), kernel.threads) if interpreted
        else compiled(kernel.source, len(kernel.operands), kernel.threads, tuple((names or {}).items()))
    )  # fmt: skip
    number = int if interpreted else np.int32
    before, results = [p.copy() for p in pointers], []
    for backwards in (False, True):
        for p, contents in zip(pointers, before, strict=True):
            p[:] = contents
        try:
            run(*pointers, *map(number, sizes), *map(int, firsts), *map(int, grid), backwards)
        except IndexError as error:
            raise IndexError(f"a thread reads or writes outside of its memory: {error}, in\n{kernel.source}") from None
        except Race as error:
            raise Race(f"{error}, in\n{kernel.source}") from None
        results.append([p.tobytes() for p in pointers])
    for number, (first, second) in enumerate(zip(*results, strict=True)):
        if first != second:
            raise Race(f"operand {number} depends on the order of threads or on garbage, in\n{kernel.source}")


@cache
def compiled(source: str, pointers: int, threads: int, names: tuple = ()):
    """``run(*pointers, *sizes, *firsts, grid x, grid y, grid z, backwards)`` for the source of a kernel."""
    namespace: dict[str, Any] = {
        **functions.NAMES, **{name: getattr(np, name) for name in DTYPES}, **PRIMITIVES,
        "nan": np.nan, "inf": np.inf, "np": np, "math": math, **dict(names),
    }  # fmt: skip
    exec(translate(source, pointers, threads), namespace)
    return njit(namespace["emulated"], error_model="numpy", boundscheck=True)


@cache
def in_python(source: str, pointers: int, threads: int):
    """The same, not compiled."""
    namespace: dict[str, Any] = {
        **{name: getattr(np, name) for name in DTYPES}, **simulated.NAMES,
        **{name: function.py_func for name, function in PRIMITIVES.items()}, "np": np,
    }  # fmt: skip
    exec(translate(source, pointers, threads), namespace)

    def run(*arguments):
        with np.errstate(all="ignore"):
            namespace["emulated"](*arguments)

    return run
