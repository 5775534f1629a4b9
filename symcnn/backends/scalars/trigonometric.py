"""Sine, cosine and tangent of float32 without tables in memory, branches or float64: what the GPU computes.

The operand is multiplied by 2/pi in integers, of which only as many bits take part as matter: those of 2/pi that make
whole turns are left out, those too small to be seen as well. So the reduction is as good for the largest number as for
a moderate one (Payne and Hanek, 1983). The quarter of the turn chooses between the polynomials of sine and cosine; what
is left of the angle comes as a sum of two floats.

Largest errors in units of the last place, measured over the whole range, with and without fused multiply-add: 0.9 of
the sine and the cosine, 2.2 of the tangent. The polynomials are those of S. Moshier's Cephes library and of FreeBSD's
libm.
"""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan

from numba.core import types

from symcnn.backends.scalars.formula import Value, bits, convert, from_bits, polynomial, select, with_sign

_WORD = 32
_MASK = 2**_WORD - 1

_TWO_OVER_PI = 0xA2F9836E4E441529FC2757D1F534DDC0DB6295993C439041FE5163ABDEBBC561B7246E3A424DD2E006492EEA09
"""2/pi 2**360."""
_WORDS = tuple(_TWO_OVER_PI >> 34 + _WORD * k & _MASK for k in reversed(range(11)))
"""2/pi, of which the first bit counts 2**25."""
_HALF_PI = 0x6487ED5110B4611A
"""pi/2 2**62."""

_SIN = (-0.16666667, 0.0083333294, -0.00019839335, 2.7183115e-06)
"""(sin(r) - r) / r**3 in r**2, for abs(r) <= pi/4."""
_COS = (0.041666646, -0.0013887316, 2.4433157e-05)
"""(cos(r) - 1 + r**2 / 2) / r**4 in r**2, for abs(r) <= pi/4."""


def sin(x: Value) -> Value:
    """The sine."""
    quarter, sine, cosine = _in_turn(x)
    return _turned(quarter, sine, cosine) * with_sign(x.like(1.0), x)


def cos(x: Value) -> Value:
    """The cosine."""
    quarter, sine, cosine = _in_turn(x)
    return _turned(quarter + 1, sine, cosine)


def tan(x: Value) -> Value:
    """The tangent."""
    quarter, sine, cosine = _in_turn(x)
    odd = (quarter & 1) != 0
    return select(odd, -cosine, sine) / select(odd, sine, cosine) * with_sign(x.like(1.0), x)


def _turned(quarter, sine, cosine):
    """The sine, given that and the cosine of what is left of the angle beyond so many quarters of a turn."""
    size = select((quarter & 1) != 0, cosine, sine)
    return from_bits(bits(size) ^ (quarter & 2) << 30)


def _in_turn(x):
    """The quarter of a turn next to abs(x), and sine and cosine of what x is beyond it."""
    size = abs(x)
    quarter, high, low = _reduced(size)
    small = size < 0.78
    quarter, high, low = select(small, 0, quarter), select(small, size, high), select(small, 0, low)
    high = select(size < inf, high, nan)
    z = high * high
    sine = high + (low - z * (0.5 * low - high * polynomial(z, _SIN)))
    half = 0.5 * z
    cosine = 1 - half
    cosine = cosine + (1 - cosine - half + (z * z * polynomial(z, _COS) - high * low))
    return quarter, sine, cosine


def _reduced(size):
    """The nearest number of quarters of a turn (modulo 4, as uint32), and the rest of the angle as two floats; of no
    number below 1/2."""
    representation = bits(size)
    place = (representation >> 23) - 126
    fraction = convert(representation & 0x7FFFFF | 0x800000, types.uint64)
    first, second, third = (convert(word, types.uint64) for word in _bits_of_two_over_pi(place))
    # In units of 2**-62 of a quarter; whole turns are lost at the upper end.
    quarters = (first * fraction << _WORD) + second * fraction + (third * fraction >> _WORD)
    nearest = quarters + (1 << 61) >> 62
    rest = convert(quarters - (nearest << 62), types.int64)
    angle = _times_half_pi(convert(abs(rest), types.uint64))
    high = convert(convert(angle >> 36, types.int32), types.float32) * 2.0**-24
    low = convert(angle & (1 << 36) - 1, types.float32) * 2.0**-60
    total = high + low
    sign = convert(convert(rest >> 63 | 1, types.int32), types.float32)
    return convert(nearest, types.uint32), total * sign, (high - total + low) * sign


def _bits_of_two_over_pi(place):
    """96 bits from `place` on, as three words."""
    words = [place.like(word) for word in _WORDS]
    for step in (4, 2, 1):
        far = (place & step * _WORD) != 0
        words = [select(far, later, now) for now, later in zip(words, words[step:], strict=False)]
    shift = place & _WORD - 1
    return [a << shift | b >> 1 >> (_WORD - 1 - shift) for a, b in pairwise(words)]


def _times_half_pi(x):
    """The upper 64 bits of the product with `_HALF_PI`, a few units in the last place too small."""
    high, low = x >> _WORD, x & _MASK
    c_high, c_low = _HALF_PI >> _WORD, _HALF_PI & _MASK
    return high * c_high + (high * c_low >> _WORD) + (low * c_high >> _WORD)
