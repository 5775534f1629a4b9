"""Colours: brightness, contrast, saturation and hue."""

from __future__ import annotations

import numpy as np

from symcnn.data.transforms.images import between, checked_images, rounded, transform, working_dtype
from symcnn.errors import InputError, ShapeError

LUMA = np.array([0.299, 0.587, 0.114])  # how bright red, green and blue look: ITU-R BT.601


@transform
class ColorJitter:
    r"""Change brightness, contrast, saturation and hue of each image, by amounts of its own.

    With the luma :math:`Y = 0.299 R + 0.587 G + 0.114 B` (for a single channel, itself) and factors uniform in
    [1 - amount, 1 + amount], in this order:

    - brightness: :math:`x \gets b x`
    - contrast: :math:`x \gets \bar Y + c (x - \bar Y)`, with the mean luma of the image
    - saturation: :math:`x \gets Y + s (x - Y)`
    - hue: a rotation of the colours about the grey axis, by an angle uniform in [-hue, hue] turns; luma is kept (the
      rotation of the chrominance plane of YIQ, which is linear, where a conversion to HSV and back is not).

    Attributes
    ----------
    brightness, contrast, saturation : float
        Amounts from 0, for no change, to 1.
    hue : float
        From 0 to 0.5 turns.

    Notes
    -----
    Images are (n, channels, height, width) with three channels, red, green, blue, or a single one, which has neither
    saturation nor hue. uint8 is rounded and kept within 0 to 255; floats may leave the range that they had. Jitter comes
    before normalisation: it means light. Howard 2013, arXiv:1312.5402.

    Raises
    ------
    ShapeError
        When called with other channels.

    Examples
    --------
    >>> images = np.full((2, 3, 1, 1), 100, "uint8")
    >>> ColorJitter(brightness=0.5)(images, np.array([7, 8]), np.random.default_rng(0))[0][:, :, 0, 0]
    array([[114, 114, 114],
           [ 77,  77,  77]], dtype=uint8)
    """

    brightness: float = 0
    contrast: float = 0
    saturation: float = 0
    hue: float = 0

    def __post_init__(self):
        amounts = [self._amount(name) for name in ("brightness", "contrast", "saturation")]
        if not any([*amounts, between(self.hue, "ColorJitter: the hue", most=0.5)]):
            raise InputError("ColorJitter: every amount is 0", hint="ColorJitter(brightness=0.2, contrast=0.2)")

    def __call__(self, images, labels, rng):
        images = checked_images(images, self)
        channels = images.shape[1]
        if channels != 3 and (channels != 1 or self.saturation or self.hue):
            raise ShapeError(
                "ColorJitter needs red, green and blue, or with brightness and contrast alone one channel",
                expected="(n, 3, height, width)",
                found=images.shape,
            )
        brightness, contrast, saturation = (
            rng.uniform(1 - amount, 1 + amount, (len(images), 1, 1))
            for amount in (self.brightness, self.contrast, self.saturation)
        )
        turn = 2 * np.pi * rng.uniform(-self.hue, self.hue, (len(images), 1, 1))
        luma = LUMA if channels == 3 else np.ones(1)
        pixels = images.reshape(len(images), channels, images.shape[2] * images.shape[3])
        # All is linear in the colour of a pixel, but for the mean luma: one matrix and one offset per image.
        mean = pixels.mean(axis=2, dtype="float64")[:, :, None]
        offset = (1 - contrast) * brightness * (luma @ mean)[:, :, None]
        matrix = brightness * contrast * np.eye(channels)
        if channels == 3:
            recolour = _hue(turn) @ (saturation * np.eye(3) + (1 - saturation) * np.tile(luma, (3, 1)))
            matrix = recolour @ matrix  # grey is what saturation and hue leave as it is: the offset stays
        dtype = working_dtype(images.dtype)
        found = matrix.astype(dtype) @ pixels.astype(dtype, copy=False)
        found += offset.astype(dtype)
        return rounded(found, images.dtype).reshape(images.shape), labels

    def _amount(self, name: str) -> float:
        return between(getattr(self, name), f"ColorJitter: the {name}")


def _hue(turn: np.ndarray) -> np.ndarray:
    """Matrices (n, 3, 3) that turn chrominance by the angles `turn`, (n, 1, 1)."""
    to_yiq = np.array([LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    rotation = np.zeros((len(turn), 3, 3))
    rotation[:, 0, 0] = 1
    rotation[:, 1:, 1:] = np.cos(turn) * np.eye(2) + np.sin(turn) * np.array([[0, -1], [1, 0]])
    return np.linalg.inv(to_yiq) @ rotation @ to_yiq
