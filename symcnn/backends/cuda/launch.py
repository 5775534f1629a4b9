"""What the GPU is asked to do: kernels as source, and launches of them on the buffers of a plan."""

from __future__ import annotations

from dataclasses import dataclass

from symcnn.schedule.plan import View


@dataclass(frozen=True)
class Kernel:
    """Source of one thread's work.

    Attributes
    ----------
    source : str
        ``def kernel(x0, x1, .., n0, n1, ..)``: pointers to elements first, then integers of 32 bits. Python as numba.cuda
        compiles it, with the names of `symcnn.backends.cuda.namespace`.
    operands : tuple of str
        The names of the numbers that the pointers lead to ("uint8" for truth values).
    integers : int
        How many integers follow.
    threads : int
        Of a block; the source counts on it.
    """

    source: str
    operands: tuple[str, ...]
    integers: int
    threads: int


@dataclass(frozen=True)
class Launch:
    """One call of a kernel.

    Attributes
    ----------
    kernel : Kernel
    operands : tuple of View
        One per pointer; their buffer is a number of the plan's, or `WORKSPACE`.
    sizes : tuple of int
        The integers.
    grid : (int, int, int)
        Blocks along x, y and z; a launch of none is left out.
    """

    kernel: Kernel
    operands: tuple[View, ...]
    sizes: tuple[int, ...]
    grid: tuple[int, int, int]


@dataclass(frozen=True)
class Geometry:
    """How large blocks are. They are literals in the source, so small ones make kernels that a simulator can run.

    Attributes
    ----------
    flat : int
        Threads per block where each works for itself.
    row : int
        Threads per block where all work on one row, or one sum; a power of two.
    tile : str
        Which tiles the kernels of products use: "large" or "small".
    tensor_cores : bool
        Whether there are tensor cores that multiply in tf32.
    """

    flat: int
    row: int
    tile: str
    tensor_cores: bool = False


ON_DEVICE = Geometry(flat=256, row=256, tile="large", tensor_cores=True)
SIMULATED = Geometry(flat=32, row=4, tile="small")
