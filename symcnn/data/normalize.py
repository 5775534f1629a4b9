"""Normalisation: zero mean and unit variance per channel, measured on the training split only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symcnn.arrays import as_numpy
from symcnn.data.dataset import Dataset
from symcnn.data.layouts import check_layout
from symcnn.data.lazy import as_array_like
from symcnn.data.moments import Moments, chunks
from symcnn.errors import InputError, ShapeError
from symcnn.keywords import checked_keywords


@dataclass(frozen=True, eq=False, repr=False)
class Normalize:
    r"""Map each channel c to :math:`(x_c - mean_c) / std_c`, as float32.

    Attributes
    ----------
    mean : tuple of float or numpy.ndarray
        One per channel (axis 1), or a mean image, (channels, height, width).
    std : tuple of float
        One per channel.

    Raises
    ------
    ShapeError, InputError
        If there is not one deviation per channel, a deviation is not above 0, or a number is not finite.

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

    mean: tuple[float, ...] | np.ndarray
    std: tuple[float, ...]

    def __post_init__(self):
        mean, std = self._arrays
        if std.ndim != 1 or len(mean) != len(std):
            raise ShapeError(
                "Normalize: there is one deviation per channel of the mean", expected=f"({len(mean)},)", found=std.shape
            )
        if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
            raise InputError(
                "Normalize: means are finite, deviations above 0", found=f"mean {self.mean}, std {self.std}"
            )

    @classmethod
    @checked_keywords
    def fit(cls, images, per_pixel: bool = False) -> Normalize:
        """Measure mean and standard deviation of `images`, in float64.

        Parameters
        ----------
        images : array_like or Dataset
            (n, channels, ...), at least one. What is not in memory is read once, a few megabytes at a time.
        per_pixel : bool
            Subtract the mean image instead of the mean per channel, as AlexNet did (Krizhevsky et al. 2012); then all
            images have one size. The deviation is one number per channel even so: a pixel that hardly varies would
            be blown up by its own.

        Raises
        ------
        ShapeError
            If there is no image, or the channels seem to come last.
        InputError
            If a value is NaN or infinite.
        """
        images = images.images if isinstance(images, Dataset) else as_array_like(images)
        shape = images.shape
        if len(shape) < 2 or 0 in shape:
            raise ShapeError("Normalize.fit needs images (n, channels, ...), at least one", found=shape)
        if len(shape) == 4 and shape[2] != shape[3]:  # maps of 4 x 4 with many channels are no mistake
            check_layout(images)
        moments = Moments((0,) if per_pixel else (0, *range(2, len(shape))))
        for chunk in chunks(images):
            moments.add(chunk)
        mean, variance = moments.mean, moments.variance
        if not np.isfinite(variance).all():
            raise InputError("Normalize.fit: an image holds NaN or infinity", hint="dataset.describe() counts them")
        size, variance = np.abs(mean).reshape(shape[1], -1), variance.reshape(shape[1], -1)
        std = np.sqrt(variance.mean(axis=1))
        # A channel that never varies, but for the rounding of its mean, is only centred.
        std = np.where(std > 1e-13 * size.max(axis=1), std, 1.0)
        return cls(mean if per_pixel else tuple(map(float, mean)), tuple(map(float, std)))

    def __call__(self, images) -> np.ndarray:
        """`images` normalised; float32, whatever they were."""
        images = np.asarray(as_numpy(images))
        mean, std = self._for(images)
        found = np.subtract(images, mean, dtype="float32")
        found /= std
        return found

    def inverse(self, images) -> np.ndarray:
        """Undo the normalisation, for looking at images."""
        images = np.asarray(as_numpy(images))
        mean, std = self._for(images)
        return images * std + mean

    def __eq__(self, other):
        if not isinstance(other, Normalize):
            return NotImplemented
        return self.std == other.std and np.array_equal(self.mean, other.mean)

    def __hash__(self):
        return hash(self.std)

    def __repr__(self):
        mean = f"image{list(self.mean.shape)}" if isinstance(self.mean, np.ndarray) else self.mean
        return f"Normalize(mean={mean}, std={self.std})"

    def _for(self, images) -> list[np.ndarray]:
        """Mean and deviation in the shape that fits `images`."""
        mean, std = self._arrays
        if images.ndim < 2 or images.shape[1] != len(mean) or (mean.ndim > 1 and images.shape[1:] != mean.shape):
            per_pixel = mean.ndim > 1 and images.shape[1:2] == mean.shape[:1]
            raise ShapeError(
                f"Normalize was fitted on {'images of another size' if per_pixel else 'other channels'}",
                expected=f"(n, {', '.join(map(str, mean.shape))})" if mean.ndim > 1 else f"(n, {len(mean)}, ...)",
                found=images.shape,
                hint="without per_pixel=True any size will do"
                if per_pixel
                else "channels come first: (n, channels, height, width)",
            )
        return [values.reshape(*values.shape, *[1] * (images.ndim - 1 - values.ndim)) for values in (mean, std)]

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        return np.atleast_1d(np.asarray(self.mean, "float32")), np.atleast_1d(np.asarray(self.std, "float32"))
