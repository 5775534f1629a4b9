"""Products by the tuned kernels against NumPy in float64; the contract tests run the examples."""

import numpy as np
import pytest

from symcnn.backends.cuda.tuned import tuned_kernel
from symcnn.ir.types import TensorType
from symcnn.ops.linalg import MatMul
from symcnn.schedule.plan import View
from tests.backends.cuda.tuned.launching import launch
from tests.contract.cases import assert_agree


def matrix(*shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def check(a, b, geometry="large", **kwargs):
    expected = np.matmul(a.astype("float64"), b.astype("float64"))
    found = launch(MatMul(), [a, b], geometry, **kwargs)
    assert_agree(found, expected.astype(a.dtype))


@pytest.mark.parametrize(("m", "k", "n"), [(70, 21, 90), (64, 16, 64), (33, 17, 65), (130, 5, 64), (65, 0, 33)])
def test_sizes_that_fill_tiles_and_that_do_not(m, k, n):
    check(matrix(m, k), matrix(k, n, seed=1))


def test_any_strides():
    a, b = matrix(50, 70), matrix(90, 50, seed=1)
    check(a.T, b.T)
    check(a.T[::2, 3:], b[:, 3:].T)
    check(a[:, ::2], b.T[5:40, 1:])


def test_stacks():
    check(matrix(2, 1, 5, 7), matrix(3, 7, 4, seed=1), "small")
    check(np.swapaxes(matrix(3, 2, 5, 7), 0, 1)[:, :, ::2], matrix(2, 1, 7, 4, seed=1), "small")
    # One right side for a contiguous stack: it is one product of its rows.
    check(matrix(3, 4, 5, 7), matrix(7, 4, seed=1), "small")
    check(matrix(3, 4, 7, 5).swapaxes(2, 3), matrix(7, 4, seed=1), "small")


def test_long_sums_are_cut():
    a, b = matrix(3, 500), matrix(500, 6, seed=1)
    check(a, b, "small")
    operands = [View(0, 0, x.shape, (x.shape[1], 1), x.dtype) for x in (a, b)]
    output = View(0, 0, (3, 6), (6, 1), a.dtype)
    assert tuned_kernel(MatMul()).algorithm_for(MatMul(), output, operands) == "split-K product"
    check(matrix(3, 100), matrix(100, 6, seed=1), "small")


def test_float64():
    a, b = matrix(9, 20, dtype="float64"), matrix(20, 11, dtype="float64", seed=1)
    check(a, b, "small")


def test_the_epilogue_gets_every_element():
    a, b, bias = matrix(35, 20), matrix(20, 70, seed=1), matrix(70, seed=2)
    finished, plain = launch(MatMul(), [a, b], bias=bias)
    expected = np.matmul(a.astype("float64"), b)
    assert_agree(plain, expected.astype("float32"))
    assert_agree(finished, np.maximum(expected + bias, 0).astype("float32"))
    a, b, bias = matrix(4, 300), matrix(300, 5, seed=1), matrix(5, seed=2)  # after the last of several pieces
    finished, _ = launch(MatMul(), [a, b], "small", bias=bias)
    assert_agree(finished, np.maximum(np.matmul(a.astype("float64"), b) + bias, 0).astype("float32"))


def test_unknown_sizes_take_kernels_that_were_announced():
    check(matrix(70, 21), matrix(21, 90, seed=1), known=lambda size: False)
    check(matrix(70, 21), matrix(21, 90, seed=1), known=lambda size: size == 90)


def test_other_types_are_left_to_nests():
    entry = tuned_kernel(MatMul())
    whole, mixed = TensorType(np.dtype("int32"), (2, 2)), TensorType(np.dtype("float64"), (2, 2))
    assert not entry.accepts(MatMul(), [whole, whole], whole)
    assert not entry.accepts(MatMul(), [whole, mixed], mixed)
