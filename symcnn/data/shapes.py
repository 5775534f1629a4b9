"""Circles, squares and triangles with the class of every pixel: a segmentation set that is made, not read."""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hsv_to_rgb

import numpy as np

from symcnn.data.dataset import Dataset
from symcnn.data.sampling import generator
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, nearest

# Whether a point belongs to the shape, in its own coordinates; all have about the area of the unit circle.
SHAPES = {
    "circle": lambda u, v: u**2 + v**2 <= 1,
    "square": lambda u, v: np.maximum(abs(u), abs(v)) <= 0.89,
    "triangle": lambda u, v: np.maximum(-v, 0.866 * abs(u) + 0.5 * v) <= 0.7,
    "cross": lambda u, v: (np.minimum(abs(u), abs(v)) <= 0.4) & (np.maximum(abs(u), abs(v)) <= 1.2),
    "ring": lambda u, v: (u**2 + v**2 <= 1.4) & (u**2 + v**2 >= 0.4),
}

MOST_SHAPES = 3  # in an image
MOST_HIDDEN = 0.1  # of its own area that a shape may lay over others: what is left of them can still be told
ATTEMPTS = 20  # to find such a place
SMALLEST, LARGEST = 0.22, 0.38  # radius, relative to the shorter side of the image


@checked_keywords
def synthetic_shapes(
    n: int, size: int | tuple[int, int] = 64, classes: Sequence[str] = ("circle", "square", "triangle"), seed: int = 0
) -> Dataset:
    """Draw `n` images for semantic segmentation: one to three shapes each, turned, coloured and placed at random.

    Parameters
    ----------
    n : int
        How many images.
    size : int or (height, width)
        At least 16 pixels.
    classes : sequence of str
        Some of circle, square, triangle, cross and ring.
    seed : int
        The same seed draws the same images; image i does not depend on `n`.

    Returns
    -------
    Dataset
        images uint8 (n, 3, height, width); labels int64 (n, height, width), the class of every pixel: 0 is the
        background, the shapes follow in the order of `classes`.

    Raises
    ------
    InputError
        If a class is unknown or named twice, or a number is not usable.

    Notes
    -----
    A network has to look at form. Shapes of a class lean towards a colour of their own, but every class comes in all
    colours; the background is a texture of dull ones, and noise lies over everything. Where two shapes overlap, the
    nearer one hides the other. For a training and a test set take two seeds.

    Examples
    --------
    >>> data = synthetic_shapes(8, size=(32, 48))
    >>> data.images.shape, data.labels.shape, data.classes
    ((8, 3, 32, 48), (8, 32, 48), ('background', 'circle', 'square', 'triangle'))
    """
    height, width = size if isinstance(size, tuple | list) and len(size) == 2 else (size, size)
    numbers = (n, height, width)
    if not all(isinstance(number, int | np.integer) for number in numbers) or n < 0 or min(height, width) < 16:
        raise InputError(
            "synthetic_shapes: there is no such set",
            expected="n at least 0; size at least 16, or (height, width)",
            found=f"n = {n!r}, size = {size!r}",
        )
    for name in classes:
        if name not in SHAPES:
            raise InputError(f"synthetic_shapes: unknown class {name!r}", hint=nearest(str(name), SHAPES))
    if not classes or len(set(classes)) < len(classes):
        raise InputError("synthetic_shapes: name every class once, and one at least", found=tuple(classes))
    images = np.empty((n, 3, height, width), "uint8")
    labels = np.zeros((n, height, width), "int64")
    for i in range(n):
        _draw(generator(seed, i), tuple(classes), images[i], labels[i])
    return Dataset(images, labels, ("background", *classes))


def _draw(rng, classes, image, labels) -> None:
    """Fill `image`, (3, h, w), and `labels`, (h, w)."""
    height, width = labels.shape
    y, x = np.mgrid[:height, :width].astype("float32")
    canvas = _texture(rng, y, x)
    side = min(height, width)
    wanted = rng.integers(1, MOST_SHAPES + 1)
    for _ in range(ATTEMPTS):
        kind = int(rng.integers(len(classes)))
        radius = side * rng.uniform(SMALLEST, LARGEST)
        # The whole of it, or nearly so, is in the image.
        cy, cx = rng.uniform(0.9 * radius, height - 0.9 * radius), rng.uniform(0.9 * radius, width - 0.9 * radius)
        angle = rng.uniform(0, 2 * np.pi)
        sin, cos = np.sin(angle) / radius, np.cos(angle) / radius
        inside = SHAPES[classes[kind]](cos * (x - cx) + sin * (y - cy), cos * (y - cy) - sin * (x - cx))
        if np.count_nonzero(labels[inside]) > MOST_HIDDEN * np.count_nonzero(inside):
            continue
        canvas[:, inside] = _colour(rng, kind / len(classes))[:, None]
        labels[inside] = 1 + kind
        wanted -= 1
        if not wanted:
            break
    light = 1 + rng.uniform(-0.2, 0.2) * (x / width - 0.5) + rng.uniform(-0.2, 0.2) * (y / height - 0.5)
    noisy = 255 * canvas * light + rng.normal(0, 8, canvas.shape)
    image[:] = np.clip(np.rint(noisy), 0, 255)


def _colour(rng, hue: float) -> np.ndarray:
    """Bright, around `hue` (a turn is 1), yet so widely that any hue may come."""
    return np.array(hsv_to_rgb((hue + rng.normal(0, 0.15)) % 1, rng.uniform(0.6, 1), rng.uniform(0.5, 1)))


def _texture(rng, y, x) -> np.ndarray:
    """A dull colour with waves of others over it: (3, h, w), between 0 and 1."""
    base = hsv_to_rgb(rng.uniform(), rng.uniform(0, 0.4), rng.uniform(0.3, 0.8))
    canvas = np.broadcast_to(np.reshape(base, (3, 1, 1)), (3, *y.shape)).copy()
    for _ in range(4):
        direction, length, phase = rng.uniform(0, 2 * np.pi), rng.uniform(4, 40), rng.uniform(0, 2 * np.pi)
        wave = np.sin(2 * np.pi / length * (np.cos(direction) * x + np.sin(direction) * y) + phase)
        canvas += rng.uniform(-0.06, 0.06, (3, 1, 1)) * wave
    return canvas.clip(0, 1)
