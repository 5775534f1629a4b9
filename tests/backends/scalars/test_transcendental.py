"""The vectorising exponentials and logarithms over the whole range, against wider arithmetic."""

import re

import numba
import numpy as np
import pytest

from symcnn.backends.cpu.compiler import FASTMATH
from symcnn.backends.scalars import functions
from symcnn.ops.elementwise import ROWS

# Largest errors in units of the last place, as the module's docstring gives them.
FLOAT32 = {
    "exp": 1.0, "expm1": 1.5, "log": 0.8, "log1p": 1.4, "sigmoid": 2.4, "tanh": 2.5, "softplus": 1.7, "erf": 1.2,
}  # fmt: skip
FLOAT64 = {"exp": 1.0, "expm1": 2.0, "log": 0.8, "log1p": 1.4, "sigmoid": 2.2, "tanh": 2.5, "softplus": 1.7}
POWER = 0.51

RNG = np.random.default_rng(0)
EDGES = [
    0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 2.5, -2.5,
    88.72283, 88.72284, -87.4, -103.97208, -103.97209, 709.782712893384, 709.7827128933841, -708.4, -745.1332191019411,
    -745.1332191019412, 2.0**24 - 1, 2.0**24, -(2.0**24) + 1, 0.99999994, -0.99999994,
]  # fmt: skip


def loop(name, arity=1):
    arguments = ", ".join(f"x{k}[i]" for k in range(arity))
    parameters = ", ".join(f"x{k}" for k in range(arity))
    source = f"def loop({parameters}, out):\n    for i in range(out.size):\n        out[i] = {name}({arguments})\n"
    namespace = dict(functions.NAMES)
    exec(source, namespace)
    return numba.njit(fastmath=FASTMATH, error_model="numpy")(namespace["loop"])


def run(name, *operands):
    out = np.empty_like(operands[0])
    loop(name, len(operands))(*operands, out)
    return out


def edges(dtype):
    limits = np.finfo(dtype)
    return np.array([*EDGES, limits.max, limits.min, limits.tiny, -limits.tiny, limits.smallest_subnormal], dtype)


def operands(dtype):
    """Numbers of every exponent, more of moderate ones, and the edges."""
    moderate = RNG.normal(size=200_000) * np.exp(RNG.uniform(-4, 5, 200_000))
    if dtype == np.float32:
        every = np.arange(0, 2**32, 6007, np.uint64).astype(np.uint32).view(np.float32)
    else:
        every = RNG.integers(0, 2**64, 200_000, np.uint64).view(np.float64)
    return np.concatenate([every, moderate.astype(dtype), edges(dtype)])


def assert_close(name, found, exact, limit, *x):
    """Within `limit` units of the last place of `exact`, which is of a wider type; infinite, NaN and 0 where it is."""
    limits = np.finfo(found.dtype)
    with np.errstate(all="ignore"):
        expected = exact.astype(found.dtype)
        exponent = np.maximum(np.frexp(np.abs(exact))[1] - 1, limits.minexp)
        error = np.abs(found.astype(exact.dtype) - exact) / np.ldexp(exact.dtype.type(1), exponent - limits.nmant)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    wrong = ~same & ~(error <= limit) | (np.signbit(found) != np.signbit(expected)) & ~np.isnan(expected)
    shown = [(*(v[k] for v in x), found[k], expected[k], float(error[k])) for k in np.flatnonzero(wrong)[:5]]
    assert not shown, f"{name}: operands, found, expected, error {shown}"


@pytest.mark.parametrize("name", FLOAT32)
def test_float32(name):
    x = operands(np.dtype("float32"))
    if name == "erf":
        x = x[::5]  # the specification is a Python loop
    with np.errstate(all="ignore"):
        exact = ROWS[name].numpy(x.astype("float64"))
    assert_close(name, run(name, x), exact, FLOAT32[name], x)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="nothing to compare with is more accurate")
@pytest.mark.parametrize("name", FLOAT64)
def test_float64(name):
    x = operands(np.dtype("float64"))
    with np.errstate(all="ignore"):
        exact = ROWS[name].numpy(x.astype(np.longdouble))
    assert_close(name, run(name, x), exact, FLOAT64[name], x)


def test_erf_in_float64():
    x = np.concatenate([RNG.normal(size=20_000) * 2, edges(np.float64)])
    assert_close("erf", run("erf", x), ROWS["erf"].numpy(x), 2, x)  # whose own error is up to 1


def power_operands():
    """Bases and exponents in float32: all kinds of numbers, positive bases with moderate exponents, and the edges."""
    bits = RNG.integers(0, 2**32, (2, 200_000), np.uint64).astype(np.uint32).view(np.float32)
    base = np.exp(RNG.uniform(-20, 20, 200_000)).astype("float32")
    exponent = (RNG.normal(size=200_000) * np.exp(RNG.uniform(-3, 3, 200_000))).astype("float32")
    pairs = np.array(np.meshgrid(edges(np.float32), edges(np.float32))).reshape(2, -1)
    return np.concatenate([bits, [base, exponent], pairs], axis=1)


def test_power_in_float32():
    x, y = power_operands()
    with np.errstate(all="ignore"):
        exact = np.power(x.astype("float64"), y.astype("float64"))
    assert_close("power", run("power", x, y), exact, POWER, x, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [*FLOAT32, "maximum", "minimum", "absolute", "sign", "sqrt", "reciprocal", "rint"])
def test_loops_vectorise(name, dtype):
    arity = ROWS[name].arity
    compiled = loop(name, arity)
    compiled(*[np.ones(4, dtype)] * (arity + 1))
    (llvm,) = compiled.inspect_llvm().values()
    element = {"float32": "float", "float64": "double"}[dtype]
    assert re.search(rf"store <\d+ x {element}>", llvm)


def test_power_of_float32_vectorises():
    compiled = loop("power", 2)
    compiled(*[np.ones(4, "float32")] * 3)
    assert re.search(r"store <\d+ x float>", next(iter(compiled.inspect_llvm().values())))
