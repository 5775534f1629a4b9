"""What an op is, and the registry through which operators find the functions that build expressions.

One op, one place: a class says how types follow (`infer`), what it means (`reference`), how it differentiates
(`pullback`), how it becomes loops (`nest`) and which examples the contract tests run it on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from symcnn.errors import GradientError, InputError
from symcnn.keywords import checked_keywords

if TYPE_CHECKING:
    from collections.abc import Callable

    from symcnn.ir.loops import Expr, Operand, Result
    from symcnn.ir.types import TensorType
    from symcnn.ir.variable import Variable


@dataclass(frozen=True)
class Op:
    """Base of every op: a frozen dataclass whose fields are its attributes, so equal attributes mean equal ops.

    Attributes
    ----------
    name : str
        As users read it; the class name in snake case unless set.
    pattern : str
        How the result reads its operands, which is all that fusion asks:
        ``"elementwise"`` the element at an index reads the (broadcast) elements at that index;
        ``"view"`` the element is one element of the single operand, found by strides alone (transpose, slice);
        ``"alias"`` the same memory in the same order (reshape);
        ``"gather"`` each element reads each operand a bounded number of times, anywhere (pad, concat, one-hot);
        ``"fold"`` each element folds over many (reductions, matmul, convolution).
    shape_only : tuple of int
        Positions of operands used for their shape alone: no data dependence, the value need not exist.
    checked_indices : tuple of int
        Positions of integer operands whose values must lie in ``index_bound(...)``; checked at each call.
    images : tuple of int
        Positions of operands that are images if they have rank 4, (N, C, H, W). `ChannelsLast` is the same op on images
        in (N, H, W, C).
    image_result : bool
        Whether the result of an op of images is one, too.
    windows : hashable
        For a fold over windows of its first operand, what says which windows: folds that agree in it, of operands of
        one shape, run over the same points.
    smooth : bool
        Whether derivatives are compared with finite differences to second order in the contract tests.
    examples : tuple of Example
        What the contract tests run.
    """

    pattern: ClassVar[str] = "fold"
    shape_only: ClassVar[tuple[int, ...]] = ()
    checked_indices: ClassVar[tuple[int, ...]] = ()
    images: ClassVar[tuple[int, ...]] = ()
    image_result: ClassVar[bool] = True
    windows: ClassVar[Any] = None
    smooth: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = ()

    @property
    def name(self) -> str:
        return _snake_case(type(self).__name__)

    def infer(self, *types: TensorType) -> TensorType:
        """The type of the result; raises ShapeError or DTypeError. Unknown dimensions allowed."""
        raise NotImplementedError

    def reference(self, *arrays: np.ndarray) -> np.ndarray:
        """The specification, in NumPy. A shape-only operand comes as an array of that shape and no meaning."""
        raise NotImplementedError

    def pullback(
        self, inputs: tuple[Variable, ...], output: Variable, cotangent: Variable
    ) -> tuple[Variable | None, ...]:
        """For each input the cotangent that reaches it, as graph; ``None`` where nothing does."""
        raise GradientError(f"{self.name} has no derivative", where=output.origin)

    def parameters(self, *types: TensorType) -> tuple[int, ...]:
        """Integers that depend on the concrete shapes ("same" padding, the start of a slice): run-time arguments."""
        return ()

    def expand(self, *inputs: Variable) -> Variable | None:
        """The same value composed of other ops, if it is computed so: it is replaced once there is nothing left to
        differentiate, and needs no nest."""
        return None

    def nest(self, result: Result, *operands: Operand) -> Expr:
        """The value of the result at ``result.index``, as a loop-nest expression (see `symcnn.ir.loops`)."""
        raise NotImplementedError

    def index_bound(self, position: int, *types: TensorType) -> tuple[int, int]:
        """Smallest and largest legal value of an operand named in `checked_indices`."""
        raise NotImplementedError

    def flops(self, output: TensorType, *types: TensorType) -> int:
        """Arithmetic operations for concrete types; one per element unless an op knows better, none if data only moves."""
        return 0 if self.pattern in ("alias", "view", "gather") else output.size or 0

    def label(self) -> str:
        """Name with attributes, for printed graphs: ``conv2d(stride=(2, 2))``."""
        attributes = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self))
        return f"{self.name}({attributes})" if attributes else self.name


@cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


@dataclass(frozen=True)
class Example:
    """One case for the contract tests.

    Attributes
    ----------
    shapes : tuple of shapes
        One per operand.
    attributes : dict
        Keyword arguments of the op's class (a structured op) - empty for elementwise ops.
    low, high : float
        Operands are drawn uniformly from this range (the op's smooth domain).
    dtypes : tuple of str or None
        dtype per operand; ``"float"`` stands for the float dtype under test. ``None``: all ``"float"``.
    integers : dict
        For integer operands: position -> exclusive upper bound of the drawn values.
    """

    shapes: tuple
    attributes: Any = None
    low: float = -2.0
    high: float = 2.0
    dtypes: tuple[str, ...] | None = None
    integers: Any = None


_builders: dict[str, Callable] = {}


def builder(*names: str):
    """Register a function that builds expressions under the names that operators and NumPy know it by."""

    def register(function):
        function = checked_keywords(function)
        for name in names or (function.__name__,):
            _builders[name] = function
        return function

    return register


def build(name: str, *args, **kwargs):
    """Call the builder registered as `name`."""
    found = _builders.get(name)
    if found is None:
        raise InputError(
            f"np.{name} has no symbolic counterpart", hint="see the functions of symcnn, or compose it from them"
        )
    return found(*args, **kwargs)


def public_builders() -> dict[str, Callable]:
    """All registered functions by name, for `import symcnn as sc` to offer."""
    return {name: function for name, function in _builders.items() if name not in _PRIVATE}


_PRIVATE = {"getitem"}  # reached through ``x[...]``
