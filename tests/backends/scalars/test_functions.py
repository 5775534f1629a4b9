"""The scalar functions of generated kernels against NumPy, special values included."""

import itertools

import numba
import numpy as np
import pytest

from symcnn.backends.cpu.compiler import REORDERING
from symcnn.backends.scalars import functions
from symcnn.ops.elementwise import ROWS

FLOATS = [
    np.nan,
    np.inf,
    -np.inf,
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3.0,
    -7.25,
    1e-30,
    -1e30,
    88.0,
    -104.0,
    700.0,
]
INTEGERS = [0, 1, 2, 3, 7, -1, -2, -3, -7, 100]
ARITY = {name: ROWS[{"atan": "arctan"}.get(name, name)].arity for name in functions.NAMES}
SPECIFICATION = {name: ROWS[{"atan": "arctan"}.get(name, name)].numpy for name in functions.NAMES}
DTYPES = [np.dtype(name) for name in ["float32", "float64", "int8", "int32", "int64", "uint8", "uint64", "bool"]]
FLOAT_ONLY = [
    "sqrt",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sin",
    "cos",
    "tan",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "erf",
    "sigmoid",
    "softplus",
]


def names(arity, dtype):
    found = [name for name, n in ARITY.items() if n == arity]
    return found if dtype.kind == "f" else [name for name in found if name not in FLOAT_ONLY]


def run(wanted, dtype, *operands):
    """Every function on every element, in one compiled loop."""
    loop, results = compile_loop(wanted, dtype, *operands)
    loop(*operands, *results)
    return results


def compile_loop(wanted, dtype, *operands):
    args = ", ".join(f"x{k}[i]" for k in range(len(operands)))
    params = ", ".join(f"x{k}" for k in range(len(operands)))
    results = [np.empty(operands[0].shape, bool if f.startswith("is") else dtype) for f in wanted]
    outs = ", ".join(f"out_{f}" for f in wanted)
    lines = [f"        out_{f}[i] = {f}({args})" for f in wanted]
    source = f"def loop({params}, {outs}):\n    for i in range(x0.size):\n" + "\n".join(lines)
    namespace = dict(functions.NAMES)
    exec(source, namespace)
    return numba.njit(fastmath=REORDERING, error_model="numpy")(namespace["loop"]), results


def specials(dtype):
    if dtype.kind == "f":
        limits = np.finfo(dtype)
        return np.array([*FLOATS, limits.max, limits.tiny, limits.eps], dtype)
    if dtype.kind == "b":
        return np.array([False, True])
    limits = np.iinfo(dtype)
    return np.array([*(v for v in INTEGERS if v >= limits.min), limits.max, limits.min], dtype)


def assert_same(found, expected, name, operands):
    __tracebackhide__ = True
    expected = np.asarray(expected)
    if found.dtype.kind != "f":
        wrong = found != expected
    else:
        tolerance = 4 * np.finfo(found.dtype).eps
        with np.errstate(all="ignore"):
            near = np.abs(found - expected) <= tolerance * np.maximum(np.abs(expected), np.finfo(found.dtype).tiny)
        wrong = ~((found == expected) | near | (np.isnan(found) & np.isnan(expected)))
    shown = [(*(x[k] for x in operands), found[k], expected[k]) for k in np.flatnonzero(wrong)[:5]]
    assert not shown, f"{name}: operands, found, expected {shown}"


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_unary_functions_agree_with_numpy(dtype):
    x = specials(dtype)
    wanted = names(1, dtype)
    if dtype.kind == "b":
        wanted = ["absolute", "isnan", "isinf", "isfinite"]
    for name, found in zip(wanted, run(wanted, dtype, x), strict=True):
        keep = np.ones(x.shape, bool)
        if name == "reciprocal" and dtype.kind != "f":
            keep = x != 0  # whatever NumPy answers there
        if name in ("sin", "cos", "tan"):
            keep = ~(np.abs(x) > 1e6)  # where the next float is many periods away
        with np.errstate(all="ignore"):
            expected = SPECIFICATION[name](x)
        assert_same(found[keep], np.asarray(expected)[keep], name, [x[keep]])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_binary_functions_agree_with_numpy(dtype):
    x, y = (np.array(v) for v in zip(*itertools.product(specials(dtype), repeat=2), strict=True))
    wanted = ["maximum", "minimum"] if dtype.kind == "b" else names(2, dtype)
    for name, found in zip(wanted, run(wanted, dtype, x, y), strict=True):
        keep = np.ones(x.shape, bool)
        if name == "power" and dtype.kind in "iu":
            keep = y >= 0  # NumPy raises
        with np.errstate(all="ignore"):
            expected = SPECIFICATION[name](x[keep], y[keep])
        assert_same(found[keep], expected, name, [x[keep], y[keep]])


def test_signs_of_zeros_follow_numpy():
    x, y = np.array([0.0, -0.0, 6.0, -6.0, 0.0, 2.0]), np.array([3.0, 3.0, -3.0, 3.0, -3.0, np.inf])
    for name, found in zip(
        ("remainder", "floor_divide"), run(["remainder", "floor_divide"], x.dtype, x, y), strict=True
    ):
        np.testing.assert_array_equal(np.signbit(found), np.signbit(SPECIFICATION[name](x, y)))


@pytest.mark.parametrize("arity", [1, 2])
def test_float32_is_never_widened(arity):
    operands = [np.ones(3, "float32")] * arity
    wanted = [name for name in names(arity, np.dtype("float32")) if name != "power"]  # which says why
    compiled, results = compile_loop(wanted, operands[0].dtype, *operands)
    compiled(*operands, *results)
    assert "fpext" not in next(iter(compiled.inspect_llvm().values()))


RANDOM = {
    "random_uniform": "float32", "random_uniform64": "float64", "random_normal": "float32", "random_normal64": "float64",
}  # fmt: skip


def draws():
    """Seeds, calls and positions, all with all."""
    keys = [(0, 0), (1, 2), (-5, 2**33), (2**63 - 1, 7)]
    index = [0, 1, 2, 1000, 2**32 - 1, 2**32, 2**40 + 3]
    return np.array([(*key, i) for key in keys for i in index]).T.copy()


@pytest.mark.parametrize("name", RANDOM)
def test_random_functions_agree_with_numpy(name):
    (found,) = run([name], np.dtype(RANDOM[name]), *draws())
    expected = SPECIFICATION[name](*draws())
    np.testing.assert_allclose(found, expected, rtol=3 * np.finfo(found.dtype).eps)
    if "uniform" in name:
        np.testing.assert_array_equal(found, expected)
