"""Rotations and zooms beside a slow interpolation, pixel by pixel in float64."""

from math import floor

import numpy as np
import pytest

from symcnn.data.transforms import RandomRotation, RandomZoom
from symcnn.data.transforms.warp import _resampled
from symcnn.errors import InputError, ShapeError

DTYPES = ["uint8", "int16", "float32", "float64"]


def rng(seed=0):
    return np.random.default_rng(seed)


def batch(n=4, shape=(3, 6, 9), dtype="uint8", seed=0):
    return rng(seed).integers(0, 256, (n, *shape)).astype(dtype)


def source(matrix, i, j, height, width):
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    return matrix @ (np.array([i, j]) - middle) + middle


def slow_bilinear(plane, matrix, fill):
    """One plane, one pixel at a time; outside of it everything is `fill`."""
    height, width = plane.shape

    def pixel(i, j):
        return float(plane[i, j]) if 0 <= i < height and 0 <= j < width else float(fill)

    found = np.empty((height, width))
    for i in range(height):
        for j in range(width):
            y, x = source(matrix, i, j, height, width)
            a, b = floor(y), floor(x)
            found[i, j] = sum((1 - abs(y - p)) * (1 - abs(x - q)) * pixel(p, q) for p in (a, a + 1) for q in (b, b + 1))
    return found


def slow_nearest(plane, matrix, fill):
    height, width = plane.shape
    found = np.full((height, width), fill)
    for i in range(height):
        for j in range(width):
            y, x = (round(v) for v in source(matrix, i, j, height, width))
            if 0 <= y < height and 0 <= x < width:
                found[i, j] = plane[y, x]
    return found


def turned(degrees):
    """What is seen at p in an image turned anticlockwise was at this matrix times p before; rows count downwards."""
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transform", [RandomRotation(40, fill=9, label_fill=5), RandomZoom(2.5, fill=9, label_fill=5)])
def test_beside_the_slow_way(transform, dtype):
    images, maps = batch(dtype=dtype), batch(shape=(6, 9), seed=1).astype("int64")
    found, labels = transform(images, maps, rng(3))
    if isinstance(transform, RandomRotation):
        matrices = [turned(angle) for angle in rng(3).uniform(-40, 40, 4)]
    else:
        matrices = [np.eye(2) / factor for factor in 2.5 ** rng(3).uniform(-1, 1, 4)]
    for k, matrix in enumerate(matrices):
        expected = np.stack([slow_bilinear(plane, matrix, 9) for plane in images[k]])
        error = np.abs(found[k] - expected).max()
        assert error <= (2e-3 if dtype.startswith("float") else 0.502)  # float32 coordinates; and rounding to integers
        np.testing.assert_array_equal(labels[k], slow_nearest(maps[k], matrix, 5))
    assert found.dtype == dtype and labels.dtype == np.int64


def test_a_quarter_turn_is_anticlockwise():
    images = batch(shape=(2, 5, 5))
    found, maps = _resampled(RandomRotation(90), images, images[:, 0], np.tile(turned(90), (4, 1, 1)))
    np.testing.assert_array_equal(found, np.rot90(images, axes=(2, 3)))
    np.testing.assert_array_equal(maps, np.rot90(images[:, 0], axes=(1, 2)))


def test_maps_of_several_channels_move_like_those_of_one():
    images = batch()
    maps = batch(shape=(2, 6, 9), seed=1)
    several = RandomRotation(30)(images, maps, rng())[1]
    for k in range(2):
        np.testing.assert_array_equal(several[:, k], RandomRotation(30)(images, maps[:, k], rng())[1])


def test_no_turn_and_no_zoom():
    images = batch()
    for transform in (RandomRotation(0), RandomZoom(1)):
        np.testing.assert_array_equal(transform(images, np.arange(4), rng())[0], images)


def test_constant_images_stay_constant():
    """Bilinear weights add up to 1: no grey level is lost to rounding, and the border is no darker where it is filled."""
    for value in range(0, 256, 5):
        images = np.full((2, 1, 7, 7), value, "uint8")
        for transform in (RandomRotation(180, fill=value), RandomZoom(3, fill=value)):
            assert (transform(images, np.zeros(2), rng(value))[0] == value).all()


def test_amounts_are_uniform():
    """In an image whose pixels hold their row, or their column, a pixel beside the centre tells where it came from."""
    n = 500
    columns = np.tile(np.arange(43.0) - 21, (n, 1, 43, 1))
    rows = columns.swapaxes(2, 3)
    angle = np.rad2deg(np.arcsin(RandomRotation(30)(rows, np.zeros(n), rng())[0][:, 0, 21, 31] / 10))
    zoom = np.log2(10 / RandomZoom(2)(columns, np.zeros(n), rng())[0][:, 0, 21, 31])
    for values, most in ((angle, 30), (zoom, 1)):
        assert np.abs(values).max() <= most * 1.0001
        counts = np.histogram(values, 5, (-most, most))[0]
        assert np.abs(counts - n / 5).max() < 4 * np.sqrt(n / 5)


@pytest.mark.parametrize("transform", [RandomRotation(20), RandomZoom(1.5)], ids=lambda t: type(t).__name__)
def test_class_labels_stay_and_nothing_is_changed_in_place(transform):
    images, labels = batch(), np.arange(4)
    before = images.copy()
    assert transform(images, labels, rng())[1] is labels
    np.testing.assert_array_equal(images, before)
    assert transform(images[:0], labels[:0], rng())[0].shape == (0, 3, 6, 9)
    with pytest.raises(ShapeError, match="one size"):
        transform(images, np.zeros((4, 2, 2)), rng())


@pytest.mark.parametrize(
    "make", [lambda: RandomRotation(-1), lambda: RandomRotation(181), lambda: RandomZoom(0.5), lambda: RandomZoom("2")]
)
def test_unusable_parameters(make):
    with pytest.raises(InputError, match="Random"):
        make()
