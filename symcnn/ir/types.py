"""What is known about a value before it is computed: its dtype and its shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symcnn.errors import DTypeError, ShapeError

# An int, or None while unknown. Most code runs where it is known, so type checkers are not asked to prove it.
Dimension = Any

DTYPES = tuple(
    np.dtype(name)
    for name in ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
)


def as_dtype(dtype) -> np.dtype:
    """The NumPy dtype meant by `dtype`; DTypeError if symcnn does not compute in it."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if found not in DTYPES:
        raise DTypeError(
            f"dtype {dtype!r} is not supported",
            expected=", ".join(map(str, DTYPES)),
            hint="convert with .astype(...) first",
        )
    return found


@dataclass(frozen=True)
class TensorType:
    """A dtype and a shape; a dimension is an int, or ``None`` while it is unknown.

    Examples
    --------
    >>> str(TensorType("float32", (None, 1, 28, 28)))
    'float32[?, 1, 28, 28]'
    """

    dtype: np.dtype
    shape: tuple[Dimension, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "dtype", as_dtype(self.dtype))
        object.__setattr__(self, "shape", tuple(None if d is None else int(d) for d in self.shape))
        if any(d is not None and d < 0 for d in self.shape):
            raise ShapeError(f"a dimension cannot be negative: {self.shape}")

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def is_concrete(self) -> bool:
        """Whether every dimension is known."""
        return None not in self.shape

    @property
    def size(self) -> Dimension:
        """Number of elements, ``None`` while a dimension is unknown."""
        if not self.is_concrete:
            return None
        count = 1
        for d in self.shape:
            count *= d
        return count

    @property
    def nbytes(self) -> Dimension:
        return None if self.size is None else self.size * self.dtype.itemsize

    @property
    def is_float(self) -> bool:
        return self.dtype.kind == "f"

    def with_dtype(self, dtype) -> TensorType:
        return TensorType(dtype, self.shape)

    def with_shape(self, shape) -> TensorType:
        return TensorType(self.dtype, shape)

    def accepts(self, other: TensorType) -> bool:
        """Whether a value of type `other` may stand where this type is expected."""
        return (
            self.dtype == other.dtype
            and self.ndim == other.ndim
            and all(a is None or a == b for a, b in zip(self.shape, other.shape, strict=True))
        )

    def may_be(self, other: TensorType) -> bool:
        """Whether there are values of both types: unknown dimensions equal anything."""
        return self.ndim == other.ndim and self.dtype == other.dtype and all(
            None in (a, b) or a == b for a, b in zip(self.shape, other.shape, strict=True)
        )  # fmt: skip

    def __str__(self):
        return f"{self.dtype}{shape_text(self.shape)}"


def shape_text(shape) -> str:
    """A shape as users read it: ``[?, 3, 32, 32]``."""
    return "[" + ", ".join("?" if d is None else str(d) for d in shape) + "]"


def broadcast_shapes(*shapes: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
    """NumPy's broadcasting, where an unknown dimension equals what it meets and is never stretched.

    Raises
    ------
    ShapeError
        If two known dimensions differ and neither is 1.
    """
    ndim = max((len(s) for s in shapes), default=0)
    result = []
    for axis in range(-ndim, 0):
        dims = [s[axis] for s in shapes if len(s) >= -axis]
        known = {d for d in dims if d is not None and d != 1}
        if len(known) > 1:
            raise ShapeError(
                "shapes cannot be broadcast together",
                found=" and ".join(shape_text(s) for s in shapes),
                expected=f"axis {axis}: sizes {sorted(known)} to be equal or 1",
                hint="add or move axes with expand_dims, reshape or transpose",
            )
        result.append(known.pop() if known else None if None in dims else 1)
    return tuple(result)


def normalize_axis(axis: int, ndim: int, what: str = "axis") -> int:
    """`axis` counted from the front; ShapeError when it is outside the rank."""
    try:
        index = axis.__index__()
    except AttributeError:
        raise DTypeError(f"{what} must be an integer", found=repr(axis)) from None
    if not -ndim <= index < ndim:
        raise ShapeError(f"{what} {axis} is out of range for rank {ndim}", expected=f"{-ndim} <= axis < {ndim}")
    return index % ndim


def normalize_axes(axes, ndim: int) -> tuple[int, ...]:
    """A sorted tuple of distinct axes; ``None`` means all of them."""
    if axes is None:
        return tuple(range(ndim))
    given = axes if isinstance(axes, (tuple, list)) else (axes,)
    found = sorted(normalize_axis(a, ndim) for a in given)
    if len(set(found)) != len(found):
        raise ShapeError(f"an axis is named twice: {tuple(given)}")
    return tuple(found)
