"""Clipping: small gradients stay, large ones are cut, broken ones are not hidden."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.optim import clip_by_norm, clip_by_value, global_norm


def values(clip, *gradients):
    inputs = [sc.input(f"g{i}", g.shape, g.dtype) for i, g in enumerate(gradients)]
    return sc.function(inputs, clip(inputs), device="reference")(*gradients)


@pytest.fixture
def gradients():
    return np.array([3.0, 0.0], "float32"), np.array([[4.0]])


def test_by_norm(gradients):
    assert values(global_norm, *gradients) == 5
    cut = values(lambda g: clip_by_norm(g, 1.0), *gradients)
    np.testing.assert_allclose(cut[0], [0.6, 0], rtol=1e-6)
    np.testing.assert_allclose(cut[1], [[0.8]], rtol=1e-6)
    for found, given in zip(values(lambda g: clip_by_norm(g, 6.0), *gradients), gradients, strict=True):
        np.testing.assert_array_equal(found, given)
        assert found.dtype == given.dtype


def test_by_value(gradients):
    cut = values(lambda g: clip_by_value(g, 3.5), *gradients)
    np.testing.assert_array_equal(cut[0], [3, 0])
    np.testing.assert_array_equal(cut[1], [[3.5]])


def test_nan_stays_visible():
    broken = np.array([1.0, np.nan])
    assert np.isnan(values(lambda g: clip_by_norm(g, 1.0), broken)).all()
    assert np.isnan(values(lambda g: clip_by_value(g, 1.0), broken)[0][1])
