"""Normalisation: fitted on one split, applied to all."""

import numpy as np
import pytest

from symcnn.data import Normalize
from symcnn.errors import ShapeError


def test_zero_mean_and_unit_variance_per_channel():
    rng = np.random.default_rng(0)
    images = rng.normal((1, 10, -5), (1, 2, 30), (50, 4, 4, 3)).transpose(0, 3, 1, 2)
    found = Normalize.fit(images)(images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=(0, 2, 3)), 1, atol=1e-5)


def test_uint8_and_inverse():
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 6, 6)).astype("uint8")
    normalize = Normalize.fit(images)
    np.testing.assert_allclose(normalize.inverse(normalize(images)), images, atol=1e-3)


def test_a_constant_channel_is_only_centred():
    assert (Normalize.fit(np.full((3, 1, 2), 7.0))(np.full((1, 1, 2), 9.0)) == 2).all()


def test_other_channels():
    normalize = Normalize.fit(np.zeros((2, 3, 4, 4)))
    with pytest.raises(ShapeError, match="channels"):
        normalize(np.zeros((2, 4, 4, 3)))
    with pytest.raises(ShapeError):
        Normalize.fit(np.zeros((0, 3, 4, 4)))
