"""Flips, crops and shifts: each result is one that the definition allows, and all of them occur."""

import numpy as np
import pytest

from symcnn.data.transforms import RandomCrop, RandomFlip, RandomShift
from symcnn.errors import DTypeError, InputError, ShapeError

DTYPES = ["uint8", "float32", "float64", "int16"]


def batch(n=40, shape=(3, 6, 7), dtype="uint8", seed=0):
    """Random images, and label maps that are a function of the image, so that they must move together."""
    images = np.random.default_rng(seed).integers(0, 256, (n, *shape)).astype(dtype)
    return images, maps_of(images)


def maps_of(images):
    return images[:, 0].astype("int64") * 2


def rng(seed=0):
    return np.random.default_rng(seed)


def windows(image, size, padding, fill):
    """All windows of `size` of the padded `image`, by their corners, one by one."""
    (height, width), (above, left) = size, padding
    padded = np.pad(image, ((0, 0), (above, above), (left, left)), constant_values=fill)
    return {
        (top, side): padded[:, top : top + height, side : side + width]
        for top in range(padded.shape[1] - height + 1)
        for side in range(padded.shape[2] - width + 1)
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("directions", [(True, False), (False, True), (True, True)])
def test_flips(directions, dtype):
    images, maps = batch(dtype=dtype)
    found, labels = RandomFlip(*directions)(images, maps, rng())
    horizontal, vertical = directions
    seen = set()
    for image, result in zip(images, found, strict=True):
        allowed = {(h, v): image[:, :: -1 if v else 1, :: -1 if h else 1] for h in (0, 1) for v in (0, 1)}
        seen |= {how for how, expected in allowed.items() if np.array_equal(result, expected)}
    assert seen == {(h, v) for h in range(horizontal + 1) for v in range(vertical + 1)}
    assert found.dtype == dtype
    np.testing.assert_array_equal(labels, maps_of(found))


@pytest.mark.parametrize("probability", [0, 0.2, 0.5, 1])
def test_flip_probability(probability):
    n = 4000
    images = np.tile(np.arange(2.0), (n, 1, 1, 1))
    flips = RandomFlip(probability=probability)(images, np.zeros(n, int), rng(1))[0][:, 0, 0, 0].mean()
    assert abs(flips - probability) <= 4 * np.sqrt(probability * (1 - probability) / n)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size, padding", [((5, 4), (0, 0)), ((6, 7), (2, 1)), ((8, 8), (1, 3)), ((1, 7), (0, 0))])
def test_crops(size, padding, dtype):
    images, maps = batch(200, dtype=dtype)
    found, labels = RandomCrop(size, padding, fill=9, label_fill=18)(images, maps, rng())
    assert found.dtype == dtype and found.shape == (200, 3, *size)
    seen = set()
    for image, result in zip(images, found, strict=True):
        places = {place for place, w in windows(image, size, padding, 9).items() if np.array_equal(w, result)}
        assert places
        seen |= places
    assert seen == set(windows(images[0], size, padding, 9))
    np.testing.assert_array_equal(labels, maps_of(found))


def test_every_crop_is_as_likely():
    n = 9000
    images = np.tile(np.arange(25.0).reshape(1, 5, 5), (n, 1, 1, 1))
    found = RandomCrop(3, padding=0)(images, np.zeros(n, int), rng(2))[0][:, 0, 0, 0]
    counts = np.bincount(found.astype(int), minlength=25).reshape(5, 5)[:3, :3]
    assert counts.sum() == n and np.abs(counts - 1000).max() < 4 * np.sqrt(1000)


def test_crop_size_and_padding_as_one_number():
    images, maps = batch(shape=(1, 8, 8))
    for one, two in ((RandomCrop(8), RandomCrop((8, 8), (4, 4))), (RandomCrop(5, 0), RandomCrop((5, 5), (0, 0)))):
        for a, b in zip(one(images, maps, rng()), two(images, maps, rng()), strict=True):
            np.testing.assert_array_equal(a, b)


def test_fill_per_channel():
    images = np.ones((50, 3, 2, 2), "float32")
    found, _ = RandomCrop(2, 2, fill=(5, 6, 7))(images, np.zeros(50, int), rng())
    for channel in range(3):
        assert set(np.unique(found[:, channel])) == {1, 5 + channel}


@pytest.mark.parametrize("dtype", DTYPES)
def test_shifts(dtype):
    images, maps = batch(300, (2, 10, 5), dtype)
    found, labels = RandomShift(0.2, fill=3, label_fill=6)(images, maps, rng())
    assert found.dtype == dtype and found.shape == images.shape
    seen = set()
    for image, result in zip(images, found, strict=True):
        seen |= {p for p, w in windows(image, (10, 5), (2, 1), 3).items() if np.array_equal(w, result)}
    assert seen == {(i, j) for i in range(5) for j in range(3)}
    np.testing.assert_array_equal(labels, maps_of(found))


TRANSFORMS = [RandomFlip(vertical=True), RandomCrop((4, 5), 1), RandomShift(0.3)]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)
def test_class_labels_stay_and_nothing_is_changed_in_place(transform):
    images, _ = batch()
    before, labels = images.copy(), np.arange(40)
    found, same = transform(images, labels, rng())
    assert same is labels and not np.shares_memory(found, images)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)
def test_chance_is_that_of_the_generator(transform):
    images, labels = batch()
    first, again, other = (transform(images, labels, rng(seed))[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)
def test_what_is_no_batch_of_images(transform):
    with pytest.raises(ShapeError, match="adds the channel"):
        transform(np.zeros((3, 8, 8)), np.zeros(3, int), rng())
    with pytest.raises(DTypeError, match="bool"):
        transform(np.zeros((3, 1, 8, 8), bool), np.zeros(3, int), rng())
    with pytest.raises(ShapeError, match="one size"):
        transform(np.zeros((3, 1, 8, 8)), np.zeros((3, 4, 4), int), rng())
    assert transform(np.zeros((0, 1, 8, 8)), np.zeros(0, int), rng())[0].shape[0] == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: RandomFlip(probability=1.5),
        lambda: RandomFlip(False),
        lambda: RandomFlip(0.3),  # which is no probability
        lambda: RandomCrop(0),
        lambda: RandomCrop((3, 3, 3)),
        lambda: RandomCrop("32"),
        lambda: RandomCrop(32, -1),
        lambda: RandomShift(2),
        lambda: RandomShift(None),
    ],
)
def test_unusable_parameters(make):
    with pytest.raises(InputError, match="Random"):
        make()


def test_fill_must_fit():
    images = np.zeros((2, 3, 4, 4), "uint8")
    for fill in (-1, 256, 0.5, np.nan):
        with pytest.raises(InputError, match="uint8 does not hold"):
            RandomCrop(4, 1, fill=fill)(images, np.zeros(2), rng())
    with pytest.raises(ShapeError, match="one per channel"):
        RandomCrop(4, 1, fill=(1, 2))(images, np.zeros(2), rng())
    with pytest.raises(InputError, match="does not hold"):
        RandomCrop(4, 1, label_fill=-1)(images, np.zeros((2, 4, 4), "uint8"), rng())


def test_images_smaller_than_the_crop():
    with pytest.raises(ShapeError, match="smaller"):
        RandomCrop(9, 2)(np.zeros((1, 1, 4, 9)), np.zeros(1), rng())
