"""Normalisation: zero mean and unit variance per channel, measured on the training split only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import ShapeError


@dataclass(frozen=True)
class Normalize:
    r"""Map each channel c to :math:`(x_c - mean_c) / std_c`, as float32.

    Attributes
    ----------
    mean, std : tuple of float
        One per channel (axis 1).

    Notes
    -----
    Fit it on the training split and apply the same numbers to every split: statistics of the test images
    must not leak into what the network sees.

    Examples
    --------
    >>> images = np.array([[[[0.0, 2.0]]], [[[4.0, 6.0]]]])
    >>> normalize = Normalize.fit(images)
    >>> normalize
    Normalize(mean=(3.0,), std=(2.23606797749979,))
    >>> normalize(images).ravel().round(2)
    array([-1.34, -0.45,  0.45,  1.34], dtype=float32)
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def fit(cls, images) -> Normalize:
        """Measure mean and standard deviation per channel of `images`, (n, channels, ...)."""
        images = np.asarray(images)
        if images.ndim < 2 or images.size == 0:
            raise ShapeError("Normalize.fit needs images (n, channels, ...), at least one", found=images.shape)
        axes = (0, *range(2, images.ndim))
        mean = images.mean(axis=axes, dtype="float64")
        # A channel that never varies is only centred.
        std = images.std(axis=axes, dtype="float64")
        std = np.where(std > 0, std, 1.0)
        return cls(tuple(mean.tolist()), tuple(std.tolist()))

    def __call__(self, images) -> np.ndarray:
        """`images` normalised; float32, whatever they were."""
        images = np.asarray(images)
        self._check(images)
        mean, std = (self._along_channels(values, images.ndim) for values in (self.mean, self.std))
        return (images.astype("float32") - mean) / std

    def inverse(self, images) -> np.ndarray:
        """Undo the normalisation, for looking at images."""
        images = np.asarray(images)
        self._check(images)
        mean, std = (self._along_channels(values, images.ndim) for values in (self.mean, self.std))
        return images * std + mean

    def _check(self, images):
        if images.ndim < 2 or images.shape[1] != len(self.mean):
            raise ShapeError(
                "Normalize was fitted on other channels",
                expected=f"(n, {len(self.mean)}, ...)",
                found=images.shape,
                hint="channels come first: (n, channels, height, width)",
            )

    @staticmethod
    def _along_channels(values, ndim) -> np.ndarray:
        return np.array(values, "float32").reshape(-1, *[1] * (ndim - 2))
