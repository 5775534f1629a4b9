"""Scalar functions that generated kernels call by the names in the elementwise table.

Most are formulas, which vectorise. The others, of integers or from the C library, are written once per number type and
compiled without the kernels' licence to reorder, because here the order of operations is the point; LLVM inlines them
all the same. float32 stays float32 (a literal of another type would widen it, so constants are of the type at hand),
integers wrap as in NumPy. Division by zero gives what NumPy gives and never raises.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.np.numpy_support import as_dtype

from symcnn.backends.jit import overload
from symcnn.backends.scalars import transcendental
from symcnn.backends.scalars.formula import Value, call, convert, formula, from_bits, number_type, select

NAMES: dict[str, object] = {}
"""Name in generated source -> function."""

_OPTIONS = {"error_model": "numpy", "fastmath": False, "forceinline": True}


def _formula(function, **options):
    """Register a formula."""
    NAMES[function.__name__] = formula(function, **options)
    return function


def _test(function):
    return _formula(function, result=types.boolean)


def _number(*numba_types):
    """The NumPy scalar class in which to compute."""
    return as_dtype(number_type(*numba_types)).type


def _binary(maker):
    """Register a maker: given the number type, it returns the implementation."""

    def stub(x, y): ...

    overload(stub, jit_options=_OPTIONS)(lambda x, y: maker(_number(x, y)))
    NAMES[maker.__name__] = stub


def _is_float(number) -> bool:
    return issubclass(number, np.floating)


# order


@_formula
def maximum(x, y):
    return call("maximum", x, y) if x.is_float else select(x > y, x, y)


@_formula
def minimum(x, y):
    return call("minimum", x, y) if x.is_float else select(x < y, x, y)


@_formula
def absolute(x):
    return abs(x)


@_formula
def sign(x):
    result = select(x > 0, 1, select(x < 0, x.like(-1), 0))
    return select(x != x, x, result)


# division and powers


@_formula
def reciprocal(x):
    return 1 / x if x.is_float else select(abs(x) == 1, x, 0)


@_formula
def sqrt(x):
    return call("sqrt", x)


@_binary
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


@_binary
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


_float_power = formula(transcendental.power)


@_binary
def power(number):
    zero, one = number(0), number(1)

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

    return (lambda x, y: _float_power(x, y)) if _is_float(number) else of_integers


# rounding and tests


@_formula
def floor(x):
    return call("floor", x) if x.is_float else x


@_formula
def ceil(x):
    return call("ceil", x) if x.is_float else x


@_formula
def trunc(x):
    return call("trunc", x) if x.is_float else x


@_formula
def rint(x):
    return call("rint", x) if x.is_float else x


@_test
def isnan(x):
    return x != x


@_test
def isinf(x):
    return abs(x) == math.inf if x.is_float else x != x


@_test
def isfinite(x):
    return abs(x) < math.inf if x.is_float else x == x


# exponential and trigonometric

for _function in (
    transcendental.exp, transcendental.expm1, transcendental.log, transcendental.log1p, transcendental.tanh,
    transcendental.sigmoid, transcendental.softplus, transcendental.erf,
):  # fmt: skip
    _formula(_function)


def _from_libm(name, function):
    def stub(x): ...

    def typed(x):
        number = _number(x)
        return lambda x: number(function(x))

    overload(stub, jit_options=_OPTIONS)(typed)
    NAMES[name] = stub


for _function in (math.sin, math.cos, math.tan, math.atan, math.sinh, math.cosh):
    _from_libm(_function.__name__, _function)


# random numbers: see symcnn/ops/random.py


def philox(seed: Value, number: Value, index: Value) -> tuple[Value, Value, Value, Value]:
    """Four words of 32 bits, as unsigned numbers of 64."""
    mask = 0xFFFFFFFF
    c0, c1, c2, c3 = index & mask, index >> 32, number & mask, number >> 32
    k0, k1 = seed & mask, seed >> 32
    for _ in range(10):
        first, second = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = second >> 32 ^ c1 ^ k0, second & mask, first >> 32 ^ c3 ^ k1, first & mask
        k0, k1 = k0 + 0x9E3779B9 & mask, k1 + 0xBB67AE85 & mask
    return c0, c1, c2, c3


def _random(result):
    return lambda function: _formula(function, operands=types.uint64, result=result)


def _as_float64(word: Value) -> Value:
    """A number below 2**52, as the fraction of one that begins there: few processors convert integers of 64 bits."""
    return from_bits(word | 0x4330000000000000) - 2.0**52


def _fraction(high: Value, low: Value) -> Value:
    """53 of the 64 bits of two words, between 0 and 1."""
    return (_as_float64(high >> 5) * 2.0**26 + _as_float64(low >> 6)) * 2.0**-53


def _box_muller(radius: Value, angle: Value) -> Value:
    return call("sqrt", transcendental.log(radius) * -2) * transcendental.cos_of_turn(angle)


@_random(types.float32)
def random_uniform(seed, call, index):
    w = philox(seed, call, index)
    return convert(convert(w[0] >> 8, types.int32), types.float32) * 2.0**-24


@_random(types.float64)
def random_uniform64(seed, call, index):
    w = philox(seed, call, index)
    return _fraction(w[0], w[1])


@_random(types.float32)
def random_normal(seed, call, index):
    w = philox(seed, call, index)
    radius, angle = (_as_float64(w[0]) + 1) * 2.0**-32, _as_float64(w[1]) * 2.0**-32
    return convert(_box_muller(radius, angle), types.float32)


@_random(types.float64)
def random_normal64(seed, call, index):
    w = philox(seed, call, index)
    return _box_muller(_fraction(w[0], w[1]) + 2.0**-53, _fraction(w[2], w[3]))
