"""The complementary error function, accurate where it is tiny: there 1 - erf(x) would be 0.

Below 1/2 it is 1 - erf(x). Above, (1 + 2x) exp(x^2) erfc(x) is a slowly varying function, and a polynomial in
(x - 3) / (x + 3), which is between -1 and 1 (Shepherd and Laframboise, *Chebyshev approximation of (1 + 2x) exp(x^2)
erfc x*, Mathematics of Computation 36, 1981). The coefficients are weighted least-squares fits to the relative error at
Chebyshev nodes, computed with 60 digits, each coefficient rounded before the next is fitted.
"""

from __future__ import annotations

import math

import numpy as np

from symcnn.ir.loops import Expr, call
from symcnn.ops.elementwise import elementwise, exp

_COEFFICIENTS = {
    "float32": (
        1.253008, -0.13562098, -0.047560167, 0.12964186, -0.11929606, 0.068334855, -0.023679035, 0.0024313426,
        0.001727807, -0.0006084864,
    ),
    "float64": (
        1.2530080582697296, -0.1356211061245817, -0.04756229435344993, 0.12964515870282564, -0.1192736634151757,
        0.06830802734154892, -0.023770514923309116, 0.0025293918587853555, 0.0018886904193683688,
        -0.0007798326947838302, -0.00010516017615922518, 0.00012510191428874266, 4.9506066855930045e-06,
        -2.0110433741532625e-05, -7.321167235176603e-07, 3.4965870938289066e-06, 3.5081251617635604e-07,
        -6.529512671062024e-07, -1.2290309810963392e-07, 1.3186733025812808e-07, 1.852079737575923e-08,
        -2.2956517096880747e-08, 3.2433495426075243e-09,
    ),
}  # fmt: skip
_UNDERFLOW = {"float32": 10.5, "float64": 28.0}
"""From here on erfc rounds to 0."""


def _reference(x):
    return np.vectorize(math.erfc, otypes=["float64"])(x)


def _code(x: Expr) -> Expr:
    """erfc in terms of functions that every backend has."""
    y = call("minimum", call("maximum", x, 0.5), _UNDERFLOW[x.dtype.name])
    t = (y - 3.0) / (y + 3.0)
    scaled: Expr | float = 0.0
    for c in reversed(_COEFFICIENTS[x.dtype.name]):
        scaled = t * scaled + c
    # exp(-y^2) from a rounded y, whose square is exact, and what remains: an error of y^2 would be multiplied by it.
    near = call("rint", y * 16.0) * 0.0625
    tail = call("exp", 0.0 - near * near) * (call("exp", (near - y) * (near + y)) * scaled / (y + y + 1.0))
    return call("where", x < 0.5, 1.0 - call("erf", x), tail, dtype=x.dtype)


erfc = elementwise("erfc", _reference, _code, lambda ct, out, x: (ct * (-2 / math.sqrt(math.pi)) * exp(-x * x),))
