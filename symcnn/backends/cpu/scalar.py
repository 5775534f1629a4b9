"""Scalar functions that generated kernels call by the names in the elementwise table.

Each is written once per number type: float32 stays float32 (a literal of another type would widen it, so constants
are of the type at hand), integers wrap as in NumPy. They are compiled without the kernels' licence to reorder,
because here the order of operations is the point; LLVM inlines them all the same. Division by zero gives what NumPy
gives and never raises.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.np.numpy_support import as_dtype

from symcnn.backends.cpu.jit import overload

NAMES: dict[str, object] = {}
"""Name in generated source -> function."""

_OPTIONS = {"error_model": "numpy", "fastmath": False}


def _number(*numba_types):
    """The NumPy scalar class in which to compute: that of the operands. NumPy never mixes uint64 with a signed
    integer or a float with an integer here, so where they meet the other one is a literal."""
    kinds = {as_dtype(types.unliteral(t)) for t in numba_types}
    floats = [k for k in kinds if k.kind == "f"]
    if np.dtype("uint64") in kinds:
        return np.uint64
    return np.result_type(*(floats or kinds)).type


def _unary(name=None):
    """Register a maker: given the number type, it returns the implementation."""

    def register(maker):
        def stub(x): ...

        overload(stub, jit_options=_OPTIONS)(lambda x: maker(_number(x)))
        return _name(stub, name or maker.__name__)

    return register


def _binary(name=None):
    def register(maker):
        def stub(x, y): ...

        overload(stub, jit_options=_OPTIONS)(lambda x, y: maker(_number(x, y)))
        return _name(stub, name or maker.__name__)

    return register


def _name(stub, name):
    stub.__name__ = stub.__qualname__ = name
    NAMES[name] = stub
    return stub


def _is_float(number) -> bool:
    return issubclass(number, np.floating)


# order


@_binary()
def maximum(number):
    def larger(x, y):
        a, b = number(x), number(y)
        return a if a > b or a != a else b  # a NaN on the left wins here, one on the right because nothing exceeds it

    return larger


@_binary()
def minimum(number):
    def smaller(x, y):
        a, b = number(x), number(y)
        return a if a < b or a != a else b

    return smaller


@_unary()
def absolute(number):
    if _is_float(number):
        return lambda x: math.fabs(x)
    zero = number(0)
    return lambda x: number(-x) if x < zero else number(x)


@_unary()
def sign(number):
    zero = number(0)

    def float_sign(x):
        return x if x != x else number(x > zero) - number(x < zero)

    def integer_sign(x):
        return number(int(x > zero) - int(x < zero))

    return float_sign if _is_float(number) else integer_sign


# division and powers


@_unary()
def reciprocal(number):
    one = number(1)
    if _is_float(number):
        return lambda x: one / x
    return lambda x: number(x) if x == 1 or x == -1 else number(0)


@_binary()
def floor_divide(number):
    zero, one, half = number(0), number(1), 0.5

    def of_floats(x, y):
        a, b = number(x), number(y)
        if b == zero:
            return a / b
        rest = number(np.fmod(a, b))
        quotient = (a - rest) / b
        if rest != zero and (b < zero) != (rest < zero):
            quotient -= one
        if quotient == zero:
            return number(math.copysign(zero, a / b))
        below = np.floor(quotient)
        return below + one if quotient - below > half else below

    def of_integers(x, y):
        a, b = number(x), number(y)
        if b == zero:
            return zero
        if b + one == zero:  # the quotient of the smallest integer by -1 traps
            return number(zero - a)
        return number(a // b)

    def of_naturals(x, y):
        a, b = number(x), number(y)
        return zero if b == zero else number(a // b)

    return of_floats if _is_float(number) else of_naturals if issubclass(number, np.unsignedinteger) else of_integers


@_binary()
def remainder(number):
    zero, one = number(0), number(1)

    def of_floats(x, y):
        a, b = number(x), number(y)
        rest = number(np.fmod(a, b))
        if b == zero:
            return rest
        if rest == zero:
            return number(math.copysign(zero, b))
        return rest + b if (b < zero) != (rest < zero) else rest

    def of_integers(x, y):
        a, b = number(x), number(y)
        if b == zero or b + one == zero:
            return zero
        return number(a % b)

    def of_naturals(x, y):
        a, b = number(x), number(y)
        return zero if b == zero else number(a % b)

    return of_floats if _is_float(number) else of_naturals if issubclass(number, np.unsignedinteger) else of_integers


@_binary()
def power(number):
    zero, one = number(0), number(1)
    if _is_float(number):
        return lambda x, y: number(math.pow(number(x), number(y)))

    def of_integers(x, y):
        base, exponent = number(x), number(y)
        if exponent < zero:  # NumPy raises; here the nearest integer below 1 in size
            return one if base == one else zero if base + one != zero else number(one - (exponent & one) * number(2))
        result = one
        while exponent > zero:
            if exponent & one:
                result = number(result * base)
            base = number(base * base)
            exponent = number(exponent >> one)
        return result

    return of_integers


# rounding and tests


def _rounding(name, function):
    @_unary(name)
    def rounded(number):
        if _is_float(number):
            return lambda x: function(x)
        return lambda x: x


for _function in (np.floor, np.ceil, np.trunc, np.rint):
    _rounding(_function.__name__, _function)


@_unary()
def isnan(number):
    return lambda x: x != x


@_unary()
def isinf(number):
    if not _is_float(number):
        return lambda x: False
    infinity = number(np.inf)
    return lambda x: math.fabs(x) == infinity


@_unary()
def isfinite(number):
    if not _is_float(number):
        return lambda x: True
    infinity = number(np.inf)
    return lambda x: math.fabs(x) < infinity


# exponential and trigonometric


def _float_function(name, function):
    @_unary(name)
    def typed(number):
        def implementation(x):
            return number(function(x))

        return implementation


for _function in (
    math.sqrt, math.exp, math.expm1, math.log, math.log1p, math.sin, math.cos, math.tan, math.atan, math.sinh, math.cosh,
    math.tanh, math.erf,
):  # fmt: skip
    _float_function(_function.__name__, _function)


@_unary()
def sigmoid(number):
    zero, one = number(0), number(1)

    def stable(x):
        e = math.exp(-math.fabs(x))
        return (one if x >= zero else e) / (one + e)

    return stable


@_unary()
def softplus(number):
    zero = number(0)

    def stable(x):
        positive_part = x if x > zero or x != x else zero
        return positive_part + math.log1p(math.exp(-math.fabs(x)))

    return stable


# random numbers: see symcnn/ops/random.py

_MASK, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_FACTOR_0, _FACTOR_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_BUMP_0, _BUMP_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_5, _6, _8 = np.uint64(5), np.uint64(6), np.uint64(8)


def philox(seed, call, index) -> Any: ...


@overload(philox, jit_options=_OPTIONS)
def _philox(seed, call, index):
    def words(seed, call, index):
        c0, c1 = np.uint64(index) & _MASK, np.uint64(index) >> _HALF
        c2, c3 = np.uint64(call) & _MASK, np.uint64(call) >> _HALF
        k0, k1 = np.uint64(seed) & _MASK, np.uint64(seed) >> _HALF
        for _ in range(10):
            first, second = _FACTOR_0 * c0, _FACTOR_1 * c2
            c0, c1, c2, c3 = second >> _HALF ^ c1 ^ k0, second & _MASK, first >> _HALF ^ c3 ^ k1, first & _MASK
            k0, k1 = (k0 + _BUMP_0) & _MASK, (k1 + _BUMP_1) & _MASK
        return c0, c1, c2, c3

    return words


def _random(implementation):
    def stub(seed, call, index): ...

    overload(stub, jit_options=_OPTIONS)(lambda seed, call, index: implementation)
    return _name(stub, implementation.__name__)


@_random
def random_uniform(seed, call, index):
    w = philox(seed, call, index)
    return np.float32(w[0] >> _8) * np.float32(2.0**-24)


@_random
def random_uniform64(seed, call, index):
    w = philox(seed, call, index)
    return (np.float64(w[0] >> _5) * 2.0**26 + np.float64(w[1] >> _6)) * 2.0**-53


@_random
def random_normal(seed, call, index):
    w = philox(seed, call, index)
    radius, angle = (np.float64(w[0]) + 1.0) * 2.0**-32, np.float64(w[1]) * 2.0**-32
    return np.float32(math.sqrt(-2.0 * math.log(radius)) * math.cos(2.0 * math.pi * angle))


@_random
def random_normal64(seed, call, index):
    w = philox(seed, call, index)
    radius = (np.float64(w[0] >> _5) * 2.0**26 + np.float64(w[1] >> _6) + 1.0) * 2.0**-53
    angle = (np.float64(w[2] >> _5) * 2.0**26 + np.float64(w[3] >> _6)) * 2.0**-53
    return math.sqrt(-2.0 * math.log(radius)) * math.cos(2.0 * math.pi * angle)
