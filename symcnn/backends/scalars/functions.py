"""Scalar functions that generated kernels call by the names in the elementwise table.

All are formulas: float32 stays float32, integers wrap as in NumPy, and no order of operations is changed by a kernel's
licence to reorder. Division by zero gives what NumPy gives and never traps.
"""

from __future__ import annotations

import math

from numba.core import types

from symcnn.backends.scalars import transcendental, trigonometric
from symcnn.backends.scalars.formula import Value, call, convert, formula, from_bits, repeat, select, with_sign

NAMES: dict[str, object] = {}
"""Name in generated source -> function."""


def _formula(function, **options):
    """Register a formula."""
    NAMES[function.__name__] = formula(function, **options)
    return function


def _test(function):
    return _formula(function, result=types.boolean)


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


@_formula
def floor_divide(x, y):
    if not x.is_float:
        quotient, rest = _divided(x, y)
        below = (rest != 0) & ((rest < 0) != (y < 0)) if x.is_signed else None
        return select(below, quotient - 1, quotient) if below is not None else quotient
    rest = call("fmod", x, y)
    quotient = (x - rest) / y
    quotient = select((rest != 0) & ((y < 0) != (rest < 0)), quotient - 1, quotient)
    below = call("floor", quotient)
    whole = select(quotient - below > 0.5, below + 1, below)
    result = select(quotient == 0, with_sign(x.like(0.0), x / y), whole)
    return select(y == 0, x / y, result)


@_formula
def remainder(x, y):
    if not x.is_float:
        _, rest = _divided(x, y)
        return select((rest != 0) & ((rest < 0) != (y < 0)), rest + y, rest) if x.is_signed else rest
    rest = call("fmod", x, y)
    result = select((y < 0) != (rest < 0), rest + y, rest)
    return select(y == 0, rest, select(rest == 0, with_sign(x.like(0.0), y), result))


def _divided(x, y):
    """Quotient and rest of integers as in C, and 0 where `y` is. The smallest one divided by -1 is itself; processors
    refuse that."""
    special = (y == 0) | (y == -1) if x.is_signed else y == 0
    divisor = select(special, 1, y)
    quotient, rest = x // divisor, x % divisor
    return (select(special, select(y == 0, 0, -x), quotient) if x.is_signed else select(special, 0, quotient)), rest


@_formula
def power(x, y):
    return transcendental.power(x, y) if x.is_float else _power_of_integers(x, y)


def _power_of_integers(x, y):
    """By squaring. A negative power is the nearest integer below 1 in size, where NumPy raises."""
    if x.is_signed:
        negative = y < 0
        x = select(negative & (abs(x) != 1), 0, x)
        y = select(negative, y & 1 | 2, y)

    def square(base, exponent, result):
        return base * base, exponent >> 1, select((exponent & 1) != 0, result * base, result)

    *_, result = repeat(lambda base, exponent, result: exponent != 0, square, x, y, x.like(1))
    return result


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


def _from_library(name, of_float32_on_gpu=None):
    """Register a function of the C library, and what replaces it where that of the GPU is slow."""

    def function(x):
        if of_float32_on_gpu is not None and x.on_gpu and x.type == types.float32:
            return of_float32_on_gpu(x)
        return call(name, x)

    function.__name__ = name
    _formula(function)


for _name in ("atan", "sinh", "cosh"):
    _from_library(_name)
for _function in (trigonometric.sin, trigonometric.cos, trigonometric.tan):
    _from_library(_function.__name__, _function)


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
