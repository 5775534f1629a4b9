"""Colour jitter beside its formulas, image by image."""

import numpy as np
import pytest

from symcnn.data.transforms import ColorJitter
from symcnn.errors import InputError, ShapeError

LUMA = np.array([0.299, 0.587, 0.114])


def rng(seed=0):
    return np.random.default_rng(seed)


def batch(n=6, channels=3, dtype="uint8"):
    return rng(1).integers(60, 160, (n, channels, 5, 4)).astype(dtype)


def luma(image):
    return (LUMA[:, None, None] * image).sum(axis=0) if len(image) == 3 else image[0]


def brighter(image, b):
    return b * image


def contrasted(image, c):
    return luma(image).mean() + c * (image - luma(image).mean())


def saturated(image, s):
    return luma(image) + s * (image - luma(image))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("amounts", [(0.3, 0, 0), (0, 0.4, 0), (0, 0, 0.6), (0.2, 0.3, 0.4)])
def test_brightness_contrast_saturation(amounts, dtype):
    images = batch(dtype=dtype)
    found, _ = ColorJitter(*amounts)(images, np.arange(6), rng(3))
    draw = rng(3)
    factors = np.stack([draw.uniform(1 - a, 1 + a, 6) for a in amounts], axis=1)
    for image, result, (b, c, s) in zip(images.astype("float64"), found, factors, strict=True):
        expected = saturated(contrasted(brighter(image, b), c), s)
        assert np.abs(result - expected).max() < (0.501 if dtype == "uint8" else 1e-3)
    assert found.dtype == dtype


def test_one_channel():
    images = batch(channels=1, dtype="float64")
    found, _ = ColorJitter(0.2, 0.3)(images, np.arange(6), rng(3))
    draw = rng(3)
    b, c = (draw.uniform(1 - a, 1 + a, 6) for a in (0.2, 0.3))
    for k in range(6):
        np.testing.assert_allclose(found[k], contrasted(brighter(images[k], b[k]), c[k]))
    for amounts in ({"saturation": 0.1}, {"hue": 0.1}):
        with pytest.raises(ShapeError, match="red, green and blue"):
            ColorJitter(**amounts)(images, np.arange(6), rng())


def test_hue_keeps_luma_and_greys_and_turns_colours():
    images = batch(dtype="float64")
    found, _ = ColorJitter(hue=0.5)(images, np.arange(6), rng())
    for image, result in zip(images, found, strict=True):
        np.testing.assert_allclose(luma(result), luma(image))
        assert np.abs(result - image).max() > 1
    grey = np.repeat(images[:, :1], 3, axis=1)
    np.testing.assert_allclose(ColorJitter(hue=0.5)(grey, np.arange(6), rng())[0], grey)


def test_hue_is_that_of_yiq():
    """Chrominance as a complex number, I + iQ, is multiplied by a number of modulus 1, the same for a whole image."""
    to_yiq = np.array([LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    images = batch(dtype="float64")
    found, _ = ColorJitter(hue=0.25)(images, np.arange(6), rng(5))
    draw = rng(5)  # the factors that change nothing are drawn first
    for _ in range(3):
        draw.uniform(1, 1, 6)
    turns = draw.uniform(-0.25, 0.25, 6)
    for image, result, turn in zip(images, found, turns, strict=True):
        before, after = (np.tensordot(to_yiq, x, 1) for x in (image, result))
        ratio = (after[1] + 1j * after[2]) / (before[1] + 1j * before[2])
        np.testing.assert_allclose(ratio, np.exp(2j * np.pi * turn), rtol=1e-6)


def test_integers_are_kept_within_their_range():
    images = np.array([0, 255], "uint8").repeat(24).reshape(2, 3, 2, 4).repeat(20, axis=0)
    found, _ = ColorJitter(1, 1, 1, 0.5)(images, np.arange(40), rng())
    assert found.dtype == np.uint8 and found.min() == 0 and found.max() == 255
    white = np.full((40, 3, 2, 2), 255, "uint8")
    assert set(np.unique(ColorJitter(brightness=0.5)(white, np.arange(40), rng())[0])) <= set(range(127, 256))


def test_unusable_parameters():
    for make in (ColorJitter, lambda: ColorJitter(-0.1), lambda: ColorJitter(hue=0.6), lambda: ColorJitter(True)):
        with pytest.raises(InputError, match="ColorJitter"):
            make()


def test_label_maps_stay():
    maps = np.zeros((6, 5, 4), int)
    images = batch()
    before = images.copy()
    assert ColorJitter(0.5)(images, maps, rng())[1] is maps
    np.testing.assert_array_equal(images, before)
    assert len(ColorJitter(0.5)(images[:0], maps[:0], rng())[0]) == 0
