"""Parts of an image lost: squares cut out, noise added."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symcnn.data.transforms.images import as_fill, between, checked_images, rounded, sizes, transform, working_dtype


@transform
class Cutout:
    """Blank a square at a random place of each image (DeVries and Taylor 2017, arXiv:1708.04552).

    Attributes
    ----------
    size : int or (int, int)
        Side of the square, or height and width. Its centre may be any pixel, so at the edges part of it is outside, as
        in the paper.
    fill : float or sequence of float
        What it holds, in each channel.
    probability : float
        Of each image to be cut at all.

    Notes
    -----
    Images are (n, channels, height, width) of any dtype, which they keep. Label maps stay: what is hidden is still there.

    Examples
    --------
    >>> images = np.ones((1, 1, 3, 5), "uint8")
    >>> Cutout(2)(images, np.array([7]), np.random.default_rng(0))[0]
    array([[[[1, 1, 1, 1, 1],
             [1, 1, 0, 0, 1],
             [1, 1, 0, 0, 1]]]], dtype=uint8)
    """

    size: int | Sequence[int]
    fill: float | Sequence[float] = 0
    probability: float = 1.0

    def __post_init__(self):
        sizes(self.size, "Cutout: the size", least=1)
        between(self.probability, "Cutout: the probability")

    def __call__(self, images, labels, rng):
        images = checked_images(images, self)
        inside = [
            _stretch(rng.integers(0, length, len(images)), size, length)
            for length, size in zip(images.shape[2:], sizes(self.size, ""), strict=True)
        ]
        cut = rng.random(len(images)) < self.probability
        hole = cut[:, None, None] & inside[0][:, :, None] & inside[1][:, None, :]
        return np.where(hole[:, None], as_fill(self.fill, images), images), labels


@transform
class GaussianNoise:
    """Add independent normal noise to every pixel and channel.

    Attributes
    ----------
    std : float
        In the units of the images: 8 for uint8 is noise of 8 grey levels.

    Notes
    -----
    Images are (n, channels, height, width). Integers are rounded and kept within their range.

    Examples
    --------
    >>> images = np.full((1, 1, 1, 4), 100, "uint8")
    >>> GaussianNoise(8)(images, np.array([7]), np.random.default_rng(0))[0].dtype
    dtype('uint8')
    """

    std: float

    def __post_init__(self):
        between(self.std, "GaussianNoise: the standard deviation", most=np.inf)

    def __call__(self, images, labels, rng):
        images = checked_images(images, self)
        dtype = working_dtype(images.dtype)
        noise = rng.standard_normal(images.shape, dtype)
        noise *= dtype.type(self.std)
        noise += images
        return rounded(noise, images.dtype), labels


def _stretch(centre: np.ndarray, size: int, length: int) -> np.ndarray:
    """Which of `length` places lie in the stretch of `size` around each of the centres, (n, length)."""
    place = np.arange(length) - (centre - size // 2)[:, None]
    return (place >= 0) & (place < size)
