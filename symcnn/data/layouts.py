"""Channel order and storage order of images: conversions, and the checks that notice a wrong one.

A batch of images has four axes: example (batch) B, channel (depth) D, row R and column C. Two orders are in use, each
under two names. symcnn takes the first; files, cameras and matplotlib give the second:

    (n, channels, height, width)   NCHW   BDRC
    (n, height, width, channels)   NHWC   BRCD
"""

from __future__ import annotations

import numpy as np

from symcnn.arrays import as_numpy
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.keywords import checked_keywords, nearest

# Axis of the channels, counted from the end, so that a single image and a stack of batches are images, too.
_CHANNEL_AXIS = {"NCHW": -3, "BDRC": -3, "NHWC": -1, "BRCD": -1}
_WORDS = {-3: "(n, channels, height, width)", -1: "(n, height, width, channels)"}
_CONVERSION = {-3: "sc.data.to_nchw(images)", -1: "sc.data.to_nhwc(images)"}

# Luma of ITU-R BT.601 in 16-bit fixed point, as JPEG and Pillow have it: 0.299, 0.587, 0.114.
_LUMA = np.array([19595, 38470, 7471])


def to_nchw(images) -> np.ndarray:
    """Images of which the channels are the last axis, with the channels before height and width: BRCD to BDRC.

    Parameters
    ----------
    images : array_like
        (..., height, width, channels): one image, a batch, or more.

    Returns
    -------
    numpy.ndarray
        (..., channels, height, width); a view, nothing is copied.

    Raises
    ------
    ShapeError
        If there are fewer than three axes, or the channels are before height and width already.

    Examples
    --------
    >>> to_nchw(np.zeros((10, 32, 48, 3), "uint8")).shape
    (10, 3, 32, 48)
    """
    images = np.asarray(as_numpy(images))
    _check(images.shape, -1, f"they are {_WORDS[-3]} already")
    return np.moveaxis(images, -1, -3)


def to_nhwc(images) -> np.ndarray:
    """Images of which the channels come before height and width, with the channels last: BDRC to BRCD.

    Parameters
    ----------
    images : array_like
        (..., channels, height, width).

    Returns
    -------
    numpy.ndarray
        (..., height, width, channels), what matplotlib shows; a view, nothing is copied.

    Raises
    ------
    ShapeError
        If there are fewer than three axes, or the channels are last already.

    Examples
    --------
    >>> to_nhwc(np.zeros((3, 32, 48), "uint8")).shape
    (32, 48, 3)
    """
    images = np.asarray(as_numpy(images))
    _check(images.shape, -3, f"they are {_WORDS[-1]} already")
    return np.moveaxis(images, -3, -1)


@checked_keywords
def swap_red_blue(images, layout: str = "NCHW") -> np.ndarray:
    """RGB to BGR, or BGR to RGB: the same step undoes itself.

    Parameters
    ----------
    images : array_like
        With three channels, or four of which the last (opacity) stays.
    layout : {"NCHW", "NHWC"}
        Where the channels are.

    Returns
    -------
    numpy.ndarray
        Of the same shape; with three channels a view.

    Raises
    ------
    ShapeError
        If there are not three or four channels where `layout` has them.

    Examples
    --------
    >>> red = np.array([255, 0, 0], "uint8").reshape(3, 1, 1)
    >>> swap_red_blue(red).ravel()
    array([  0,   0, 255], dtype=uint8)
    """
    images = _with_channels("swap_red_blue", images, layout, (3, 4))
    first = np.moveaxis(images, _axis(layout), 0)
    swapped = first[::-1] if len(first) == 3 else first[[2, 1, 0, 3]]
    return np.moveaxis(swapped, 0, _axis(layout))


@checked_keywords
def to_gray(images, layout: str = "NCHW") -> np.ndarray:
    r"""Brightness :math:`0.299 R + 0.587 G + 0.114 B` (luma of ITU-R BT.601, as in JPEG), as one channel.

    Parameters
    ----------
    images : array_like
        uint8 or floats; red, green, blue.
    layout : {"NCHW", "NHWC"}
        Where the channels are.

    Returns
    -------
    numpy.ndarray
        Of the same dtype, with one channel instead of three; uint8 is rounded as Pillow rounds it.

    Raises
    ------
    ShapeError
        If there are not three channels where `layout` has them.
    DTypeError
        For other dtypes.

    Examples
    --------
    >>> to_gray(np.full((2, 3, 4, 4), 200, "uint8")).shape
    (2, 1, 4, 4)
    """
    images = _with_channels("to_gray", images, layout, (3,))
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise DTypeError("to_gray takes images", expected="uint8 or floats", found=images.dtype)
    fixed_point = images.dtype == np.uint8
    weights = _LUMA.astype("uint32") if fixed_point else (_LUMA / 65536).astype(images.dtype)
    red, green, blue = np.moveaxis(images, _axis(layout), 0)
    gray = weights[0] * red + weights[1] * green + weights[2] * blue
    if fixed_point:
        gray = ((gray + (1 << 15)) >> 16).astype("uint8")
    return np.expand_dims(gray, _axis(layout))


def check_layout(images, layout: str = "NCHW") -> None:
    """Raise an error if images look as if their axes were in the other order.

    An axis of 1, 3 or 4 looks like channels. If only the wrong one of the two axes in question does, the order is wrong;
    where both do, or neither, shapes cannot tell.

    Parameters
    ----------
    images : array_like
        (..., height, width, channels) or (..., channels, height, width); only the shape is looked at.
    layout : {"NCHW", "NHWC"}
        The order that is expected; also by the names ``"BDRC"`` and ``"BRCD"``.

    Raises
    ------
    ShapeError
        If they look otherwise, or have fewer than three axes.

    Examples
    --------
    >>> check_layout(np.zeros((8, 32, 32, 3)))
    Traceback (most recent call last):
    symcnn.errors.ShapeError: the channels are not where they should be
      where:    ...
      expected: (n, channels, height, width)
      found:    (8, 32, 32, 3), which looks like (n, height, width, channels)
      hint:     convert them: sc.data.to_nchw(images)
    """
    axis = _axis(layout)
    _check(np.shape(images), axis, f"convert them: {_CONVERSION[axis]}")


def layout_hint(found, expected) -> str | None:
    """What to do if images of shape `found` would fit `expected` in the other order of their axes, else ``None``.

    Parameters
    ----------
    found : tuple of int
        Shape of a batch, (n, ...).
    expected : tuple of int
        Shape of one example that fits, (channels, height, width).

    Examples
    --------
    >>> layout_hint((8, 28, 28, 1), (1, 28, 28))
    'these look like (n, height, width, channels); sc.data.to_nchw converts them'
    >>> layout_hint((8, 28, 28), (1, 28, 28))
    'these have no channel axis; images[:, None] adds it'
    """
    if len(expected) != 3:
        return None
    channels, height, width = expected
    if tuple(found[1:]) == (height, width, channels):
        return "these look like (n, height, width, channels); sc.data.to_nchw converts them"
    if channels == 1 and tuple(found[1:]) == (height, width):
        return "these have no channel axis; images[:, None] adds it"
    if channels == 1 and tuple(found[1:]) == (3, height, width):
        return "these are coloured; sc.data.to_gray makes them gray"
    return None


def _check(shape: tuple[int, ...], axis: int, hint: str) -> None:
    if len(shape) < 3:
        raise ShapeError(
            "images have channels, a height and a width",
            expected=_WORDS[axis],
            found=shape,
            hint="a gray image needs a channel axis: image[None] or image[..., None]" if len(shape) == 2 else None,
        )
    other = -4 - axis
    if _likely_channels(shape[other]) and not _likely_channels(shape[axis]):
        raise ShapeError(
            "the channels are not where they should be",
            expected=_WORDS[axis],
            found=f"{shape}, which looks like {_WORDS[other]}",
            hint=hint,
        )


def _likely_channels(size: int) -> bool:
    return size in (1, 3, 4)


def _axis(layout: str) -> int:
    if layout not in _CHANNEL_AXIS:
        raise InputError("unknown layout", found=repr(layout), hint=nearest(str(layout), _CHANNEL_AXIS))
    return _CHANNEL_AXIS[layout]


def _with_channels(what: str, images, layout: str, counts: tuple[int, ...]) -> np.ndarray:
    images, axis = np.asarray(as_numpy(images)), _axis(layout)
    if images.ndim < 3 or images.shape[axis] not in counts:
        other = -4 - axis
        swapped = images.ndim >= 3 and images.shape[other] in counts
        raise ShapeError(
            f"{what} needs images of {' or '.join(map(str, counts))} channels",
            expected=f"{_WORDS[axis]}, layout {layout}",
            found=images.shape,
            hint=f"say layout={'NHWC' if axis == -3 else 'NCHW'!r}, or convert: {_CONVERSION[axis]}"
            if swapped
            else None,
        )
    return images
