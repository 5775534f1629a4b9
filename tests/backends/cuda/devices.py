"""Devices for tests: one that emulates kernels with the block sizes of a GPU, and one that counts what is asked of it.

As a backend, this module is called "made": `made` gives a device a name by which `sc.function` finds it, in the test
modules that import it.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from symcnn.backends.cuda.backend import CudaBackend
from symcnn.backends.cuda.device import Memory
from symcnn.backends.cuda.launch import ON_DEVICE
from symcnn.backends.cuda.simulator import Simulator
from tests.backends.cuda.emulation import emulate

_backends: list[CudaBackend] = []


def made(device) -> str:
    """A name for `device`, for as long as the process lives."""
    _backends.append(CudaBackend(device))
    return f"made:{len(_backends) - 1}"


def numbered(number: int) -> CudaBackend:
    return _backends[number]


def backend_of(name: str) -> CudaBackend:
    return _backends[int(name.partition(":")[2])]


class Emulator(Simulator):
    """Kernels with races and indices checked.

    Parameters
    ----------
    geometry : Geometry
    interpreted : bool
        Whether kernels are run by Python rather than compiled first: sooner done for some thousand elements.
    """

    name = "emulator"

    def __init__(self, geometry=ON_DEVICE, interpreted=True):
        super().__init__()
        self.geometry, self._interpreted = geometry, interpreted

    def compile(self, kernels):
        """Nothing: `emulate` compiles what is launched, and remembers it."""
        for kernel in kernels:
            compile(kernel.source, "kernel", "exec")

    def launch(self, call):
        pointers = []
        for (memory, offset), name in zip(call.pointers, call.kernel.operands, strict=True):
            size = np.dtype(name).itemsize
            whole = memory.owner[offset % size :]  # from the start: the indices of a reversed view are negative
            pointers.append((whole[: len(whole) // size * size].view(name), offset // size))
        emulate(call.kernel, call.grid, pointers, call.sizes, interpreted=self._interpreted)


class Spy(Simulator):
    """The simulator, with a count of everything.

    Attributes
    ----------
    counts : Counter
        What was asked for -> how often.
    """

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def since(self) -> dict[str, int]:
        """What was asked for since the last time, and how often."""
        counts = dict(self.counts)
        self.counts.clear()
        return counts

    def compile(self, kernels):
        kernels = list(kernels)
        self.counts["compile"] += len({k.source for k in kernels} - self._kernels.keys())
        super().compile(kernels)

    def allocate(self, nbytes):
        """From a multiple of 512 bytes on, as a GPU does."""
        self.counts["allocate"] += 1
        whole = np.full(max(nbytes, 1) + 512, 0xA5, np.uint8)
        start = -whole.ctypes.data % 512
        owner = whole[start : start + max(nbytes, 1)]
        return Memory(owner.ctypes.data, nbytes, owner)

    def upload(self, target, offset, array):
        self.counts["upload"] += 1
        super().upload(target, offset, array)

    def download(self, source, offset, array):
        self.counts["download"] += 1
        super().download(source, offset, array)

    def copy(self, target, at, source, start, nbytes):
        self.counts["copy"] += 1
        super().copy(target, at, source, start, nbytes)

    def launch(self, call):
        self.counts["launch"] += 1
        super().launch(call)

    def record(self, calls):
        self.counts["record"] += 1
        return super().record(calls)
