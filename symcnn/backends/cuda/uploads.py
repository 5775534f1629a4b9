"""Copies to a GPU that run beside its kernels, and what keeps them apart from the kernels that use the same memory.

An array is first copied to pinned memory, from where the GPU fetches it by itself, on a stream of its own; the caller may
change the array at once and goes on. Everything else happens in the order of one compute stream. Where both touch the
same block, one waits for the other, and only there:

- Kernels must see what was uploaded (read after write) and must not be overwritten by an earlier upload (write after
  write): the first work on the compute stream that uses the block waits for the event that follows the upload.
- An upload must not overwrite what kernels still read (write after read), nor come before what they still write: the
  upload stream waits for an event of the compute stream that follows the block's last use. After each replay of a graph
  such an event is recorded, so that the upload for the next step waits for the last step but one if they take turns with
  two blocks, and for nothing if its block is new. If the right event is no longer known, a later one will do.
- Two uploads keep the order of their stream.
- Pinned memory is filled again only after the event that follows the copy from it.
- A block goes to another owner with all these facts, and to the driver only when both streams are idle.

Other libraries work on other streams. The two streams here wait for the default stream and it for them, as CUDA's
ordinary streams do, so what PyTorch and others do by default is in order, too; for other streams the protocols of exchange
say who waits for whom.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Collection

from symcnn.backends.cuda.bindings import Driver
from symcnn.backends.cuda.pool import Block

CHUNK = 2**24  # bytes of pinned memory at most per copy; a larger array goes in turns, copied here while sent there
SLOTS = 4
MARKS = 8  # events of the compute stream that are remembered


class Uploads:
    """The upload stream beside a compute stream.

    Parameters
    ----------
    driver : Driver
    compute : CUstream

    Attributes
    ----------
    stream : CUstream
    now : int
        Number of the last work that the compute stream was asked for.
    """

    def __init__(self, driver: Driver, compute):
        self._driver, self._compute = driver, compute
        self.stream = driver.cuStreamCreate(driver.CUstream_flags.CU_STREAM_DEFAULT.value)
        self.now = 0
        self._marks: deque[tuple[int, object]] = deque()
        self._waited = 0  # uploads asked for from now on run after the work of this number
        self._unseen: dict[Block, object] = {}  # uploads that no work of the compute stream waits for yet
        self._slots = deque(_Slot(driver) for _ in range(SLOTS))

    def send(self, block: Block | None, address: int, source: int, nbytes: int) -> None:
        """Copy from host memory; `block` is what `address` lies in, ``None`` if it is another library's."""
        self._wait_for(self.now if block is None else block.last_used)
        event = None
        for start in range(0, nbytes, CHUNK):
            count = min(CHUNK, nbytes - start)
            slot = self._slots[0]
            self._slots.rotate(-1)
            slot.fill(source + start, count)
            self._driver.cuMemcpyHtoDAsync(address + start, slot.address, count, self.stream)
            event = slot.record(self.stream)
        if event is not None:
            if block is None:
                self._driver.cuStreamWaitEvent(self._compute, event, 0)
            else:
                self._unseen[block] = event

    def before(self, blocks: Collection[Block]) -> None:
        """Call before asking the compute stream for work that uses `blocks`."""
        if self._unseen:
            for block in [b for b in self._unseen if b in blocks]:
                # The event may have been recorded again, after a later upload: that is no harm.
                self._driver.cuStreamWaitEvent(self._compute, self._unseen.pop(block), 0)

    def after(self) -> int:
        """Call after asking the compute stream for work: its number."""
        self.now += 1
        return self.now

    def mark(self) -> None:
        """Remember an event of the compute stream after all work so far."""
        if len(self._marks) == MARKS:
            _, event = self._marks.popleft()
        else:
            event = self._driver.cuEventCreate(self._driver.CUevent_flags.CU_EVENT_DISABLE_TIMING.value)
        self._driver.cuEventRecord(event, self._compute)
        self._marks.append((self.now, event))

    def synchronize(self) -> None:
        """Wait until all uploads are done: no work need wait for them then."""
        self._driver.cuStreamSynchronize(self.stream)
        self._unseen.clear()

    def _wait_for(self, number: int) -> None:
        if number <= self._waited:
            return
        if not self._marks or self._marks[-1][0] < number:
            self.mark()
        self._waited, event = next(mark for mark in self._marks if mark[0] >= number)
        self._driver.cuStreamWaitEvent(self.stream, event, 0)


class _Slot:
    """Pinned memory, and the event after the last copy from it."""

    def __init__(self, driver: Driver):
        self._driver, self._event, self._nbytes = driver, None, 0
        self.address = 0

    def fill(self, source: int, nbytes: int) -> None:
        if self._event is not None:
            self._driver.cuEventSynchronize(self._event)
        if nbytes > self._nbytes:
            if self.address:
                self._driver.cuMemFreeHost(self.address)
                self.address = self._nbytes = 0
            size = min(max(1 << (nbytes - 1).bit_length(), 2**16), CHUNK)
            self.address, self._nbytes = int(self._driver.cuMemHostAlloc(size, 0)), size
        ctypes.memmove(self.address, source, nbytes)

    def record(self, stream):
        if self._event is None:
            self._event = self._driver.cuEventCreate(self._driver.CUevent_flags.CU_EVENT_DISABLE_TIMING.value)
        self._driver.cuEventRecord(self._event, stream)
        return self._event
