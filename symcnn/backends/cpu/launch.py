"""What a tuned kernel tells the planner: which compiled function to call, on what, in how many pieces.

A kernel is a plain function ``kernel(lo, hi, args)`` that does tasks ``lo`` to ``hi - 1`` of a launch. `args` is the
address of a block of 64-bit integers:

======================  ===========================================================
block[0 : n]            addresses of the n operands, in the order of `Launch.operands`
block[n]                address of the scratch memory of chunk 0
block[n + 1]            scratch bytes per chunk
block[n + 2]            the grain: tasks per chunk
block[n + 3]            address of the epilogue, 0 for none
block[n + 4]            address of the epilogue's own argument block
block[n + 5]            words of that block if the output has no memory, else 0
block[n + 6 :]          `Launch.sizes`
======================  ===========================================================

An epilogue is a generated kernel that a tuned kernel calls on each range of rows of its output that it has finally
written, while they are in cache; its tasks are these rows, and its first operand is that output. An output that only
the epilogue reads may have no memory, its address being 0: then the kernel keeps the rows in its scratch memory and
calls the epilogue with a copy of the argument block that says where they would begin. Room for the copy follows the
scratch memory of each chunk.

The executor calls the kernel once per chunk of `grain` tasks, in parallel, so ``lo // grain`` is the number of the
chunk. A kernel is a pure function of this block: new sizes need a new block and compile nothing.

This module does not import numba, so a plan can be built and printed without paying for it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from symcnn.schedule.plan import View

HEADER = 6  # words between the operands and the sizes


@dataclass(frozen=True)
class Launch:
    """One parallel call of a kernel.

    Attributes
    ----------
    kernel : callable or str
        ``kernel(lo, hi, args)``, in the restricted Python that Numba compiles; or its generated source.
    operands : tuple of View
        Everything the kernel reads or writes.
    sizes : tuple of int
        Sizes and strides in elements; their order is the kernel's business.
    tasks : int
        Independent pieces of work.
    grain : int
        Tasks per chunk, at least 1.
    scratch : int
        Bytes of private memory each chunk needs, with any contents.
    flops : int
        Floating-point operations that the mathematics asks for (padding is not counted), for profiles.
    prepares : int
        Of a launch that only brings its first operand into another order: the bytes that it writes to its last one. While
        the first stays as it is, such as the weights of a network that is not in training, once is enough.
    """

    kernel: Callable | str
    operands: tuple[View, ...]
    sizes: tuple[int, ...]
    tasks: int
    grain: int
    scratch: int = 0
    flops: int = 0
    prepares: int = 0

    @property
    def chunks(self) -> int:
        """How many pieces the executor runs in parallel."""
        return -(-self.tasks // self.grain)
