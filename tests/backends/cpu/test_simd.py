"""Vectors of the SIMD type behave as NumPy arrays of one register's length."""

import subprocess
import sys

import numpy as np
import pytest
from numba import float32, float64, njit, types

from symcnn.backends.cpu.simd import (
    VECTOR_BYTES,
    Vector,
    advance,
    fma,
    integers,
    lane_range,
    lanes,
    load,
    load_where,
    pointer,
    store,
    store_where,
    zero,
)

GUARD = -7.0


@njit
def exercise(dtype, inputs, first, stop, outputs):
    """Apply every operation to the three vectors at `inputs` and write one row of `outputs` for each."""
    p, out = pointer(inputs, dtype), pointer(outputs, dtype)
    width = lanes(p)
    a, b, c = load(p, 0), load(p, width), load(advance(p, width), width)
    inside = lane_range(p, first, stop)
    store(out, 0 * width, a + b)
    store(out, 1 * width, fma(a, b, c))
    store(out, 2 * width, zero(p))
    store(out, 3 * width, load_where(inside, p, 0))
    store_where(inside, out, 4 * width, a)
    return width


def run(dtype, a, b, c, first=0, stop=0):
    """The rows of `exercise` for NumPy vectors."""
    inputs = np.concatenate([a, b, c])
    outputs = np.full((5, len(a)), GUARD, a.dtype)
    width = exercise(dtype, np.uintp(inputs.ctypes.data), first, stop, np.uintp(outputs.ctypes.data))
    assert width == len(a)
    return outputs


@pytest.fixture(params=[float32, float64], ids=str)
def dtype(request):
    return request.param


@pytest.fixture
def vectors(dtype):
    """Three vectors of random numbers."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((3, VECTOR_BYTES * 8 // dtype.bitwidth)).astype(dtype.name)


def test_width_is_that_of_one_register(dtype):
    assert Vector(dtype).lanes * dtype.bitwidth == 8 * VECTOR_BYTES
    assert VECTOR_BYTES in (16, 32, 64)


def test_arithmetic(dtype, vectors):
    a, b, c = vectors
    rows = run(dtype, a, b, c)
    np.testing.assert_array_equal(rows[0], a + b)
    np.testing.assert_allclose(rows[1], a * b + c, rtol=0, atol=4 * np.finfo(a.dtype).eps)


def test_zero(dtype, vectors):
    np.testing.assert_array_equal(run(dtype, *vectors)[2], np.zeros_like(vectors[0]))


@pytest.mark.parametrize(
    "first, stop", [(0, 0), (0, 1), (1, 2), (-5, 1), (1, 1000), (-1000, 1000), (1000, 2000), (2, 1)]
)
def test_masked_access_touches_its_lanes_only(dtype, vectors, first, stop):
    lane = np.arange(vectors.shape[1])
    inside = (lane >= first) & (lane < stop)
    rows = run(dtype, *vectors, first, stop)
    np.testing.assert_array_equal(rows[3], np.where(inside, vectors[0], 0))
    np.testing.assert_array_equal(rows[4], np.where(inside, vectors[0], vectors.dtype.type(GUARD)))


def test_nan_and_infinity_mean_what_they_mean_in_numpy(dtype, vectors):
    a, b, c = vectors
    a[0], b[1], a[-1] = np.nan, np.nan, np.inf
    rows = run(dtype, a, b, c)
    np.testing.assert_array_equal(rows[0], a + b)
    np.testing.assert_allclose(rows[1], a * b + c, rtol=0, atol=4 * np.finfo(a.dtype).eps)


def test_integers_reads_a_tuple():
    @njit
    def second_to_fourth(address):
        return integers(pointer(address, types.int64), 1, 3)

    block = np.array([5, 6, 7, 8, 9])
    assert second_to_fourth(np.uintp(block.ctypes.data)) == (6, 7, 8)


def test_launches_are_described_without_numba():
    program = "import sys, symcnn.backends.cpu.launch; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
