"""What the functions of the networks share: they check their arguments alike and scale, seed and initialise alike."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from numbers import Integral, Real
from typing import Any

import numpy as np

from symcnn.errors import InputError, ShapeError
from symcnn.nn import Conv2d, Dense, Dropout

LIKELY_CHANNELS = (1, 3, 4)  # grey, RGB, RGBA


class Maker:
    """Makes the layers of one network: of one seed, one dtype and one initialiser, their widths scaled.

    Parameters
    ----------
    network : str
        Its name, for errors.
    width : float
        Factor of all hidden widths.
    init : str or callable, optional
        Initialiser of all weights, in place of each layer's own.
    seed : int or numpy.random.Generator
    dtype : str

    Examples
    --------
    >>> make = Maker("tiny", width=0.25)
    >>> make.channels(96), make.channels(6, groups=2), make.channels(1)
    (24, 2, 1)
    >>> make.conv(3, make.channels(96), 11, stride=4)
    Conv2d(3, 24, 11x11, stride=4)
    """

    def __init__(self, network: str, width: float = 1.0, init=None, seed: Any = 0, dtype="float32"):
        if not isinstance(width, Real) or not isfinite(width) or width <= 0:
            raise InputError(
                f"{network}: width is the factor of all hidden widths", expected="a positive number", found=repr(width)
            )
        self.network, self.width, self.init, self.dtype = network, float(width), init, _float_dtype(network, dtype)
        try:
            self.rng: Any = np.random.default_rng(seed)
        except (TypeError, ValueError):
            raise InputError(
                f"{network}: this is no seed", expected="an integer or a numpy.random.Generator", found=repr(seed)
            ) from None

    def channels(self, count: int, groups: int = 1) -> int:
        """`count` scaled by the width: a multiple of `groups`, at least one of them."""
        return max(1, round(count * self.width / groups)) * groups

    def conv(self, n_in, n_out, window, init="he_uniform", **geometry) -> Conv2d:
        """A convolution between these numbers of channels."""
        return Conv2d(n_in, n_out, window, **geometry, init=self.init or init, seed=self.rng, dtype=self.dtype)

    def dense(self, n_in, n_out, init="glorot_uniform") -> Dense:
        """A dense layer between these numbers of features."""
        return Dense(n_in, n_out, init=self.init or init, seed=self.rng, dtype=self.dtype)

    def dropout(self, rate) -> Dropout:
        """Dropout whose masks follow from the network's seed."""
        return Dropout(rate, seed=self.rng)


def checked_image(network: str, in_shape, minimum: int = 1, any_size: bool = False) -> tuple[Any, Any, Any]:
    """`in_shape` as (channels, height, width), or an error that says how to write it.

    Height and width may be ``None``, unknown until the call, with `any_size`.

    Raises
    ------
    InputError
        If it is no such triple, or looks channels-last.
    ShapeError
        If height or width lies below `minimum`.

    Examples
    --------
    >>> checked_image("lenet", (28, 28, 1))
    Traceback (most recent call last):
    symcnn.errors.InputError: lenet: in_shape looks like (height, width, channels)
      where:    ...
      expected: (channels, height, width)
      found:    (28, 28, 1)
      hint:     in_shape=(1, 28, 28); images are (n, channels, height, width)
    """
    shape = tuple(in_shape) if isinstance(in_shape, Iterable) else ()
    known = [size for size in shape if size is not None] if any_size and shape[:1] != (None,) else shape
    if len(shape) != 3 or not all(map(_is_count, known)):
        size = in_shape if _is_count(in_shape) else None if any_size else 224
        raise InputError(
            f"{network}: in_shape is the shape of one image", found=repr(in_shape), hint=f"in_shape=(3, {size}, {size})",
            expected="(channels, height, width), positive integers" + (" or None for any size" if any_size else ""),
        )  # fmt: skip
    channels, height, width = (None if size is None else int(size) for size in shape)
    if width in LIKELY_CHANNELS and channels not in LIKELY_CHANNELS and height not in LIKELY_CHANNELS:
        raise InputError(
            f"{network}: in_shape looks like (height, width, channels)", expected="(channels, height, width)",
            found=shape, hint=f"in_shape={(width, channels, height)}; images are (n, channels, height, width)",
        )  # fmt: skip
    if any(size is not None and size < minimum for size in (height, width)):
        raise ShapeError(
            f"{network} needs images of at least {minimum} x {minimum}",
            expected=f"({channels}, height >= {minimum}, width >= {minimum})",
            found=shape,
            hint="enlarge the images, or take a network with fewer poolings",
        )
    return channels, height, width


def checked_count(network: str, **counts) -> None:
    """Refuse what is no positive integer.

    Raises
    ------
    InputError
        With the name of the argument.
    """
    for name, value in counts.items():
        if not _is_count(value):
            raise InputError(f"{network}: {name} is a positive integer", found=repr(value))


def _is_count(value) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) > 0


def _float_dtype(network, dtype) -> str:
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in (np.float32, np.float64):
        raise InputError(f"{network}: dtype of the parameters", expected="'float32' or 'float64'", found=repr(dtype))
    return found.name
