"""Layers that move elements and change none: flatten, reshape, pad, crop; and enlarge, which interpolates."""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.keywords import checked_number
from symcnn.nn.arguments import as_sides, check_positive
from symcnn.nn.inputs import check_images
from symcnn.nn.module import Module
from symcnn.nn.outline import described
from symcnn.nn.summary import shape_text


class Flatten(Module):
    """All axes but the first become one.

    Examples
    --------
    >>> import symcnn as sc
    >>> Flatten()(sc.input("x", (None, 50, 4, 4))).shape
    (None, 800)
    """

    def forward(self, x, training):
        return sc.flatten(x, start=1)


class Reshape(Module):
    """Every example under another shape, its elements in the same order.

    Parameters
    ----------
    shape : tuple of int
        Of one example; one size may be -1: it takes what remains.

    Examples
    --------
    >>> import symcnn as sc
    >>> Reshape((1, 28, 28))(sc.input("x", (None, 784))).shape
    (None, 1, 28, 28)
    """

    def __init__(self, shape):
        shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
        sizes = [size for size in shape if size != -1]
        if len(shape) - len(sizes) > 1:
            raise InputError("Reshape: at most one size is -1", found=shape)
        for size in sizes:
            check_positive(self, shape=size)
        self.shape = shape

    def forward(self, x, training):
        return sc.reshape(x, (None, *self.shape))

    def __repr__(self):
        return described(self, self.shape)


class Pad2d(Module):
    """Images with a margin around them.

    Parameters
    ----------
    padding : int, pair (rows, columns) or 4-tuple (top, left, bottom, right)
    mode : {"constant", "edge", "reflect"}
        The margin has `value`, repeats the outermost pixel, or mirrors the image at it.
    value : float

    Raises
    ------
    ShapeError
        If the input is no image, or is too small to mirror.

    Examples
    --------
    >>> import symcnn as sc
    >>> Pad2d((0, 0, 1, 1), mode="reflect")(sc.input("x", (None, 3, 8, 8))).shape
    (None, 3, 9, 9)
    """

    def __init__(self, padding, mode="constant", value=0.0):
        if mode not in ("constant", "edge", "reflect"):
            raise InputError("Pad2d: unknown mode", expected="'constant', 'edge' or 'reflect'", found=repr(mode))
        checked_number("Pad2d: value", value)
        as_sides(self, "padding", padding)
        self.padding, self.mode, self.value = padding, mode, value

    def forward(self, x, training):
        check_images(self, x)
        top, left, bottom, right = as_sides(self, "padding", self.padding)
        return sc.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), mode=self.mode, constant_values=self.value)

    def __repr__(self):
        return described(self, self.padding, mode=self.mode, value=self.value)


class Crop2d(Module):
    """Images without their margin.

    Parameters
    ----------
    margin : int, pair (rows, columns) or 4-tuple (top, left, bottom, right)

    Raises
    ------
    ShapeError
        If the input is no image, or nothing of it would remain.

    Examples
    --------
    >>> import symcnn as sc
    >>> Crop2d(2)(sc.input("x", (None, 3, 8, 8))).shape
    (None, 3, 4, 4)
    """

    def __init__(self, margin):
        as_sides(self, "margin", margin)
        self.margin = margin

    def forward(self, x, training):
        check_images(self, x)
        top, left, bottom, right = as_sides(self, "margin", self.margin)
        if any(
            size is not None and size <= cut
            for size, cut in zip(x.shape[2:], (top + bottom, left + right), strict=True)
        ):
            raise ShapeError(
                "Crop2d: nothing would remain", found=shape_text(x.shape),
                expected=f"more than {top + bottom} rows and {left + right} columns",
            )  # fmt: skip
        return x[:, :, top : -bottom or None, left : -right or None]

    def __repr__(self):
        return described(self, self.margin)


class Upsample2d(Module):
    """Images enlarged, by interpolation.

    Parameters
    ----------
    scale : number or pair (rows, columns)
    mode : {"bilinear", "nearest"}
        As in ``sc.upsample2d``.

    Examples
    --------
    >>> import symcnn as sc
    >>> Upsample2d(2)(sc.input("x", (None, 3, 8, 8))).shape
    (None, 3, 16, 16)
    """

    def __init__(self, scale, mode="bilinear"):
        sc.upsample2d(sc.input("x", (None,) * 4), scale, mode)  # complains about a bad scale or mode
        self.scale, self.mode = scale, mode

    def forward(self, x, training):
        check_images(self, x)
        return sc.upsample2d(x, self.scale, self.mode)

    def __repr__(self):
        return described(self, self.scale, mode=self.mode)
