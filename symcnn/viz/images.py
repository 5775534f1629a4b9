"""Images as a network takes them, and as people see them."""

from __future__ import annotations

from math import isqrt

import numpy as np

from symcnn.data.layouts import layout_hint
from symcnn.errors import InputError, ShapeError
from symcnn.nn import Module
from symcnn.nn.inputs import fits
from symcnn.viz.png import stretched


def one_example(what: str, model: Module, image) -> np.ndarray:
    """`image` as a batch of one for `model`.

    Parameters
    ----------
    what : str
        The view that asks, for errors.
    model : Module
    image : array_like
        (C, H, W) or (1, C, H, W); for a network that takes vectors (n,) or (1, n).

    Raises
    ------
    InputError
        If `model` is no module, or `image` no array of finite numbers.
    ShapeError
        If these are several images, or the network takes others.
    """
    if not isinstance(model, Module):
        raise InputError(f"{what} looks into a network", expected="a Module", found=type(model).__name__)
    try:
        array = np.asarray(image)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{what}: this is no image", expected="an array (C, H, W)", found=str(error)) from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{what}: this is no image", expected="an array (C, H, W) of numbers", found=array.dtype)
    unknown = 1 if array.ndim == 1 else 3
    rank = unknown if model.in_shape is None else len(model.in_shape)
    batch = array[None] if array.ndim == rank else array
    if batch.ndim != rank + 1 or len(batch) != 1 or not batch.size:
        expected = "(C, H, W)" if model.in_shape is None else model.in_shape
        hint = "image[None] adds the axis of the channels" if array.ndim == 2 and rank == 3 else None
        if array.ndim == rank + 1 and len(array) > 1:
            hint = "images[0] is the first of several"
        raise ShapeError(f"{what} takes one image", expected=expected, found=array.shape, hint=hint)
    if model.in_shape is not None and not fits(batch.shape[1:], model.in_shape):
        raise ShapeError(
            f"{what}: the network takes other images", expected=model.in_shape, found=array.shape,
            hint=layout_hint(batch.shape, model.in_shape),
        )  # fmt: skip
    if not np.isfinite(batch).all():
        raise InputError(
            f"{what}: the image has values that are not finite", hint="np.isfinite(image).all() finds them"
        )
    return model.as_input(batch)


def visible(image) -> np.ndarray:
    """An image (C, H, W), or a vector, as uint8 (H, W) or (H, W, 3), from its smallest to its largest value.

    Three channels are red, green and blue; of other numbers of channels the first is shown. A vector is shown row by row.
    """
    image = np.asarray(image)
    if image.ndim == 1:
        return stretched(square(image))
    if image.ndim != 3:
        return stretched(image.reshape(-1, image.shape[-1]))
    return stretched(image.transpose(1, 2, 0)) if len(image) == 3 else stretched(image[0])


def square(vector) -> np.ndarray:
    """A vector row by row, in the smallest square that holds it; what is left over repeats its smallest value."""
    vector = np.asarray(vector, "float64").ravel()
    side = isqrt(max(vector.size - 1, 0)) + 1
    rows = -(-vector.size // side)
    filled = np.full(rows * side, vector.min() if vector.size else 0.0)
    filled[: vector.size] = vector
    return filled.reshape(rows, side)


def reduced(image, largest: int) -> np.ndarray:
    """An image (H, W) with at most so many rows and columns: means over equal blocks, what is left at the ends apart."""
    image = np.asarray(image, "float64")
    block = -(-max(image.shape) // largest)
    if block == 1:
        return image
    for axis in (0, 1):
        starts = np.arange(0, image.shape[axis], block)
        counts = np.diff(starts, append=image.shape[axis])
        sums = np.add.reduceat(image, starts, axis=axis)
        image = sums / (counts[:, None] if axis == 0 else counts)
    return image
