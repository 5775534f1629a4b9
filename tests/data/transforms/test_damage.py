"""Cutout makes every square that the paper allows, noise has the deviation that it was given."""

import numpy as np
import pytest

from symcnn.data.transforms import Cutout, GaussianNoise
from symcnn.errors import InputError, ShapeError


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int16"])
@pytest.mark.parametrize("size", [2, 3, (1, 4), (20, 20)])
def test_squares(size, dtype):
    images = rng().integers(1, 200, (400, 2, 6, 5)).astype(dtype)
    found, labels = Cutout(size, fill=0)(images, np.arange(400), rng(1))
    height, width = (size, size) if isinstance(size, int) else size
    allowed = {}
    for y in range(6):
        for x in range(5):
            top, left = y - height // 2, x - width // 2
            hole = np.zeros((6, 5), bool)
            hole[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = True
            allowed[hole.tobytes()] = hole
    seen = set()
    for image, result in zip(images, found, strict=True):
        hole = (result == 0).all(axis=0)
        assert hole.tobytes() in allowed
        np.testing.assert_array_equal(result, np.where(hole, 0, image))
        seen.add(hole.tobytes())
    assert seen == set(allowed) and found.dtype == dtype
    assert labels.tolist() == list(range(400))


def test_cutout_probability_and_fill():
    images = np.zeros((2000, 3, 4, 4), "uint8")
    found, _ = Cutout(3, fill=(1, 2, 3), probability=0.3)(images, np.zeros(2000), rng())
    assert abs(found.any(axis=(1, 2, 3)).mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 2000)
    assert [set(np.unique(found[:, c])) for c in range(3)] == [{0, 1}, {0, 2}, {0, 3}]


def test_noise():
    images = np.full((50, 2, 20, 20), 100.0, "float32")
    noise = GaussianNoise(3)(images, np.zeros(50), rng())[0] - 100
    assert noise.dtype == np.float32
    assert abs(noise.mean()) < 4 * 3 / 200 and abs(noise.std() - 3) < 4 * 3 / np.sqrt(2 * 40000)
    assert np.abs(np.corrcoef(noise.reshape(50, -1))[~np.eye(50, dtype=bool)]).max() < 5 / np.sqrt(800)
    rounded, _ = GaussianNoise(3)(images.astype("uint8"), np.zeros(50), rng())
    np.testing.assert_array_equal(rounded, np.rint(noise + 100))
    assert rounded.dtype == np.uint8


def test_noise_stays_in_range():
    for value in (0, 255):
        found, _ = GaussianNoise(30)(np.full((4, 1, 8, 8), value, "uint8"), np.zeros(4), rng())
        assert 0 < np.abs(found.astype(int) - value).max() < 130  # no wrap-around


@pytest.mark.parametrize("transform", [Cutout(2), GaussianNoise(1)], ids=lambda t: type(t).__name__)
def test_label_maps_stay_and_nothing_is_changed_in_place(transform):
    images, maps = rng().integers(0, 9, (3, 1, 4, 4)), np.zeros((3, 4, 4))
    before = images.copy()
    assert transform(images, maps, rng())[1] is maps
    np.testing.assert_array_equal(images, before)
    with pytest.raises(ShapeError, match="channels, height, width"):
        transform(images[0], maps, rng())
    assert len(transform(images[:0], maps[:0], rng())[0]) == 0


@pytest.mark.parametrize("make", [lambda: Cutout(0), lambda: Cutout(2, probability=2), lambda: GaussianNoise(-1)])
def test_unusable_parameters(make):
    with pytest.raises(InputError, match=r"Cutout|GaussianNoise"):
        make()
