"""Pixels in other places, none of them changed: flips, crops and shifts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from symcnn.data.transforms.images import as_fill, between, checked_images, has_label_maps, sizes, transform
from symcnn.errors import InputError, ShapeError


@transform
class RandomFlip:
    """Mirror each image with some probability.

    Attributes
    ----------
    horizontal, vertical : bool
        Left and right change places, or top and bottom. By default left and right: most things look as likely from
        either side, but few stand on their heads, and digits and letters do neither.
    probability : float
        Of each of the two, independently.

    Notes
    -----
    Images are (n, channels, height, width) of any dtype, which they keep. Label maps, (n, height, width), are mirrored
    with them.

    Raises
    ------
    InputError
        For no direction, or a probability outside 0 to 1.

    Examples
    --------
    >>> images = np.arange(3).reshape(1, 1, 1, 3)
    >>> flipped, labels = RandomFlip(probability=1)(images, np.array([7]), np.random.default_rng(0))
    >>> flipped.ravel(), labels
    (array([2, 1, 0]), array([7]))
    """

    horizontal: bool = True
    vertical: bool = False
    probability: float = 0.5

    def __post_init__(self):
        between(self.probability, "RandomFlip: the probability")
        if not isinstance(self.horizontal, bool) or not isinstance(self.vertical, bool):
            raise InputError(
                "RandomFlip: horizontal and vertical are True or False", found=f"{self.horizontal!r}, {self.vertical!r}",
                hint="probability=0.5 is how often",
            )  # fmt: skip
        if not (self.horizontal or self.vertical):
            raise InputError("RandomFlip: in no direction", hint="horizontal=True or vertical=True")

    def __call__(self, images, labels, rng):
        images = checked_images(images, self)
        maps = has_label_maps(images, labels, self)
        for axis, wanted in ((-1, self.horizontal), (-2, self.vertical)):
            if wanted:
                chosen = np.flatnonzero(rng.random(len(images)) < self.probability)
                images = _flipped(images, chosen, axis)
                labels = _flipped(labels, chosen, axis) if maps else labels
        return images, labels


@transform
class RandomCrop:
    """Cut a window of `size` out of each image, padded first, at a place of its own.

    ``RandomCrop(32, padding=4)`` is the usual one for CIFAR's 32 x 32 images (Lee et al. 2015, arXiv:1409.5185),
    ``RandomCrop(224, padding=0)`` of 256 x 256 images that of AlexNet (Krizhevsky et al. 2012).

    Attributes
    ----------
    size : int or (int, int)
        Height and width of the result.
    padding : int or (int, int)
        Pixels put above and below, and left and right.
    fill : float or sequence of float
        What they hold, in each channel.
    label_fill : float
        What they hold in label maps; the class that the loss ignores, if it has one.

    Notes
    -----
    Every place is as likely as any other. Images are (n, channels, height, width) of any dtype, which they keep.
    Augment before normalising where 0 is the background: afterwards 0 is the mean.

    Raises
    ------
    ShapeError
        When called, if the padded images are smaller than `size`.

    Examples
    --------
    >>> images = np.arange(16).reshape(1, 1, 4, 4)
    >>> RandomCrop(2, padding=0)(images, np.array([7]), np.random.default_rng(0))[0]
    array([[[[ 9, 10],
             [13, 14]]]])
    """

    size: int | Sequence[int]
    padding: int | Sequence[int] = 4
    fill: float | Sequence[float] = 0
    label_fill: float = 0

    def __post_init__(self):
        sizes(self.size, "RandomCrop: the size", least=1)
        sizes(self.padding, "RandomCrop: the padding")

    def __call__(self, images, labels, rng):
        images = checked_images(images, self)
        return _crop(self, images, labels, rng, sizes(self.size, ""), sizes(self.padding, ""))


@transform
class RandomShift:
    """Move each image by whole pixels, up to a fraction of its height and width in each direction.

    Attributes
    ----------
    fraction : float
        0.1 moves images of 28 x 28 by up to 3 pixels up, down, left and right.
    fill, label_fill
        What comes in from outside, as in `RandomCrop`.

    Examples
    --------
    >>> images = np.arange(1, 5).reshape(1, 1, 1, 4)
    >>> RandomShift(0.25)(images, np.array([7]), np.random.default_rng(0))[0]
    array([[[[2, 3, 4, 0]]]])
    """

    fraction: float
    fill: float | Sequence[float] = 0
    label_fill: float = 0

    def __post_init__(self):
        between(self.fraction, "RandomShift: the fraction of height and width")

    def __call__(self, images, labels, rng):
        images = checked_images(images, self)
        size = images.shape[2], images.shape[3]
        most = round(self.fraction * size[0]), round(self.fraction * size[1])
        return _crop(self, images, labels, rng, size, most)


def _flipped(values: np.ndarray, chosen: np.ndarray, axis: int) -> np.ndarray:
    found = values.copy()
    found[chosen] = np.flip(values[chosen], axis)
    return found


def _crop(transform, images, labels, rng, size, padding):
    """Windows of `size` of `images` with `padding`, each at a random place, and the same of label maps."""
    room = [have + 2 * pad - want for have, pad, want in zip(images.shape[2:], padding, size, strict=True)]
    if min(room) < 0:
        raise ShapeError(
            f"{type(transform).__name__}: images are smaller than the crop",
            expected=f"at least {size}, with a padding of {padding}",
            found=images.shape,
        )
    corners = [rng.integers(0, free + 1, len(images)) for free in room]
    if has_label_maps(images, labels, transform):
        labels = _windows(labels, corners, size, padding, as_fill(transform.label_fill, labels))
    return _windows(images, corners, size, padding, as_fill(transform.fill, images)), labels


def _windows(values, corners, size, padding, fill):
    if max(padding):
        (above, left), (*outer, height, width) = padding, values.shape
        padded = np.empty((*outer, height + 2 * above, width + 2 * left), values.dtype)
        padded[...] = fill
        padded[..., above : above + height, left : left + width] = values
        values = padded
    every = sliding_window_view(values, size, axis=(-2, -1))
    return every[(np.arange(len(values)), *[slice(None)] * (values.ndim - 3), *corners)]
