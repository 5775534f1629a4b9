"""Pixels between other pixels: rotations and zooms, interpolated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symcnn.data.transforms.images import (
    as_fill,
    between,
    checked_images,
    has_label_maps,
    rounded,
    transform,
    working_dtype,
)


@transform
class RandomRotation:
    """Turn each image around its centre by an angle of its own, uniform in [-degrees, degrees].

    Attributes
    ----------
    degrees : float
        At most 180; positive angles turn anticlockwise.
    fill : float or sequence of float
        What comes in from outside, in each channel.
    label_fill : float
        What comes into label maps; the class that the loss ignores, if it has one.

    Notes
    -----
    Images (n, channels, height, width) keep their size and dtype; between pixels they are interpolated bilinearly,
    integers rounded to the nearest. Label maps, (n, height, width), turn with them and take the nearest label.

    Examples
    --------
    >>> images = np.zeros((1, 1, 3, 3), "uint8")
    >>> images[..., 0, :] = 100
    >>> RandomRotation(90)(images, np.array([7]), np.random.default_rng(3))[0]  # by -75 degrees
    array([[[[ 0, 27, 77],
             [ 0,  0, 96],
             [ 0,  0, 54]]]], dtype=uint8)
    """

    degrees: float
    fill: float | Sequence[float] = 0
    label_fill: float = 0

    def __post_init__(self):
        between(self.degrees, "RandomRotation: the degrees", most=180)

    def __call__(self, images, labels, rng):
        angle = np.deg2rad(rng.uniform(-self.degrees, self.degrees, len(images)))
        cos, sin = np.cos(angle), np.sin(angle)
        # Where an output pixel comes from: rows count downwards, so that a turn anticlockwise has this sign.
        return _resampled(self, images, labels, np.stack([cos, sin, -sin, cos], axis=-1).reshape(-1, 2, 2))


@transform
class RandomZoom:
    """Enlarge or shrink each image about its centre by a factor of its own; it keeps its size.

    Attributes
    ----------
    most : float
        At least 1: factors lie between ``1 / most`` and `most`, enlarging as often as shrinking (uniform in the logarithm).
    fill, label_fill
        What comes in from outside, as in `RandomRotation`; interpolation is the same, too.

    Examples
    --------
    >>> images = np.array([0, 100, 0, 0, 0], "uint8").reshape(1, 1, 1, 5)
    >>> RandomZoom(2)(images, np.array([7]), np.random.default_rng(1))[0]
    array([[[[ 3, 98,  0,  0,  0]]]], dtype=uint8)
    """

    most: float = 1.2
    fill: float | Sequence[float] = 0
    label_fill: float = 0

    def __post_init__(self):
        between(self.most, "RandomZoom: the largest factor", least=1, most=100)

    def __call__(self, images, labels, rng):
        factor = self.most ** rng.uniform(-1, 1, len(images))
        return _resampled(self, images, labels, np.eye(2) / factor[:, None, None])


def _resampled(transform, images, labels, matrices):
    """Images whose pixel at p, counted from the centre, is what was at ``matrix @ p``; label maps likewise."""
    images = checked_images(images, transform)
    maps = has_label_maps(images, labels, transform)
    fill = as_fill(transform.fill, images)
    label_fill = as_fill(transform.label_fill, labels) if maps else None
    where = _sources(matrices, images.shape[2], images.shape[3])
    return _bilinear(images, where, fill), _nearest(labels, where, label_fill) if maps else labels


def _sources(matrices, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns, (n, height, width) each, where the pixels come from, in an image with a border of one pixel.

    Everything further outside is on the border.
    """
    m = matrices.astype("float32")[:, :, :, None, None]
    rows = (np.arange(height, dtype="float32") - np.float32((height - 1) / 2))[:, None]
    columns = np.arange(width, dtype="float32") - np.float32((width - 1) / 2)
    found = []
    for i, size in enumerate((height, width)):
        place = m[:, i, 0] * rows + m[:, i, 1] * columns
        place += np.float32((size + 1) / 2)
        found.append(np.clip(place, 0, size + 1, out=place))
    return found[0], found[1]


def _bilinear(images, where, fill):
    channels, height, width = images.shape[1:]
    rows, columns = where
    # The last row and column never are the upper left of the four neighbours.
    top, left = np.minimum(rows.astype("int32"), height), np.minimum(columns.astype("int32"), width)
    down, right = rows - top.astype("float32"), columns - left.astype("float32")
    fill = np.broadcast_to(fill, (channels, 1, 1))[:, None]
    first = _flat_index(top, left, height, width)
    # Channel by channel: taking single numbers out of a plane is several times as fast as taking short rows.
    padded = _bordered(images.swapaxes(0, 1), fill, working_dtype(images.dtype))
    found = np.empty(images.shape, images.dtype)
    for channel in range(channels):
        plane = padded[channel].reshape(-1)
        upper = _between(plane, first, right)
        lower = _between(plane[width + 2 :], first, right)
        lower -= upper
        lower *= down
        upper += lower
        found[:, channel] = rounded(upper, images.dtype)
    return found


def _between(plane, index, fraction):
    """What is so far on the way from the pixels at `index` to their right neighbours."""
    low, found = plane.take(index), plane[1:].take(index)
    found -= low
    found *= fraction
    found += low
    return found


def _nearest(maps, where, fill):
    rows, columns = (np.rint(place).astype("int32") for place in where)
    height, width = maps.shape[-2:]
    index = _flat_index(rows, columns, height, width)
    if maps.ndim == 3:
        return _bordered(maps, fill, maps.dtype).reshape(-1).take(index)
    planes = np.moveaxis(maps.reshape(len(maps), -1, height, width), 1, 0)
    found = np.stack([_bordered(plane, fill, maps.dtype).reshape(-1).take(index) for plane in planes], axis=1)
    return found.reshape(maps.shape)


def _flat_index(rows, columns, height: int, width: int) -> np.ndarray:
    """Where the pixels at `rows` and `columns`, (n, ...), are in n images with a border of one pixel, laid end to end."""
    image = np.arange(len(rows)) * ((height + 2) * (width + 2))
    return image[:, None, None] + (rows * np.int32(width + 2) + columns)


def _bordered(images, fill, dtype):
    *outer, height, width = images.shape
    found = np.empty((*outer, height + 2, width + 2), dtype)
    found[...] = fill
    found[..., 1:-1, 1:-1] = images
    return found
