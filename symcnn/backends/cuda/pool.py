"""Memory of a GPU that is used again: the driver needs longer to give and to take it than a small network to run.

A block that is given back keeps its contents in use by work that was asked for before; whoever gets it next asks for his
work later, on the same stream, so none waits. What other streams do with it, `symcnn.backends.cuda.uploads` puts in order.
"""

from __future__ import annotations

import gc
from collections import deque
from typing import Any
from weakref import ref

from symcnn.backends.cuda.bindings import OUT_OF_MEMORY, Driver, DriverError
from symcnn.backends.cuda.device import Memory
from symcnn.errors import BackendError

SMALL, LARGE = 512, 2**21  # sizes are rounded up to multiples, so that a block suits more than one tensor
MIB = 2**20


class Usage:
    """When a recording was last asked for. The GPU may have yet to do that when nobody has the recording any more.

    Attributes
    ----------
    number : int
        In the numbering of `Uploads`.
    """

    __slots__ = ("_recording", "number")

    def __init__(self, recording: Any):
        self.number, self._recording = 0, ref(recording)

    @property
    def is_final(self) -> bool:
        return self._recording() is None


class Block:
    """Bytes that the driver gave.

    Attributes
    ----------
    address, nbytes : int
    used : int
        When work of the compute stream was last asked for that uses it, in the numbering of `Uploads`; recordings count
        for themselves.
    recordings : list of Usage
        Of the graphs that use it whenever they run.
    """

    __slots__ = ("address", "nbytes", "recordings", "used")

    def __init__(self, address: int, nbytes: int):
        self.address, self.nbytes, self.used = address, nbytes, 0
        self.recordings: list[Usage] = []

    @property
    def last_used(self) -> int:
        return max([self.used, *(usage.number for usage in self.recordings)])

    def is_used_by(self, usage: Usage) -> None:
        """One more recording uses it; of those that nobody has any more, only the last run counts."""
        final = [u for u in self.recordings if u.is_final]
        self.used = max([self.used, *(u.number for u in final)])
        self.recordings = [*(u for u in self.recordings if u not in final), usage]


class Lease:
    """Owner of a block while somebody has it. Collected in whatever thread and moment, it may not call the driver."""

    __slots__ = ("_returned", "block")

    def __init__(self, block: Block, returned: deque):
        self.block, self._returned = block, returned

    def __del__(self):
        self._returned.append(self.block)


class Pool:
    """The blocks of one GPU.

    Parameters
    ----------
    driver : Driver
    name : str
        Of the GPU, for people.
    wait : callable
        Returns when the GPU has done everything that was asked for.
    """

    def __init__(self, driver: Driver, name: str, wait):
        self._driver, self._name, self._wait = driver, name, wait
        self._free: dict[int, list[Block]] = {}
        self._returned: deque[Block] = deque()
        self.held = 0  # bytes that the driver gave, in use or not

    def allocate(self, nbytes: int) -> Memory:
        """Memory that goes back to the pool when its owner is collected.

        Raises
        ------
        BackendError
            When neither the pool nor the driver has that much.
        """
        size = _rounded(nbytes)
        self._collect()
        free = self._free.get(size)
        block = free.pop() if free else Block(self._ask(size), size)
        return Memory(block.address, nbytes, Lease(block, self._returned))

    def release(self) -> None:
        """Give the driver what nobody uses."""
        gc.collect()
        self._collect()
        self._wait()
        for blocks in self._free.values():
            for block in blocks:
                self._driver.cuMemFree(block.address)
                self.held -= block.nbytes
        self._free.clear()

    def _collect(self) -> None:
        while self._returned:
            block = self._returned.popleft()
            self._free.setdefault(block.nbytes, []).append(block)

    def _ask(self, size: int) -> int:
        try:
            return self._given(size)
        except DriverError as error:
            if error.code != OUT_OF_MEMORY:
                raise
        self.release()
        try:
            return self._given(size)
        except DriverError as error:
            if error.code != OUT_OF_MEMORY:
                raise
        free, total = self._driver.cuMemGetInfo()
        raise BackendError(
            f"{self._name} is out of memory",
            expected=f"{size / MIB:,.1f} MiB more",
            found=f"{free / MIB:,.1f} MiB free of {total / MIB:,.1f}; symcnn holds {self.held / MIB:,.1f} MiB",
            hint="a smaller batch; f.memory_plan shows what a call needs, nvidia-smi who else uses the GPU",
        )

    def _given(self, size: int) -> int:
        address = int(self._driver.cuMemAlloc(size))
        self.held += size
        return address


def _rounded(nbytes: int) -> int:
    unit = SMALL if nbytes < LARGE else LARGE
    return max(-(-nbytes // unit), 1) * unit
