"""What a name of an ONNX graph stands for while it is translated: numbers that are known, or an expression.

Shapes are data in ONNX: a graph asks for the shape of a tensor, cuts it up, puts it together again and reshapes another
tensor to the result. All of that is computed here and now, in NumPy. A size that the call will decide is a `Size` in such
an array; it can be moved around, compared with itself, and handed to a reshape, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import symcnn as sc
from symcnn.errors import SymcnnError
from symcnn.ir.variable import Constant, Shared, Variable


class NeedsSizes(SymcnnError):
    """The graph computes with what is unknown: it must be translated anew for the sizes, or the numbers, of the call.

    Attributes
    ----------
    source : Variable or None
        What it would have to know the numbers of; ``None`` if sizes are enough.
    """

    source: Variable | None = None


@dataclass(frozen=True, eq=False)
class Size:
    """The unknown size of an axis of `variable`."""

    variable: Variable
    axis: int

    def __eq__(self, other):
        return isinstance(other, Size) and self.variable is other.variable and self.axis == other.axis

    def __hash__(self):
        return hash((id(self.variable), self.axis))

    def _refuse(self, *_):
        raise NeedsSizes(
            "this graph computes with the sizes of its input", found=f"axis {self.axis} of {self.variable!r}"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __neg__ = __int__ = __index__ = __float__ = __bool__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse


def shape_of(value) -> np.ndarray:
    """The shape of a value as an array of int64; of objects, if there is a `Size` among them."""
    sizes = [Size(value, k) if n is None else n for k, n in enumerate(value.shape)]
    unknown = any(isinstance(n, Size) for n in sizes)
    return np.array(sizes, object if unknown else np.int64)


def like_of(sizes) -> Variable | None:
    """The Variable whose shape these are, if one of them is unknown and there is such a Variable."""
    for size in sizes:
        if isinstance(size, Size):
            own = shape_of(size.variable)
            return (
                size.variable
                if len(own) == len(sizes) and all(a == b for a, b in zip(own, sizes, strict=True))
                else None
            )
    return None


def settled(array: np.ndarray) -> np.ndarray:
    """An array of sizes as numbers, if none of them is unknown any more."""
    if array.dtype != object or any(isinstance(n, Size) for n in array.flat):
        return array
    return array.astype(np.int64)


def is_known(value) -> bool:
    """Whether a value is numbers, and none of them unknown."""
    return isinstance(value, np.ndarray) and value.dtype != object


def as_numbers(value, what: str) -> np.ndarray:
    """A value as an array of numbers.

    Raises
    ------
    NeedsSizes
        If it is computed from inputs, or from sizes that are not known yet.
    """
    if isinstance(value, (Constant, Shared)):
        return value.value if isinstance(value, Constant) else value.storage
    if not isinstance(value, np.ndarray):
        error = NeedsSizes(f"{what} must be known", found=repr(value), hint="symcnn fixes shapes before it runs")
        error.source = value
        raise error
    if value.dtype == object:
        for size in value.flat:
            if isinstance(size, Size):
                size._refuse()
        return value.astype(np.int64)
    return value


def as_expression(value) -> Any:
    """A value as a Variable; ``None`` stays."""
    if value is None or isinstance(value, Variable):
        return value
    return sc.constant(as_numbers(value, "a constant"))


def sizes_for(x, sizes, what: str) -> tuple[int | None, ...]:
    """Sizes for a reshape of `x`, of ints and `Size`s, as `symcnn.reshape` takes them.

    ``None`` keeps the size that `x` has at that place. An unknown size anywhere else is what remains, -1, and a -1 beside
    it is computed: what is known of `x` divided by what is known of `sizes`.
    """
    wanted: list = list(sizes)
    unknown = [k for k, n in enumerate(wanted) if isinstance(n, Size)]
    kept = [k for k in unknown if k < x.ndim and x.shape[k] is None and wanted[k] == Size(x, k)]
    open_axes = [k for k, n in enumerate(x.shape) if n is None]
    for k in kept:
        wanted[k] = None
    rest = [k for k in unknown if k not in kept]
    if not rest:
        return _with_remainder(x, wanted, open_axes, kept)
    if len(rest) > 1 or len(open_axes) - len(kept) != 1:
        raise NeedsSizes(f"{what}: more than one size is unknown", found=list(map(str, sizes)))
    computed = _with_remainder(x, [1 if k in rest else n for k, n in enumerate(wanted)], [], kept, open_axes)
    return tuple(-1 if k in rest else n for k, n in enumerate(computed))


def _with_remainder(x, wanted, open_axes, kept, ignored=()):
    """`wanted` with its -1 computed, where all that is unknown of `x` is kept."""
    if -1 not in wanted or set(open_axes) - set(kept):
        return tuple(wanted)
    known = [n for k, n in enumerate(x.shape) if n is not None and k not in ignored]
    given = [n for n in wanted if n is not None and n != -1]
    total, part = int(np.prod(known, dtype=np.int64)), int(np.prod(given, dtype=np.int64))
    return tuple(total // part if n == -1 and part else n for n in wanted)
