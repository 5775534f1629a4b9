"""What the compiler's freedom may not cost: exact elementwise arithmetic, IEEE division, sums as good as NumPy's."""

import numpy as np
import pytest

import symcnn as sc

RNG = np.random.default_rng(0)


def test_elementwise_arithmetic_is_not_reordered():
    x, y = sc.input("x", (None,)), sc.input("y", (None,))
    a, b = RNG.normal(size=(2, 1000)).astype("float32")
    np.testing.assert_array_equal(sc.function([x, y], (x + y) - x)(a, b), (a + b) - a)


@pytest.mark.parametrize("length", [1, 16])
def test_reciprocal_roots_at_the_ends_of_the_range(length):
    x = sc.input("x", (None,))
    root = sc.function([x], 1 / sc.sqrt(x))
    for value, expected in ((0.0, np.inf), (np.inf, 0.0), (4.0, 0.5), (1e-40, 1e20)):
        np.testing.assert_allclose(root(np.full(length, value)), expected, rtol=1e-5)


@pytest.mark.parametrize("shape, axis", [((10**6,), None), ((3, 10**5), 1), ((10**5, 3), 0), ((100, 100, 50), None)])
def test_the_error_of_a_sum_does_not_grow_with_its_length(shape, axis):
    x = sc.input("x", (None,) * len(shape))
    array = np.full(shape, 0.1, "float32")
    expected = array.sum(axis, dtype="float64")
    np.testing.assert_allclose(sc.function([x], sc.sum(x, axis))(array), expected, rtol=5e-6)  # 256 roundings at worst


def test_debug_mode_accepts_a_long_sum():
    x = sc.input("x", (None,))
    sc.function([x], sc.mean(x), mode="debug")(np.full(10**6, 0.1))
