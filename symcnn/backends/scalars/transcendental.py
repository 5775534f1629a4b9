"""Exponentials, logarithms and their kin as formulas that vectorise.

All follow one plan: the bits of the operand tell which power of two is in it, the rest lies in a short interval, and
there a polynomial is as good as the function. One formula serves float32 and float64; they differ in their constants.
NaN, infinities, zeros and their signs, numbers too small to be normal come out as in NumPy.

Largest errors in units of the last place, measured over the whole range, with and without fused multiply-add:

=========  =======  =======
function   float32  float64
=========  =======  =======
exp        1.0      1.0
expm1      1.5      2.0
log        0.8      0.8
log1p      1.4      1.4
sigmoid    2.4      2.2
tanh       2.5      2.5
softplus   1.7      1.7
erf        1.2      1.0
power      0.51     (libm)
=========  =======  =======

The polynomials of the logarithm are those of FreeBSD's libm (Sun Microsystems, 1993); the others are weighted
least-squares fits to the relative error at Chebyshev nodes, computed with 50 digits, each coefficient rounded before
the next is fitted. The splitting of log(2) is FreeBSD's too; writing erfc as the exponential of a polynomial is due to
N. Juffa.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

from numba.core import types

from symcnn.backends.scalars.formula import Value, bits, call, convert, from_bits, polynomial, select, with_sign


@dataclass(frozen=True)
class _Constants:
    """What distinguishes the number types.

    Attributes
    ----------
    fraction, bias : int
        Bits of the fraction; what is added to the exponent where it is stored.
    root_half : int
        The bits of sqrt(1/2).
    overflow, underflow : float
        Beyond these the exponential is infinite, or 0.
    log2_high, log2_low : float
        Sum to log(2); the product of the first with an exponent is exact.
    exp : tuple
        (exp(r) - 1 - r) / r**2 in r, for abs(r) <= log(2) / 2.
    log : tuple
        With s = f / (2 + f): (log(1 + f) - 2 s) / s**3 in s**2, for sqrt(1/2) <= 1 + f <= sqrt(2).
    erf : tuple
        erf(x) / x - 1 in x**2, for abs(x) <= 1.
    log_erfc : tuple
        log(1 - erf(x)) / x in x, for 1 <= x <= erf_is_1.
    erf_is_1 : float
        From here on erf rounds to 1.
    """

    fraction: int
    bias: int
    root_half: int
    overflow: float
    underflow: float
    log2_high: float
    log2_low: float
    exp: tuple[float, ...]
    log: tuple[float, ...]
    erf: tuple[float, ...]
    log_erfc: tuple[float, ...]
    erf_is_1: float

    @property
    def tiny(self) -> float:
        """The smallest normal number."""
        return 2.0 ** (1 - self.bias)

    @property
    def to_integer(self) -> float:
        """Added to a moderate number it rounds it to an integer, which then is the low part of its bits."""
        return 1.5 * 2.0**self.fraction

    @property
    def to_integer_bits(self) -> int:
        return (self.bias + self.fraction << self.fraction) + (1 << self.fraction - 1)


_FLOAT32 = _Constants(
    fraction=23,
    bias=127,
    root_half=0x3F3504F3,
    overflow=89.0,
    underflow=-105.0,
    log2_high=float.fromhex("0x1.62e4p-1"),
    log2_low=float.fromhex("0x1.7f7d1cp-20"),
    exp=(0.5, 0.16666667, 0.041666478, 0.008333192, 0.00139337, 0.00019958467),
    log=(0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841),
    erf=(0.12837917, -0.37612626, 0.112835824, -0.026853643, 0.0051879627, -0.0008006793, 7.842288e-05),
    log_erfc=(-1.128702, -0.6349382, -0.10658293, 0.024055213, -0.0037790076, 0.00035594296, -1.450342e-05),
    erf_is_1=4.0,
)
_FLOAT64 = _Constants(
    fraction=52,
    bias=1023,
    root_half=0x3FE6A09E667F3BCD,
    overflow=710.0,
    underflow=-746.0,
    log2_high=6.93147180369123816490e-01,
    log2_low=1.90821492927058770002e-10,
    exp=(
        0.5, 0.16666666666666677, 0.04166666666666668, 0.008333333333321442, 0.0013888888888877445,
        0.00019841269886569808, 2.4801587340616703e-05, 2.7557243786127943e-06, 2.755725920703251e-07,
        2.5109178722745544e-08, 2.0919500327140614e-09,
    ),
    log=(
        6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
        1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
    ),
    erf=(
        0.1283791670955126, -0.37612638903183876, 0.11283791670958743, -0.02686617064561954, 0.005223977629095658,
        -0.0008548327189606624, 0.00012055337777810952, -1.4925738504204218e-05, 1.646308709483387e-06,
        -1.637063829093387e-07, 1.4786548418167036e-08, -1.1830590465705277e-09, 6.684830822627492e-11,
    ),
    log_erfc=(
        -1.1283792036547649, -0.636619339578773, -0.10277501390251617, 0.019136848843341665, 0.00018864075191739465,
        -0.001658692298183995, 0.0005371442932822475, 3.334359692496012e-05, -0.00011756961136390109,
        6.803875649674107e-05, -2.55574655519211e-05, 7.184003676266837e-06, -1.5693983646130898e-06,
        2.676449316313123e-07, -3.5121579097780666e-08, 3.432964448515906e-09, -2.3561260797344324e-10,
        1.013193381450012e-11, -2.0534308612317256e-13,
    ),
    erf_is_1=6.0,
)  # fmt: skip

_SIN_OF_TURN = (
    6.283185307179586, -41.34170224039958, 81.6052492760347, -76.70585974901505, 42.05869372675374,
    -15.094635778759605, 3.8198281274087953, -0.7168327028980148, 0.09754660370848454,
)  # fmt: skip
"""sin(2 pi x) / x in x**2, for abs(x) <= 1/4, in float64."""


def _constants(x: Value) -> _Constants:
    return _FLOAT32 if x.type == types.float32 else _FLOAT64


# -- Exponentials -----------------------------------------------------------------------------------------------------


def exp(x: Value) -> Value:
    """The exponential."""
    c = _constants(x)
    n, r = _exponent_and_rest(_clipped(x, c.underflow, c.overflow), c)
    # Half of the power of two at a time: all of it may be no normal number, and is then rounded once, at the end.
    exponent = n + 2 * c.bias
    half = exponent >> 1
    result = r * r * polynomial(r, c.exp) + r + 1
    return result * from_bits(half << c.fraction) * from_bits(exponent - half << c.fraction)


def expm1(x: Value) -> Value:
    """``exp(x) - 1``, without cancellation near 0."""
    c = _constants(x)
    n, r = _exponent_and_rest(_clipped(x, -float(c.fraction), c.overflow), c)
    half = from_bits(n + (c.bias - 1) << c.fraction)  # half of the power of two, which itself may exceed all floats
    result = ((r * r * polynomial(r, c.exp) + r) * half + (half - 0.5)) * 2
    return with_sign(result, x)


def _exponent_and_rest(x, c):
    """n (as bits) and r such that x = n log(2) + r and abs(r) <= log(2) / 2."""
    shifted = x * 1.4426950408889634 + c.to_integer
    n = shifted - c.to_integer
    return bits(shifted) - c.to_integer_bits, x - n * c.log2_high - n * c.log2_low


def _clipped(x, low, high):
    """NaN stays."""
    x = select(x > high, high, x)
    return select(x < low, low, x)


def sigmoid(x: Value) -> Value:
    """``1 / (1 + exp(-x))``."""
    e = exp(-abs(x))
    return select(x >= 0, 1, e) / (e + 1)


def tanh(x: Value) -> Value:
    """The hyperbolic tangent."""
    e = expm1(abs(x) * -2)
    return with_sign(e / (e + 2), x)


def erf(x: Value) -> Value:
    """The error function."""
    c = _constants(x)
    size = abs(x)
    t = _clipped(size, 0, c.erf_is_1)
    near = x * polynomial(x * x, c.erf) + x
    far = 1 - exp(t * polynomial(t, c.log_erfc))
    return select(size < 1, near, with_sign(far, x))


# -- Logarithms -------------------------------------------------------------------------------------------------------


def log(x: Value) -> Value:
    """The natural logarithm."""
    c = _constants(x)
    small = x < c.tiny
    exponent, m = _exponent_and_fraction(select(small, x * 2.0**c.fraction, x), c)
    exponent = _as_float(exponent, c)
    result = _log_of(select(small, exponent - c.fraction, exponent), m - 1, c)
    return _log_at_ends(x, result)


def log1p(x: Value) -> Value:
    """``log(1 + x)``, as accurate near 0 as elsewhere."""
    return with_sign(_log_at_ends(x + 1, _log1p_between(x)), x)


def softplus(x: Value) -> Value:
    """``log(1 + exp(x))``."""
    return select(x < 0, 0, x) + _log1p_between(exp(-abs(x)))


def _log1p_between(x):
    """log1p of what is more than -1 and less than infinity."""
    c = _constants(x)
    y = x + 1
    exponent, m = _exponent_and_fraction(y, c)
    # y was rounded: what its logarithm depends on, y / 2**exponent - 1, is got from x itself unless x is large.
    scale = from_bits(2 * c.bias - exponent << c.fraction)
    f = select(x < 2.0 ** (c.fraction + 2), x * scale + (scale - 1), m - 1)
    return _log_of(_as_float(exponent, c), f, c)


def _exponent_and_fraction(x, c):
    """The integer e + bias and the float m such that x = m 2**e and sqrt(1/2) <= m < sqrt(2)."""
    shifted = bits(x) + ((c.bias << c.fraction) - c.root_half)
    return shifted >> c.fraction, from_bits((shifted & (1 << c.fraction) - 1) + c.root_half)


def _as_float(exponent, c):
    """A stored exponent as the number that it means, in float: it becomes the fraction of 2**fraction."""
    return from_bits(exponent | c.bias + c.fraction << c.fraction) - (2.0**c.fraction + c.bias)


def _log_of(exponent, f, c):
    """exponent log(2) + log(1 + f)."""
    s = f / (f + 2)
    z = s * s
    half = 0.5 * f * f
    return exponent * c.log2_high - (half - (s * (half + z * polynomial(z, c.log)) + exponent * c.log2_low) - f)


def _log_at_ends(x, result):
    """The logarithm of x, given that of an ordinary one."""
    return select(x > 0, select(x < inf, result, x), select(x == 0, x.like(-inf), nan))


# -- Others -----------------------------------------------------------------------------------------------------------


def power(x: Value, y: Value) -> Value:
    """x to the y. Errors of the logarithm are multiplied by y: float32 is computed in float64, and that by the C library,
    as is float32 on the GPU, where float64 is slow."""
    if x.type == types.float64 or x.on_gpu:
        return call("pow", x, y)
    size = abs(x)
    result = convert(exp(convert(y, types.float64) * log(convert(size, types.float64))), types.float32)
    result = select(size == 1, 1, result)  # even to an infinite power
    whole = call("rint", y) == y
    odd = whole & (call("rint", y * 0.5) != y * 0.5)
    result = select(odd, with_sign(result, x), result)
    result = select((x < 0) & (x > -inf) & (whole == 0), nan, result)
    return select((x == 1) | (y == 0), 1, result)  # even where the other is NaN


def cos_of_turn(x: Value) -> Value:
    """``cos(2 pi x)`` for 0 <= x <= 1, in float64."""
    v = abs(x - 0.5) - 0.25
    return v * polynomial(v * v, _SIN_OF_TURN)
