"""Random numbers as elementwise functions of (seed, number of the call, position): no state, no order of evaluation.

Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) encrypts the counter (position,
call) under the key seed; the four words that come out are one element's randomness. So the same seed gives the same
numbers on every backend and for any number of threads, each call of a function draws new ones, and a resumed training
run continues exactly.
"""

from __future__ import annotations

from itertools import count

import numpy as np

from symcnn.errors import DTypeError, InputError
from symcnn.ir.loops import INT
from symcnn.ir.op import builder
from symcnn.ir.types import TensorType, as_dtype
from symcnn.ir.variable import Input, Variable, apply, constant, user_origin
from symcnn.ops.elementwise import ROWS, Elementwise, Row, as_variable, where
from symcnn.ops.fill import position_like, zeros
from symcnn.ops.shape import as_shape

CALL = Input("call", TensorType(INT, ()))
"""The number of the call, 0, 1, 2 ..: compiled functions feed it."""

_seeds = count()


def philox(seed, call, index):
    """Philox4x32-10 in NumPy: four uint32 words (as uint64 arrays) for each element of the int64 arrays."""
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    seed, call, index = (np.asarray(v).astype(INT).view(np.uint64) for v in (seed, call, index))
    words = [index & mask, index >> shift, call & mask, call >> shift]
    key = [seed & mask, seed >> shift]
    for _ in range(10):
        words, key = _round(words, key)
    return words


def _round(words, key):
    """One round: two 32 x 32 -> 64 bit products, crossed over; then the key moves on."""
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    first, second = np.uint64(0xD2511F53) * words[0], np.uint64(0xCD9E8D57) * words[2]
    mixed = [second >> shift ^ words[1] ^ key[0], second & mask, first >> shift ^ words[3] ^ key[1], first & mask]
    bump = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
    return mixed, [(k + b) & mask for k, b in zip(key, bump, strict=True)]


def _uniform32(seed, call, index):
    w = philox(seed, call, index)
    return (w[0] >> np.uint64(8)).astype("float32") * np.float32(2.0**-24)


def _fraction(high, low):
    """53 of the 64 bits of two words, as an integer."""
    return (high >> np.uint64(5)).astype("float64") * 2.0**26 + (low >> np.uint64(6)).astype("float64")


def _uniform64(seed, call, index):
    w = philox(seed, call, index)
    return _fraction(w[0], w[1]) * 2.0**-53


def _box_muller(radius, angle):
    # cos(2 pi angle), by an angle that is exact and small where the cosine is
    return np.sqrt(-2 * np.log(radius)) * np.sin(2 * np.pi * (np.abs(angle - 0.5) - 0.25))


def _normal32(seed, call, index):
    # Computed in double, so that every backend rounds the same number; the + 1 keeps the logarithm off 0.
    w = philox(seed, call, index)
    return _box_muller((w[0].astype("float64") + 1) * 2.0**-32, w[1].astype("float64") * 2.0**-32).astype("float32")


def _normal64(seed, call, index):
    w = philox(seed, call, index)
    return _box_muller((_fraction(w[0], w[1]) + 1) * 2.0**-53, _fraction(w[2], w[3]) * 2.0**-53)


def _row(name, function, dtype):
    """A row of the elementwise table; it is no builder, the functions below are."""
    dtypes = lambda *given: ((INT,) * 3, np.dtype(dtype))  # noqa: E731
    ROWS[name] = Row(name, function, f"{name}({{0}}, {{1}}, {{2}})", None, 3, dtypes, smooth=False)
    return Elementwise(name)


_UNIFORM = {
    np.dtype("float32"): _row("random_uniform", _uniform32, "float32"),
    np.dtype("float64"): _row("random_uniform64", _uniform64, "float64"),
}
_NORMAL = {
    np.dtype("float32"): _row("random_normal", _normal32, "float32"),
    np.dtype("float64"): _row("random_normal64", _normal64, "float64"),
}


def _draw(table, like: Variable, seed, dtype) -> Variable:
    dtype = as_dtype(dtype)
    if dtype not in table:
        raise DTypeError("random numbers are float32 or float64", found=dtype, where=user_origin())
    if isinstance(seed, Variable) or not hasattr(seed, "__index__") or not -(2**63) <= seed < 2**63:
        raise DTypeError("a seed is an integer of 64 bits", found=repr(seed), where=user_origin())
    return apply(table[dtype], constant(seed.__index__(), INT), CALL, position_like(like))


def uniform(shape, seed, low=0.0, high=1.0, dtype="float32") -> Variable:
    """Uniform random numbers from the half-open interval from `low` to `high`.

    Parameters
    ----------
    shape : tuple of int, or int
    seed : int
        Equal seeds and shapes give equal numbers; each call of a compiled function draws new ones.
    low, high : float or Variable
        Broadcast against the numbers.
    dtype : {"float32", "float64"}

    Raises
    ------
    DTypeError
        If the seed is no integer or the dtype no float.

    Examples
    --------
    >>> import symcnn as sc
    >>> draw = sc.function([], sc.random.uniform((2, 3), seed=0), device="reference")
    >>> first, second = draw(), draw()
    >>> bool((first != second).any()), bool(((0 <= first) & (first < 1)).all())
    (True, True)
    """
    u = _draw(_UNIFORM, zeros(as_shape(shape)), seed, dtype)
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and (low, high) == (0, 1):
        return u
    return low + (high - low) * u


def normal(shape, seed, mean=0.0, std=1.0, dtype="float32") -> Variable:
    """Normally distributed random numbers, by the method of Box and Muller.

    Parameters
    ----------
    shape : tuple of int, or int
    seed : int
        Equal seeds and shapes give equal numbers; each call of a compiled function draws new ones.
    mean, std : float or Variable
        Broadcast against the numbers.
    dtype : {"float32", "float64"}

    Raises
    ------
    DTypeError
        If the seed is no integer or the dtype no float.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.random.normal((2, 3), seed=0).type
    TensorType(dtype=dtype('float32'), shape=(2, 3))
    """
    return _scaled(_draw(_NORMAL, zeros(as_shape(shape)), seed, dtype), mean, std)


def normal_like(x, seed, mean=0.0, std=1.0) -> Variable:
    """`normal` in the shape and dtype of `x`, whose sizes may be unknown until the call.

    Raises
    ------
    DTypeError
        If the seed is no integer or `x` no float.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.random.normal_like(sc.input("x", (None, 3)), seed=0).shape
    (None, 3)
    """
    x = as_variable(x)
    return _scaled(_draw(_NORMAL, x, seed, x.dtype), mean, std)


def _scaled(z, mean, std) -> Variable:
    if isinstance(mean, (int, float)) and isinstance(std, (int, float)) and (mean, std) == (0, 1):
        return z
    return mean + std * z


def bernoulli(shape, seed, p=0.5) -> Variable:
    """Random booleans, true with probability `p` (a number or a Variable that broadcasts).

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.random.bernoulli((2, 3), seed=0, p=0.1).type
    TensorType(dtype=dtype('bool'), shape=(2, 3))
    """
    return uniform(shape, seed) < p


@builder("dropout")
def dropout(x, rate, seed=None) -> Variable:
    """`x` with each element set to 0 with probability `rate` and the others divided by ``1 - rate``, so that the
    expectation stays (Srivastava et al. 2014). Each call of a compiled function drops others.

    Parameters
    ----------
    x : Variable or array_like
    rate : float
        At least 0 and less than 1; 0 is `x` itself.
    seed : int, optional
        By default the next of a counter, so that layers differ.

    Raises
    ------
    InputError
        If the rate is out of range.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.dropout(sc.input("x", (None, 3)), 0.5).shape
    (None, 3)
    """
    x = as_variable(x)
    if isinstance(rate, Variable) or not 0 <= rate < 1:
        raise InputError(
            "dropout: the rate must be a number", expected="0 <= rate < 1", found=repr(rate), where=user_origin()
        )
    if rate == 0:
        return x
    keep = _draw(_UNIFORM, x, next(_seeds) if seed is None else seed, "float32") >= rate
    return where(keep, x * (1 / (1 - rate)), 0)
