"""What a backend is, and how one is chosen by name.

Adding a backend is one package with a function `numbered`, from a number to a `Backend`, and a line in `BACKENDS`; the
contract tests then run every op on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from symcnn.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from symcnn.ir.variable import Variable
    from symcnn.schedule.lower import Program, Step
    from symcnn.schedule.plan import Plan

BACKENDS = {
    "cpu": "symcnn.backends.cpu.backend",
    "cuda": "symcnn.backends.cuda.backend",
    "reference": "symcnn.backends.reference",
}


@dataclass(frozen=True)
class KernelInfo:
    """A kernel of a compiled function, for people.

    Attributes
    ----------
    name : str
        The ops it computes, joined by " + ".
    ops : tuple of str
        Label of every op.
    shapes : tuple of str
        Types of what it writes.
    algorithm : str
        How it computes them: "generated" for a loop nest, "NumPy" on the reference backend, else what the tuned kernel
        that these shapes take calls itself: "winograd", "direct", "depthwise", "product", "dot products".
    source : str
        Python.
    """

    name: str
    ops: tuple[str, ...]
    shapes: tuple[str, ...]
    algorithm: str
    source: str = field(repr=False)

    @classmethod
    def of(cls, step: Step, algorithm: str, source: str, plan: Plan | None = None) -> KernelInfo:
        """The kernel of one step."""
        shapes = tuple(str(plan.types[v] if plan else v.type) for v in step.writes)
        return cls(step.name, tuple(v.op.label() for v in step.computes), shapes, algorithm, source)


class Executable(Protocol):
    """A plan made ready to run."""

    scratch_bytes: int

    def run(self, values: dict[Variable, np.ndarray], observe=None) -> list[np.ndarray]:
        """Outputs for the values of the Inputs; Shareds are updated. If an Input is a device's array, outputs are, too.

        `observe`, if given, is called as ``observe(step number, run)`` in place of each step; it calls ``run()`` itself.
        """
        ...

    def value(self, variable: Variable) -> np.ndarray:
        """A copy of what a Variable in memory holds now: for debugging, between steps."""
        ...


class Backend(Protocol):
    """Turns plans into executables."""

    @property
    def compile_seconds(self) -> float:
        """Spent compiling by this process so far; what comes from a cache costs none."""
        ...

    def tuned(self, variable: Variable) -> bool:
        """Whether it has its own kernel for the op that makes `variable`, so that it is not lowered to a nest."""
        ...

    def finishes_rows(self, variable: Variable) -> bool:
        """Whether that kernel calls an epilogue on the rows of its result (all axes but the last) that it has finished."""
        ...

    def keeps_rows(self, variable: Variable) -> bool:
        """Whether it can keep these rows to itself, so that a result that only the epilogue reads needs no memory."""
        ...

    def device_array(self, value: Any) -> Any:
        """`value` as an input that need not be copied, because it lives on this backend's device; ``None`` if it does not.

        What is returned has ``shape``, ``ndim`` and ``dtype``, and `numpy.asarray` copies it back; ``host`` are its values
        if they are known here, else ``None``. Executables know it when they are given it.
        """
        ...

    def upload(self, array: np.ndarray) -> Any:
        """An array as an input that lies on this backend's device, copied while the device computes; where that is the
        memory here, the array itself."""
        ...

    def prepare(self, program: Program) -> None:
        """Do what can be done before any shape is known."""
        ...

    def load(self, plan: Plan) -> Executable:
        """Compile what is not compiled yet, and bind it to the plan's shapes; other shapes compile nothing more."""
        ...

    def kernels(self, program: Program, plan: Plan | None = None) -> list[KernelInfo]:
        """The kernels of `program`, for people; with `plan`, those that its shapes take."""
        ...


def backend(device: str) -> Backend:
    """The backend called `device`: "cuda:1" is the second of several.

    Raises
    ------
    InputError
        For a name that is none.
    PackageError, BackendError
        If this machine lacks what it needs.
    """
    name, colon, number = str(device).partition(":")
    if name not in BACKENDS or (colon and not number.isdecimal()):
        raise InputError(
            f"there is no device {device!r}",
            expected=" or ".join(map(repr, BACKENDS)),
            hint="'cuda:1' is the second of several GPUs",
        )
    return import_module(BACKENDS[name]).numbered(int(number or 0))


def only_one(backend: Backend, name: str, number: int) -> Backend:
    """`backend`, of which there is one, called `name`."""
    if number:
        raise InputError(f"there is no device '{name}:{number}'", expected=repr(name))
    return backend
