"""Pools with every kind of padding, against onnxruntime."""

import numpy as np
import pytest

from symcnn.errors import InputError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from tests.interop.onnx.graphs import apply
from tests.interop.onnx.judge import agree, normal

WINDOWS = [
    {"kernel_shape": [3, 2]},
    {"kernel_shape": [3, 2], "strides": [2, 3]},
    {"kernel_shape": [3, 4], "strides": [2, 3], "pads": [1, 0, 2, 3]},
    {"kernel_shape": [2, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    {"kernel_shape": [2, 4], "strides": [1, 2], "auto_pad": "SAME_LOWER"},
    {"kernel_shape": [2, 3], "strides": [2, 2], "auto_pad": "VALID"},
    {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
    {"kernel_shape": [2, 3], "strides": [3, 2], "pads": [1, 1, 0, 1], "ceil_mode": 1},
]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_pools_of_images(window):
    x = normal(2, 3, 8, 9)
    agree("MaxPool", x, **window)
    agree("AveragePool", x, **window)
    agree("AveragePool", x, count_include_pad=1, **window)


@pytest.mark.parametrize("window", WINDOWS[:6], ids=str)
@pytest.mark.parametrize("p", [1, 2, 3])
def test_lengths(window, p):
    agree("LpPool", normal(2, 3, 8, 9), p=p, **window)


@pytest.mark.parametrize("window", WINDOWS[6:], ids=str)
def test_lengths_of_windows_that_hang_over_the_end(window):
    x = normal(2, 3, 8, 9)
    y = apply("LpPool", x, p=1, **window)
    assert y.shape == apply("MaxPool", x, **window).shape
    top, left = window.get("pads", [0, 0])[:2]
    (height, width), (down, across) = window["kernel_shape"], window["strides"]
    for row, column in np.ndindex(*y.shape[2:]):
        i, j = row * down - top, column * across - left
        seen = x[:, :, max(i, 0) : i + height, max(j, 0) : j + width]
        np.testing.assert_allclose(y[:, :, row, column], np.abs(seen).sum((2, 3)), rtol=1e-5)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("window", [w for w in WINDOWS if "auto_pad" not in w], ids=str)
def test_the_places_of_the_largest(window, order):
    agree("MaxPool", normal(2, 3, 8, 9), dtypes=("float32", "int64"), storage_order=order, **window)


def test_dilated_pools():
    window = {"kernel_shape": [2, 3], "dilations": [3, 2], "pads": [1, 2, 1, 1], "strides": [1, 2]}
    x = normal(2, 3, 9, 9)
    agree("MaxPool", x, dtypes=("float32", "int64"), **window)
    agree("AveragePool", x, **window)
    agree("LpPool", x, opset=18, **window)


def test_signals():
    x = normal(2, 3, 11)
    agree("MaxPool", x, kernel_shape=[3], strides=[2], pads=[1, 0], dtypes=("float32", "int64"))
    agree("AveragePool", x, kernel_shape=[4], strides=[3], auto_pad="SAME_LOWER")
    agree("LpPool", x, kernel_shape=[4], strides=[3])


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 5, 4), (2, 3, 2, 3, 4)], ids=str)
def test_pools_of_all_there_is(shape):
    for op in ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"):
        agree(op, normal(*shape))
    agree("GlobalLpPool", normal(*shape), p=3)


def test_by_compiled_kernels():
    agree("MaxPool", normal(2, 3, 8, 9), device="cpu", dtypes=("float32", "int64"), **WINDOWS[2])


def test_a_pool_without_a_window_or_with_a_huge_one_is_refused():
    with pytest.raises(InputError, match="the window is too large"):
        apply("AveragePool", normal(1, 1, 3, 3), kernel_shape=[2**30, 2**30], pads=[2**29] * 4)
    with pytest.raises(InputError, match="kernel_shape is missing"):
        apply("MaxPool", normal(1, 1, 3, 3))
