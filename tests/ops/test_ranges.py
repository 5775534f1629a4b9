"""arange, linspace and eye are NumPy's, in symcnn's default dtype."""

import numpy as np
import pytest

import symcnn as sc


@pytest.mark.parametrize("given", [(5,), (2, 7), (2, 9, 3), (5, 0, -2), (0,), (0.5,), (0, 1, 0.25), (3, 1)], ids=str)
def test_arange(given):
    found, expected = sc.arange(*given).value, np.arange(*given)
    assert found.dtype == (np.int64 if expected.dtype.kind == "i" else np.float32)
    np.testing.assert_array_equal(found, expected.astype(found.dtype))


def test_linspace():
    for options in ({}, {"num": 7}, {"num": 4, "endpoint": False}, {"num": 0}):
        np.testing.assert_array_equal(
            sc.linspace(-1, 2, **options).value, np.linspace(-1, 2, **options).astype("float32")
        )


@pytest.mark.parametrize("given", [(3,), (2, 3), (3, 2, -1), (2, 5, 2), (0,)], ids=str)
def test_eye(given):
    np.testing.assert_array_equal(sc.eye(*given).value, np.eye(*given, dtype="float32"))


def test_the_dtype_may_be_given():
    for made in (sc.arange(3, dtype="uint8"), sc.linspace(0, 1, 3, dtype="uint8"), sc.eye(2, dtype="uint8")):
        assert made.dtype == np.uint8


def test_refusals():
    x = sc.input("x", (None, 3))
    with pytest.raises(sc.DTypeError, match="takes numbers") as error:
        sc.arange(x.shape[0])
    assert "position_like" in error.value.hint
    with pytest.raises(sc.DTypeError, match="takes numbers"):
        sc.linspace(0, x)
    with pytest.raises(sc.InputError, match="step is 0"):
        sc.arange(0, 5, 0)
    for size in (x, -1, 1.5, None):
        with pytest.raises(sc.ShapeError, match="a size is an integer"):
            sc.eye(size)
