"""Formulas: what operators on Values compute, in kernels of every kind."""

import numba
import numpy as np
import pytest
from numba.core import types

from symcnn.backends.cpu.compiler import REORDERING
from symcnn.backends.scalars.formula import bits, convert, formula, from_bits, polynomial, repeat, select, with_sign

SIGNED, UNSIGNED, FLOATS = ["int8", "int32", "int64"], ["uint8", "uint64"], ["float32", "float64"]


def run(function, *operands, **options):
    """`function` of each element, in a kernel that may reorder sums."""
    return list(run_all([function], *operands, **options)[0])


def run_all(functions, *operands, **options):
    """Each of `functions` of each element, all in one kernel."""
    namespace = {f"f{k}": formula(f, **options) for k, f in enumerate(functions)}
    letters = ", ".join("xy"[: len(operands)])
    exec(f"def kernel({letters}):\n    return {''.join(f'{f}({letters}), ' for f in namespace)}", namespace)
    kernel = numba.njit(fastmath=REORDERING)(namespace["kernel"])
    return list(zip(*(kernel(*x) for x in zip(*operands, strict=True)), strict=True))


@pytest.mark.parametrize("dtype", [*SIGNED, *UNSIGNED, *FLOATS])
def test_arithmetic_is_that_of_numpy(dtype):
    x, y = np.array([0, 1, 5, 100], dtype), np.array([3, 120, 1, 7], dtype)
    functions = [
        lambda x, y: x + y,
        lambda x, y: x - y,
        lambda x, y: x * y,
        lambda x, y: 2 * x - (y + 1),
        lambda x, y: 3 - x * y,
        lambda x, y: -x,
        lambda x, y: abs(x - y),
    ]
    for function, found in zip(functions, run_all(functions, x, y), strict=True):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(np.array(found, dtype), function(x, y))


@pytest.mark.parametrize("dtype", [*SIGNED, *UNSIGNED, *FLOATS])
def test_comparisons_know_signs_and_nan(dtype):
    values = [0, 1, 127, np.nan] if dtype in FLOATS else [0, 1, 127, np.iinfo(dtype).max]
    values += [-1, -5] if dtype not in UNSIGNED else []
    x, y = np.meshgrid(np.array(values, dtype), np.array(values, dtype))
    functions = [
        lambda x, y: x < y,
        lambda x, y: x <= y,
        lambda x, y: x > y,
        lambda x, y: x >= y,
        lambda x, y: x == y,
        lambda x, y: x != y,
    ]
    x, y = x.ravel(), y.ravel()
    for function, found in zip(functions, run_all(functions, x, y, result=types.boolean), strict=True):
        np.testing.assert_array_equal(found, function(x, y))


@pytest.mark.parametrize("dtype", [*SIGNED, *UNSIGNED])
def test_division_of_integers_is_that_of_c(dtype):
    values = [1, 2, 7, 100, *([-1, -7, -100] if dtype in SIGNED else [np.iinfo(dtype).max])]
    x, y = (v.ravel() for v in np.meshgrid(np.array(values, dtype), np.array(values, dtype)))
    quotients, rests = run_all([lambda x, y: x // y, lambda x, y: x % y], x, y)
    np.testing.assert_array_equal(rests, np.fmod(x, y))
    np.testing.assert_array_equal(quotients, (x - np.fmod(x, y)) // y)


def test_repetition():
    half = lambda x, n: (x >> 1, n + 1)  # noqa: E731
    assert run(lambda x: repeat(lambda x, n: x > 1, half, x, x.like(0))[1], [0, 1, 2, 5, 1024]) == [0, 0, 1, 2, 10]


def test_a_literal_takes_the_type_of_the_other():
    add = formula(lambda x, y: x + y)
    assert numba.njit(lambda x: add(x, 100))(np.int8(100)) == -56
    assert numba.njit(lambda x: add(x, 1))(np.float32(0.1)) == np.float32(0.1) + np.float32(1)


def test_shifts_and_masks():
    x = np.array([0, 1, 2**40 + 12345, 2**64 - 1], np.uint64)
    for function in (lambda x: (x >> 3) & 255, lambda x: x << 7 | 1, lambda x: x ^ 5):
        np.testing.assert_array_equal(np.array(run(function, x), np.uint64), function(x))
    assert run(lambda x: x >> 1, np.array([-6])) == [-3]


@pytest.mark.parametrize("dtype", FLOATS)
def test_bits_and_back(dtype):
    x = np.array([1.0, -0.0, 3.5e-30, -np.inf], dtype)
    integer = {"float32": types.uint32, "float64": types.uint64}[dtype]
    expected = x.view({"float32": "uint32", "float64": "uint64"}[dtype])
    np.testing.assert_array_equal(run(bits, x, result=integer), expected)
    np.testing.assert_array_equal(run(lambda x: from_bits(bits(x) + 1), x[:3]), (expected[:3] + 1).view(dtype))
    np.testing.assert_array_equal(run(lambda x: with_sign(x.like(2.0), x), x), np.copysign(2, x))


def test_conversions():
    assert run(lambda x: convert(x, types.float64), [np.int32(-7)], result=types.float64) == [-7]
    assert run(lambda x: convert(x, types.float64), [np.uint64(2**64 - 1)], result=types.float64) == [2.0**64]
    assert run(lambda x: convert(x, types.float32), [0.1], result=types.float32) == [np.float32(0.1)]
    assert run(lambda x: convert(x, types.float64), [np.float32(0.1)], result=types.float64) == [float(np.float32(0.1))]
    assert run(lambda x: convert(x, types.int64), [np.int32(-7)], result=types.int64) == [-7]
    assert run(lambda x: convert(x, types.uint64), [np.uint32(2**32 - 1)], result=types.uint64) == [2**32 - 1]
    assert run(lambda x: convert(x, types.int32), [2**40 + 3], result=types.int32) == [3]
    assert run(lambda x: convert(x, types.int64), [5], result=types.int64) == [5]


def test_choices_and_polynomials():
    assert run(lambda x: select(x > 0, 1, x), [2.0, -2.0]) == [1, -2]
    assert run(lambda x: select(x > 0, x, 0), [2, -2]) == [2, 0]
    assert run(lambda x: polynomial(x, (1.0, 2.0, 3.0)), [2.0]) == [17]


def test_the_order_is_kept_where_kernels_may_reorder():
    assert run(lambda x: (x + 2.0**53) - 2.0**53, [0.3]) == [0]
    assert run(lambda x: x / 3 * 3, [5e-324]) == [0]


def test_operands_meet_in_one_type():
    assert run(lambda x, y: x + y, [np.float32(0.1)], [2]) == [np.float32(0.1) + np.float32(2)]
    assert run(lambda x, y: x * y, [np.int8(100)], [np.int8(3)]) == [44]
