"""Adding up the pieces into which a long sum was cut, always in the same order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symcnn.backends.cuda.launch import Kernel, Launch
from symcnn.backends.cuda.tuned.source import Ending, indent, kernel
from symcnn.schedule.plan import View

FEW = 8  # pieces that one thread adds alone
TEAM = 8  # threads that share the pieces of an element, if there are more


class Adder:
    """The kernels that add pieces.

    Parameters
    ----------
    integers : tuple of str
        What `places` needs besides ``count``, the elements of a piece, and ``pieces``.
    places : lines
        ``row`` and ``column`` of the result and ``at``, where it lies in a piece, given ``element``.
    """

    def __init__(self, dtype: str, finish, integers: tuple[str, ...], places, geometry):
        self.ending = Ending(dtype, finish)
        self.integers, self.places, self.threads = ("count", "pieces", *integers), places, geometry.flat

    def kernels(self) -> list[Kernel]:
        return [self._alone(), self._together()]

    def launch(self, partial: View, pieces: int, count: int, sizes) -> Launch:
        """Add `pieces` of `count` elements each; `sizes` are the integers that the places need."""
        few = pieces <= FEW
        return Launch(
            kernel=self._alone() if few else self._together(),
            operands=(partial, *self.ending.views(None)),
            sizes=(count, pieces, *sizes, *self.ending.sizes()),
            grid=(-(-count // (self.threads if few else self.threads // TEAM)), 1, 1),
        )

    def _alone(self):
        """One thread per element."""
        body = [
            f"element = int32(cuda.blockIdx.x * {self.threads} + cuda.threadIdx.x)",
            "if element < count:",
            *indent(self.places),
            f"    value = {self.ending.dtype}(0)",
            "    for piece in range(pieces):",
            "        value += x0[int32(piece * count + at)]",
            *indent(self.ending.store("element")),
        ]
        return self._kernel("Adds a few pieces of sums.", body)

    def _together(self):
        """A team per element: each thread of it adds every so many pieces, and the first one adds what they found."""
        dtype, elements = self.ending.dtype, self.threads // TEAM
        body = [
            f"sums = cuda.shared.array({self.threads}, {dtype})",
            "thread = int32(cuda.threadIdx.x)",
            f"member = quotient(thread, int32({elements}))",
            f"element = int32(cuda.blockIdx.x * {elements} + rest(thread, int32({elements})))",
            f"value = {dtype}(0)",
            "if element < count:",
            *indent(self.places),
            f"    for piece in range(member, pieces, {TEAM}):",
            "        value += x0[int32(piece * count + at)]",
            "sums[uint32(thread)] = value",
            "cuda.syncthreads()",
            "if member == 0 and element < count:",
            *indent(self.places),
            "    value = sums[uint32(thread)]",
            f"    for other in range(1, {TEAM}):",
            f"        value += sums[uint32(thread + other * {elements})]",
            *indent(self.ending.store("element")),
        ]
        return self._kernel("Adds many pieces of sums.", body)

    def _kernel(self, title, body):
        return kernel(title, (self.ending.dtype,), self.ending, self.integers, self.threads, body)


def piece_view(workspace: View, dtype, count: int, offset: int = 0) -> View:
    """So many elements of the workspace, `offset` bytes from its start."""
    return replace(workspace, offset=workspace.offset + offset, shape=(count,), strides=(1,), dtype=np.dtype(dtype))
