"""Convolutional layers: learnt filters that slide over images, and what is built of them."""

from __future__ import annotations

from typing import Any

import symcnn as sc
from symcnn.errors import InputError
from symcnn.nn.arguments import as_pair, bias_parameter, check_positive, parameter
from symcnn.nn.inputs import check_images
from symcnn.nn.module import Module
from symcnn.nn.outline import described


class Conv2d(Module):
    """Cross-correlation of images with learnt filters, plus a bias per filter.

    Parameters
    ----------
    in_channels, out_channels : int
    window : int or (int, int)
        Height and width of the filters.
    stride, padding, dilation, groups
        As in ``sc.conv2d``.
    bias, init, seed, dtype
        As in `Dense`.

    Attributes
    ----------
    weight : Shared
        (out_channels, in_channels / groups, height, width).
    bias : Shared or None
        (out_channels,).

    Examples
    --------
    >>> import symcnn as sc
    >>> Conv2d(3, 8, 5, padding="same")(sc.input("x", (None, 3, 32, 32))).shape
    (None, 8, 32, 32)
    """

    def __init__(
        self, in_channels, out_channels, window, stride=1, padding=0, dilation=1, groups=1,
        bias=True, init: Any = "glorot_uniform", seed=None, dtype="float32",
    ):  # fmt: skip
        _check_channels(self, in_channels, out_channels, groups)
        self.in_channels, self.out_channels, self.window = in_channels, out_channels, as_pair(self, "window", window)
        self.geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        self.weight = parameter("weight", init, (out_channels, in_channels // groups, *self.window), seed, dtype)
        self.bias = bias_parameter(bias, out_channels, seed, dtype)
        sc.conv2d(sc.input("x", (None,) * 4, dtype), self.weight, **self.geometry)  # complains about a bad geometry

    def forward(self, x, training):
        check_images(self, x, self.in_channels)
        return _plus(sc.conv2d(x, self.weight, **self.geometry), self.bias)

    def __repr__(self):
        shown = self.in_channels, self.out_channels, _window_text(self.window)
        return described(self, *shown, **self.geometry, bias=self.bias is not None)


class DepthwiseConv2d(Conv2d):
    """A convolution in which every filter sees one channel: each channel has `multiplier` filters of its own.

    Parameters
    ----------
    channels : int
    window, stride, padding, dilation
        As in `Conv2d`.
    multiplier : int
        Outputs per channel; those of one channel are neighbours.
    bias, init, seed, dtype
        As in `Conv2d`, but for an initialiser that looks at the inputs of a filter alone.

    Attributes
    ----------
    weight : Shared
        (channels * multiplier, 1, height, width).
    bias : Shared or None
        (channels * multiplier,).

    Examples
    --------
    >>> import symcnn as sc
    >>> layer = DepthwiseConv2d(16, 3, padding=1)
    >>> layer.weight.shape, layer(sc.input("x", (None, 16, 32, 32))).shape
    ((16, 1, 3, 3), (None, 16, 32, 32))
    """

    def __init__(
        self, channels, window, stride=1, padding=0, dilation=1, multiplier=1,
        bias=True, init="he_uniform", seed=None, dtype="float32",
    ):  # fmt: skip
        check_positive(self, channels=channels, multiplier=multiplier)
        self.multiplier = multiplier
        super().__init__(
            channels, channels * multiplier, window, stride, padding, dilation, channels, bias, init, seed, dtype
        )

    def __repr__(self):
        geometry = {name: value for name, value in self.geometry.items() if name != "groups"}
        shown = self.in_channels, _window_text(self.window)
        return described(self, *shown, **geometry, multiplier=self.multiplier, bias=self.bias is not None)


class SeparableConv2d(Module):
    """A depthwise convolution, then a 1x1 convolution that mixes its channels.

    With C inputs, D outputs and windows of K x K it has ``C K K + C D`` weights where a convolution has ``C D K K``.

    Parameters
    ----------
    in_channels, out_channels : int
    window, stride, padding, dilation
        Of the depthwise convolution; as in `Conv2d`.
    multiplier : int
        As in `DepthwiseConv2d`.
    bias, init, seed, dtype
        As in `Conv2d`, for the 1x1 convolution; the depthwise one has no bias and starts by ``he_uniform``.

    Attributes
    ----------
    depthwise : DepthwiseConv2d
    pointwise : Conv2d

    Notes
    -----
    Chollet, *Xception*, CVPR 2017 (arXiv:1610.02357); Howard et al., *MobileNets* (arXiv:1704.04861), who put batch norm
    and ReLU between the two: a `Sequential` says that.

    Examples
    --------
    >>> import symcnn as sc
    >>> layer = SeparableConv2d(16, 32, 3, padding=1)
    >>> layer.parameters().count, Conv2d(16, 32, 3).parameters().count
    (688, 4640)
    """

    def __init__(
        self, in_channels, out_channels, window, stride=1, padding=0, dilation=1, multiplier=1,
        bias=True, init="glorot_uniform", seed=None, dtype="float32",
    ):  # fmt: skip
        check_positive(self, in_channels=in_channels, out_channels=out_channels, multiplier=multiplier)
        self.depthwise = DepthwiseConv2d(
            in_channels, window, stride, padding, dilation, multiplier, bias=False, seed=seed, dtype=dtype
        )
        self.pointwise = Conv2d(in_channels * multiplier, out_channels, 1, bias=bias, init=init, seed=seed, dtype=dtype)

    def forward(self, x, training):
        return self.pointwise(self.depthwise(x, training), training)

    def __repr__(self):
        first, second = self.depthwise, self.pointwise
        geometry = {name: value for name, value in first.geometry.items() if name != "groups"}
        shown = first.in_channels, second.out_channels, _window_text(first.window)
        return described(self, *shown, **geometry, multiplier=first.multiplier, bias=second.bias is not None)


class ConvTranspose2d(Module):
    """Transposed convolution, which enlarges images: every pixel adds its filters, scaled, to a window of the result.

    Parameters
    ----------
    in_channels, out_channels : int
    window : int or (int, int)
    stride, padding, output_padding, dilation, groups
        As in ``sc.conv2d_transpose``; a stride of 2 doubles the size.
    bias, init, seed, dtype
        As in `Dense`.

    Attributes
    ----------
    weight : Shared
        (in_channels, out_channels / groups, height, width): the filters of the convolution that leads back.
    bias : Shared or None
        (out_channels,).

    Notes
    -----
    Long, Shelhamer and Darrell, *Fully convolutional networks*, CVPR 2015 (arXiv:1411.4038), who start it as bilinear
    interpolation.

    Examples
    --------
    >>> import symcnn as sc
    >>> ConvTranspose2d(8, 3, 4, stride=2, padding=1)(sc.input("x", (None, 8, 7, 7))).shape
    (None, 3, 14, 14)
    """

    def __init__(
        self, in_channels, out_channels, window, stride=1, padding=0, output_padding=0, dilation=1, groups=1,
        bias=True, init="glorot_uniform", seed=None, dtype="float32",
    ):  # fmt: skip
        _check_channels(self, in_channels, out_channels, groups)
        self.in_channels, self.out_channels, self.window = in_channels, out_channels, as_pair(self, "window", window)
        self.geometry = {
            "stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation, "groups": groups,
        }  # fmt: skip
        shape = (in_channels, out_channels // groups, *self.window)
        self.weight = parameter("weight", init, shape, seed, dtype, transposed=True)
        self.bias = bias_parameter(bias, out_channels, seed, dtype)
        sc.conv2d_transpose(sc.input("x", (None,) * 4, dtype), self.weight, **self.geometry)

    def forward(self, x, training):
        check_images(self, x, self.in_channels)
        return _plus(sc.conv2d_transpose(x, self.weight, **self.geometry), self.bias)

    def __repr__(self):
        shown = self.in_channels, self.out_channels, _window_text(self.window)
        return described(self, *shown, **self.geometry, bias=self.bias is not None)


def _check_channels(layer, in_channels, out_channels, groups) -> None:
    check_positive(layer, in_channels=in_channels, out_channels=out_channels, groups=groups)
    if in_channels % groups or out_channels % groups:
        raise InputError(
            f"{type(layer).__name__}: groups must divide the channels",
            expected=f"multiples of {groups}",
            found=(in_channels, out_channels),
        )


def _plus(images, bias):
    """A bias per channel added to images."""
    return images if bias is None else images + bias.reshape((1, -1, 1, 1))


def _window_text(window: tuple[int, int]) -> str:
    return "x".join(map(str, window))
