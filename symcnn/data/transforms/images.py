"""What every transform needs: a form of its own, images of the right one, label maps that go with them, ranges, and rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import dataclass_transform

import numpy as np

from symcnn.arrays import as_numpy
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.keywords import checked_keywords


@dataclass_transform(frozen_default=True)
def transform(cls):
    """`cls` as a frozen dataclass that refuses mistyped keywords."""
    cls = dataclass(frozen=True)(cls)
    cls.__init__ = checked_keywords(cls.__init__)
    return cls


def checked_images(images, transform) -> np.ndarray:
    """`images` as an array (n, channels, height, width) of integers or floats.

    Raises
    ------
    ShapeError, DTypeError
        If they are none.
    """
    images, name = np.asarray(as_numpy(images)), type(transform).__name__
    if images.ndim != 4:
        hint = "images[:, None] adds the channel" if images.ndim == 3 else None
        raise ShapeError(f"{name} needs images (n, channels, height, width)", found=images.shape, hint=hint)
    if images.dtype.kind not in "uif":
        raise DTypeError(f"{name} needs images of integers or floats", found=images.dtype)
    return images


def has_label_maps(images: np.ndarray, labels: np.ndarray, transform) -> bool:
    """Whether `labels` are maps, (n, height, width) or (n, k, height, width), that must move as their images do.

    Raises
    ------
    ShapeError
        If they are, but of another size.
    """
    if labels.ndim < 3:
        return False
    if labels.shape[-2:] != images.shape[-2:]:
        raise ShapeError(
            f"{type(transform).__name__} moves label maps with their images, so they have one size",
            expected=f"(n, {images.shape[2]}, {images.shape[3]})",
            found=labels.shape,
        )
    return True


def rounded(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`values` in `dtype`; in integers they are rounded to the nearest and kept within their range."""
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def working_dtype(dtype: np.dtype) -> np.dtype:
    """In what images of `dtype` are computed: float32, or float64 where that holds more of their values."""
    return np.dtype("float32" if dtype.itemsize <= 2 or dtype == np.float32 else "float64")


def as_fill(fill, values: np.ndarray) -> np.ndarray:
    """`fill`, one number or one per channel, in the dtype of `values` and the shape that fits them.

    Raises
    ------
    ShapeError, InputError
        If it is neither, or the dtype does not hold it.
    """
    fill = np.asarray(fill)
    if fill.ndim > 1 or (fill.ndim and len(fill) != values.shape[1]):
        raise ShapeError("fill is one number, or one per channel", expected=values.shape[1], found=fill.shape)
    with np.errstate(invalid="ignore"):
        found = fill.astype(values.dtype)
    if values.dtype.kind in "iu" and not np.array_equal(found, fill):
        raise InputError(f"{values.dtype} does not hold this fill", found=fill)
    return found.reshape(-1, 1, 1) if fill.ndim else found


def sizes(value: int | Sequence[int], what: str, least: int = 0) -> tuple[int, int]:
    """(height, width) from one integer for both, or from two."""
    pair = (value, value) if isinstance(value, int | np.integer) else tuple(value) if _is_pair(value) else ()
    if not pair or not all(isinstance(size, int | np.integer) and size >= least for size in pair):
        raise InputError(what, expected=f"an integer from {least}, or a pair (height, width) of them", found=value)
    return int(pair[0]), int(pair[1])


def between(value: float, what: str, least: float = 0.0, most: float = 1.0) -> float:
    """`value`, from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not least <= value <= most:
        raise InputError(what, expected=f"a number from {least:g} to {most:g}", found=value)
    return float(value)


def _is_pair(value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
