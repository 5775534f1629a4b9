"""Pooling layers: one value for every window of an image, or for the whole of it."""

from __future__ import annotations

import symcnn as sc
from symcnn.nn.arguments import as_pair
from symcnn.nn.inputs import check_images
from symcnn.nn.module import Module
from symcnn.nn.outline import described


class MaxPool2d(Module):
    """The largest value of each window.

    Parameters
    ----------
    window, stride, padding, ceil_mode, dilation
        As in ``sc.max_pool2d``; windows touch each other unless a stride is given.

    Examples
    --------
    >>> import symcnn as sc
    >>> MaxPool2d(2)(sc.input("x", (None, 8, 32, 32))).shape
    (None, 8, 16, 16)
    """

    def __init__(self, window, stride=None, padding=0, ceil_mode=False, dilation=1):
        as_pair(self, "window", window)
        self.window = window
        self.geometry = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode, "dilation": dilation}
        sc.max_pool2d(sc.input("x", (None,) * 4), window, **self.geometry)  # complains about a bad geometry

    def forward(self, x, training):
        check_images(self, x)
        return sc.max_pool2d(x, self.window, **self.geometry)

    def __repr__(self):
        return described(self, self.window, **self.geometry)


class AvgPool2d(Module):
    """The mean of each window.

    Parameters
    ----------
    window, stride, padding, ceil_mode, dilation
        As in `MaxPool2d`.
    count_include_pad : bool
        Whether padding counts as pixels of value 0; otherwise the mean is over the image's pixels alone.

    Examples
    --------
    >>> import symcnn as sc
    >>> AvgPool2d(3, stride=2, padding=1)(sc.input("x", (None, 8, 32, 32))).shape
    (None, 8, 16, 16)
    """

    def __init__(self, window, stride=None, padding=0, ceil_mode=False, count_include_pad=False, dilation=1):
        as_pair(self, "window", window)
        self.window = window
        self.geometry = {
            "stride": stride, "padding": padding, "ceil_mode": ceil_mode,
            "count_include_pad": count_include_pad, "dilation": dilation,
        }  # fmt: skip
        sc.avg_pool2d(sc.input("x", (None,) * 4), window, **self.geometry)

    def forward(self, x, training):
        check_images(self, x)
        return sc.avg_pool2d(x, self.window, **self.geometry)

    def __repr__(self):
        return described(self, self.window, **self.geometry)


class GlobalAvgPool2d(Module):
    """The mean of each channel over its whole image: (n, c, height, width) becomes (n, c, 1, 1).

    Notes
    -----
    Lin, Chen and Yan, *Network in network* (arXiv:1312.4400): with one number per channel the dense layer that follows
    is small, and takes images of any size.

    Examples
    --------
    >>> import symcnn as sc
    >>> GlobalAvgPool2d()(sc.input("x", (None, 8, 7, 7))).shape
    (None, 8, 1, 1)
    """

    def forward(self, x, training):
        check_images(self, x)
        return sc.global_avg_pool2d(x)


class GlobalMaxPool2d(Module):
    """The largest value of each channel over its whole image: (n, c, height, width) becomes (n, c, 1, 1).

    Notes
    -----
    Whether a channel's feature occurs anywhere (Oquab et al., *Is object localization for free?*, CVPR 2015).

    Examples
    --------
    >>> import symcnn as sc
    >>> GlobalMaxPool2d()(sc.input("x", (None, 8, 7, 7))).shape
    (None, 8, 1, 1)
    """

    def forward(self, x, training):
        check_images(self, x)
        return sc.global_max_pool2d(x)
