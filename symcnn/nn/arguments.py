"""What layers ask of their arguments, and the arrays that they make of them."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

import symcnn as sc
from symcnn import init as initial
from symcnn.errors import DTypeError, InputError


def drawn(init, shape, seed, dtype, transposed: bool = False) -> np.ndarray:
    """First values of an array of a layer; see `symcnn.init.draw`."""
    values = initial.draw(init, shape, seed, dtype, transposed)
    if values.dtype.kind != "f" or dtype is None:
        raise DTypeError("layers compute in float32 or float64", found=dtype)
    return values


def parameter(name: str, init, shape, seed, dtype, transposed: bool = False) -> sc.Shared:
    """A Shared of `shape` with values by an initialiser."""
    return sc.shared(drawn(init, shape, seed, dtype, transposed), name=name)


def bias_parameter(bias, size: int, seed, dtype) -> sc.Shared | None:
    """The bias that a layer's argument asks for: none, zeros (True), one number, or values by an initialiser."""
    if bias is None or bias is False:
        return None
    if isinstance(bias, Integral) and bias is not True:
        raise InputError("this is no bias", expected="True, False, a float, or an initialiser", found=bias)
    init = "zeros" if bias is True else initial.constant(float(bias)) if isinstance(bias, Real) else bias
    return parameter("bias", init, (size,), seed, dtype)


def scale_and_shift(shape, affine: bool, dtype) -> tuple[sc.Shared | None, sc.Shared | None]:
    """Gamma and beta of a normalisation, if it has them."""
    if not affine:
        return None, None
    shape = shape if isinstance(shape, tuple) else (shape,)
    return parameter("gamma", "ones", shape, None, dtype), parameter("beta", "zeros", shape, None, dtype)


def random_seed(seed) -> int:
    """The seed of a layer's own random stream, from what users give (see `symcnn.init.generator`)."""
    return int(initial.generator(seed).integers(2**31))


def check_positive(layer, **sizes) -> None:
    """InputError unless all are positive integers."""
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
            raise InputError(f"{type(layer).__name__}: {name} is a positive integer", found=repr(size))


def as_pair(layer, name: str, value) -> tuple[int, int]:
    """(rows, columns) from an int or a pair of positive ints."""
    given: Any = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value, value)
    for size in given:
        check_positive(layer, **{name: size})
    rows, columns = map(int, given)
    return rows, columns


def as_sides(layer, name: str, value) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) from an int, a pair (rows, columns), or all four."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(given) not in (1, 2, 4) or not all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) and v >= 0 for v in given
    ):
        raise InputError(
            f"{type(layer).__name__}: {name} counts pixels", found=repr(value),
            expected="an int, a pair (rows, columns) or (top, left, bottom, right), at least 0",
        )  # fmt: skip
    top, left, bottom, right = (int(v) for v in given * (4 // len(given)))
    return top, left, bottom, right
