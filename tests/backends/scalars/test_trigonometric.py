"""Sine, cosine and tangent of float32 as the GPU computes them, run on the host against float64."""

import numba
import numpy as np
import pytest

from symcnn.backends.cpu.compiler import FASTMATH
from symcnn.backends.scalars import trigonometric
from symcnn.backends.scalars.formula import formula
from tests.backends.scalars.test_transcendental import assert_close, operands

# Largest errors in units of the last place, as the module's docstring gives them.
LARGEST = {"sin": 0.9, "cos": 0.9, "tan": 2.2}


def near_poles_and_zeros():
    """The floats next to many multiples of pi/2, and the one of all floats that is nearest to one: 16367173 2**72."""
    multiples = (np.arange(1, 50_000) * (np.pi / 2)).astype(np.float32)
    return np.concatenate([multiples, np.nextafter(multiples, 0, dtype=np.float32), np.float32([16367173 * 2.0**72])])


@pytest.mark.parametrize("name", LARGEST)
def test_float32(name):
    namespace = {"f": formula(getattr(trigonometric, name))}
    exec("def loop(x, out):\n    for i in range(x.size):\n        out[i] = f(x[i])\n", namespace)
    x = np.concatenate([operands(np.dtype("float32")), near_poles_and_zeros()])
    found = np.empty_like(x)
    numba.njit(fastmath=FASTMATH)(namespace["loop"])(x, found)
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(x.astype("float64"))
    assert_close(name, found, exact, LARGEST[name], x)
