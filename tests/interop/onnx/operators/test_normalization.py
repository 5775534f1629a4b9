"""Normalisations against onnxruntime, and by their formulas where it knows only some of their forms."""

import numpy as np
import pytest

from symcnn.errors import InputError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from tests.interop.onnx.graphs import apply
from tests.interop.onnx.judge import agree, normal

X = normal(2, 6, 4, 3)
GAMMA, BETA, MEAN, VARIANCE = normal(6), normal(6), normal(6), np.abs(normal(6)) + 0.5


@pytest.mark.parametrize("opset", [7, 9, 14, 15])
def test_batch_norm_by_given_statistics(opset):
    agree("BatchNormalization", X, GAMMA, BETA, MEAN, VARIANCE, opset=opset, epsilon=1e-2, tolerance=1e-4)


def test_batch_norm_of_opset_6_says_that_it_tests():
    y = apply("BatchNormalization", X, GAMMA, BETA, MEAN, VARIANCE, opset=6, is_test=1, count=5)[0]
    expected = apply("BatchNormalization", X, GAMMA, BETA, MEAN, VARIANCE)
    np.testing.assert_array_equal(y, expected)


def test_batch_norm_that_trains():
    operands = X, GAMMA, BETA, MEAN, VARIANCE
    y, mean, variance = apply("BatchNormalization", *operands, training_mode=1, momentum=0.7, count=3)
    of_batch, biased = X.mean((0, 2, 3)), X.var((0, 2, 3))
    np.testing.assert_allclose(mean, 0.7 * MEAN + 0.3 * of_batch, rtol=1e-5)
    np.testing.assert_allclose(variance, 0.7 * VARIANCE + 0.3 * biased, rtol=1e-5)
    standard = (X - of_batch[:, None, None]) / np.sqrt(biased + 1e-5)[:, None, None]
    np.testing.assert_allclose(y, standard * GAMMA[:, None, None] + BETA[:, None, None], rtol=1e-4, atol=1e-5)
    old = apply("BatchNormalization", *operands, momentum=0.7, opset=9, count=5)
    for found, expected in zip(old, (y, mean, variance, of_batch, biased), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_of_each_pixel_for_itself():
    gamma, beta, mean, variance = (np.abs(normal(6, 4, 3)) + 0.5 for _ in range(4))
    y = apply("BatchNormalization", X, gamma, beta, mean, variance, opset=7, spatial=0)
    np.testing.assert_allclose(y, (X - mean) / np.sqrt(variance + 1e-5) * gamma + beta, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("opset", [6, 21])
def test_instance_norm(opset):
    agree("InstanceNormalization", X, GAMMA, BETA, opset=max(opset, 7), epsilon=1e-3, tolerance=1e-4)


def test_group_norm_by_channels_and_by_groups():
    agree("GroupNormalization", X, GAMMA, BETA, num_groups=3, epsilon=1e-3, tolerance=1e-4)
    by_group = apply("GroupNormalization", X, GAMMA[:3], BETA[:3], num_groups=3, opset=18)
    by_channel = apply("GroupNormalization", X, GAMMA[:3].repeat(2), BETA[:3].repeat(2), num_groups=3)
    np.testing.assert_allclose(by_group, by_channel, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axis", [1, -1])
def test_layer_norm_with_mean_and_deviation(axis):
    shape = X.shape[axis:]
    agree("LayerNormalization", X, normal(*shape), normal(*shape), axis=axis, dtypes=["float32"] * 3, tolerance=1e-4)
    agree("LayerNormalization", X, normal(*shape), axis=axis, epsilon=1e-2, tolerance=1e-4)


def test_rms_norm_and_unit_lengths():
    agree("RMSNormalization", X, normal(4, 3), axis=2, opset=23, tolerance=1e-4)
    for p in (1, 2):
        agree("LpNormalization", X, p=p, axis=1, tolerance=1e-4)
    np.testing.assert_array_equal(apply("LpNormalization", np.zeros((2, 3), "float32")), 0)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_lrn(size):
    agree("LRN", X, size=size, alpha=0.1, beta=0.6, bias=2.0)


def test_a_window_may_see_all_channels_but_not_be_huge():
    agree("LRN", X, size=13)
    with pytest.raises(InputError, match="the window is too large"):
        apply("LRN", X, size=2**40 + 1)


def test_mean_and_variance_of_chosen_axes():
    agree("MeanVarianceNormalization", X, tolerance=1e-4)
    y = apply("MeanVarianceNormalization", X, axes=[1])
    np.testing.assert_allclose(y, (X - X.mean(1, keepdims=True)) / X.std(1, keepdims=True), rtol=1e-4, atol=1e-4)
