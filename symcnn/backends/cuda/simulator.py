"""A GPU for machines that have none: Numba's simulator, where each thread of a block is a thread of Python.

Slow, and exact about what threads and barriers do: for reading kernels, stepping through them with a debugger, and
testing them.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from symcnn.backends.cuda.device import Call, Memory
from symcnn.backends.cuda.launch import SIMULATED, Kernel
from symcnn.backends.cuda.simulated import NAMES
from symcnn.backends.source import function_of

_lock = threading.RLock()  # the simulator runs one kernel at a time


class Simulator:
    """A `Device` whose memory is the host's."""

    name = "simulator"
    number = 0
    geometry = SIMULATED
    compile_seconds = 0.0

    def __init__(self):
        self._kernels: dict[str, object] = {}

    def compile(self, kernels: Iterable[Kernel]) -> None:
        for kernel in kernels:
            self._kernel(kernel)

    def _kernel(self, kernel: Kernel):
        if kernel.source not in self._kernels:
            from numba.cuda.simulator.kernel import FakeCUDAKernel

            file = f"<simulated kernel {len(self._kernels)}>"  # where shared arrays are told apart by their lines
            self._kernels[kernel.source] = FakeCUDAKernel(function_of(kernel.source, file, NAMES), False)
        return self._kernels[kernel.source]

    def allocate(self, nbytes: int) -> Memory:
        owner = np.zeros(max(nbytes, 1), np.uint8)
        return Memory(owner.ctypes.data, nbytes, owner)

    def upload(self, target: Memory, offset: int, array: np.ndarray) -> None:
        target.owner[offset : offset + array.nbytes] = array.reshape(-1).view(np.uint8)

    def download(self, source: Memory, offset: int, array: np.ndarray) -> None:
        array.reshape(-1).view(np.uint8)[:] = source.owner[offset : offset + array.nbytes]

    def copy(self, target: Memory, at: int, source: Memory, start: int, nbytes: int) -> None:
        target.owner[at : at + nbytes] = source.owner[start : start + nbytes].copy()

    def launch(self, call: Call) -> None:
        kernel: Any = self._kernel(call.kernel)
        pointers = [
            _Pointer(memory, offset, np.dtype(name))
            for (memory, offset), name in zip(call.pointers, call.kernel.operands, strict=True)
        ]
        with _lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # an infinity is no mistake in a kernel
            kernel[call.grid, call.kernel.threads](*pointers, *call.sizes)

    def record(self, calls: Sequence[Call]) -> Callable[[], None]:
        calls = tuple(calls)

        def replay():
            for call in calls:
                self.launch(call)

        return replay

    def synchronize(self) -> None:
        pass


class _Pointer:
    """Memory of the host from some place on, or from there back: indices may be negative, as those of a reversed view."""

    def __init__(self, memory: Memory, offset: int, dtype: np.dtype):
        start = offset % dtype.itemsize
        count = (memory.nbytes - start) // dtype.itemsize
        self._elements = memory.owner[start : start + count * dtype.itemsize].view(dtype)
        self._first = offset // dtype.itemsize

    def _place(self, index) -> int:
        place = self._first + int(index)
        if not 0 <= place < len(self._elements):
            raise IndexError(f"element {index} of a pointer lies outside its memory")
        return place

    def __getitem__(self, index):
        return self._elements[self._place(index)]

    def __setitem__(self, index, value):
        self._elements[self._place(index)] = value


SIMULATOR = Simulator()
