"""What the backend needs of a GPU, so that a simulator can stand in for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np

    from symcnn.backends.cuda.launch import Geometry, Kernel


@dataclass(frozen=True, eq=False)
class Memory:
    """Bytes on a device.

    Attributes
    ----------
    address : int
    nbytes : int
    owner : object
        Keeps them alive: they are given back when it is collected.
    """

    address: int
    nbytes: int
    owner: Any


@dataclass(frozen=True, eq=False)
class Call:
    """A launch with everything filled in.

    Attributes
    ----------
    kernel : Kernel
    pointers : tuple of (Memory, int)
        Where each operand begins: so many bytes from the start of the memory.
    sizes : tuple of int
    grid : (int, int, int)
    """

    kernel: Kernel
    pointers: tuple[tuple[Memory, int], ...]
    sizes: tuple[int, ...]
    grid: tuple[int, int, int]


class Device(Protocol):
    """A GPU, or what stands in for one. Everything happens in the order in which it is asked for.

    Attributes
    ----------
    name : str
    number : int
        Which of several.
    geometry : Geometry
    """

    name: str
    number: int

    @property
    def geometry(self) -> Geometry: ...

    @property
    def compile_seconds(self) -> float:
        """Spent compiling by this process so far."""
        ...

    def compile(self, kernels: Iterable[Kernel]) -> None:
        """Make kernels ready to launch; what the cache on disk holds is not compiled again."""
        ...

    def allocate(self, nbytes: int) -> Memory:
        """Memory with any contents."""
        ...

    def upload(self, target: Memory, offset: int, array: np.ndarray) -> None:
        """Copy a contiguous array to a device; the array may be changed as soon as this returns."""
        ...

    def download(self, source: Memory, offset: int, array: np.ndarray) -> None:
        """Copy into a contiguous array, once all that was asked for before is done."""
        ...

    def copy(self, target: Memory, at: int, source: Memory, start: int, nbytes: int) -> None:
        """Copy within the device."""
        ...

    def launch(self, call: Call) -> None:
        """Run one kernel."""
        ...

    def record(self, calls: Sequence[Call]) -> Callable[[], None]:
        """What runs all of `calls`, one after the other, as fast as it can be asked for: on a GPU, a CUDA graph."""
        ...

    def synchronize(self) -> None:
        """Wait until everything is done."""
        ...
