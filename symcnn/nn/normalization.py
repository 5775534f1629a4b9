"""Normalisation of every example by itself: the same in training and afterwards, whatever the batch."""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import InputError, ShapeError
from symcnn.keywords import checked_number
from symcnn.nn.arguments import check_positive, scale_and_shift
from symcnn.nn.inputs import check_channels
from symcnn.nn.module import Module
from symcnn.nn.outline import described
from symcnn.nn.summary import shape_text


class LayerNorm(Module):
    """Each example with mean 0 and variance 1 over its last axes, then scaled and shifted as learnt.

    Parameters
    ----------
    shape : int or tuple of int
        Of the axes that are normalised together: the last ones of the input. For images (channels, height, width).
    epsilon : float
    affine : bool
        Whether there are gamma and beta.
    dtype : str

    Attributes
    ----------
    gamma, beta : Shared or None
        Of this shape: 1 and 0 at first.

    Notes
    -----
    Ba, Kiros and Hinton, *Layer normalization* (arXiv:1607.06450).

    Examples
    --------
    >>> import symcnn as sc
    >>> LayerNorm(64)(sc.input("x", (None, 10, 64))).shape
    (None, 10, 64)
    """

    def __init__(self, shape, epsilon=1e-5, affine=True, dtype="float32"):
        shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
        if not shape:
            raise InputError("LayerNorm: the shape has no axis", found=shape)
        for size in shape:
            check_positive(self, shape=size)
        checked_number("LayerNorm: epsilon", epsilon, 0)
        self.shape, self.epsilon = shape, epsilon
        self.gamma, self.beta = scale_and_shift(shape, affine, dtype)

    def forward(self, x, training):
        rank = len(self.shape)
        fits = x.ndim > rank and all(a in (None, b) for a, b in zip(x.shape[-rank:], self.shape, strict=True))
        if not fits:
            raise ShapeError(
                "LayerNorm takes other inputs", expected=f"(n, ..., {', '.join(map(str, self.shape))})",
                found=shape_text(x.shape),
            )  # fmt: skip
        return sc.layer_norm(x, self.gamma, self.beta, axis=-rank, epsilon=self.epsilon)

    def __repr__(self):
        shape = self.shape[0] if len(self.shape) == 1 else self.shape
        return described(self, shape, epsilon=self.epsilon, affine=self.gamma is not None)


class GroupNorm(Module):
    """Each group of channels of each example with mean 0 and variance 1, then every channel scaled and shifted as learnt.

    Parameters
    ----------
    groups : int
        Divides the channels. One group is all channels together.
    channels : int
    epsilon : float
    affine : bool
        Whether there are gamma and beta.
    dtype : str

    Attributes
    ----------
    gamma, beta : Shared or None
        (channels,): 1 and 0 at first.

    Notes
    -----
    Wu and He, *Group normalization*, ECCV 2018 (arXiv:1803.08494): for batches too small for `BatchNorm`.

    Examples
    --------
    >>> import symcnn as sc
    >>> GroupNorm(4, 16)(sc.input("x", (None, 16, 8, 8))).shape
    (None, 16, 8, 8)
    """

    def __init__(self, groups, channels, epsilon=1e-5, affine=True, dtype="float32"):
        check_positive(self, groups=groups, channels=channels)
        checked_number("GroupNorm: epsilon", epsilon, 0)
        if channels % groups:
            raise InputError(
                "GroupNorm: groups must divide the channels", expected=f"a multiple of {groups}", found=channels
            )
        self.groups, self.channels, self.epsilon = groups, channels, epsilon
        self.gamma, self.beta = scale_and_shift(channels, affine, dtype)

    def forward(self, x, training):
        check_channels(self, x, self.channels)
        return sc.group_norm(x, self.groups, self.gamma, self.beta, epsilon=self.epsilon)

    def __repr__(self):
        return described(self, self.groups, self.channels, epsilon=self.epsilon, affine=self.gamma is not None)


class InstanceNorm(Module):
    """Each channel of each example with mean 0 and variance 1 over its pixels, then scaled and shifted as learnt.

    Parameters
    ----------
    channels : int
    epsilon : float
    affine : bool
        Whether there are gamma and beta.
    dtype : str

    Attributes
    ----------
    gamma, beta : Shared or None
        (channels,): 1 and 0 at first.

    Notes
    -----
    Ulyanov, Vedaldi and Lempitsky, *Instance normalization* (arXiv:1607.08022): it removes contrast, for style transfer.

    Examples
    --------
    >>> import symcnn as sc
    >>> InstanceNorm(16)(sc.input("x", (None, 16, 8, 8))).shape
    (None, 16, 8, 8)
    """

    def __init__(self, channels, epsilon=1e-5, affine=True, dtype="float32"):
        check_positive(self, channels=channels)
        checked_number("InstanceNorm: epsilon", epsilon, 0)
        self.channels, self.epsilon = channels, epsilon
        self.gamma, self.beta = scale_and_shift(channels, affine, dtype)

    def forward(self, x, training):
        check_channels(self, x, self.channels)
        if x.ndim < 3:
            raise ShapeError(
                "InstanceNorm needs pixels", expected=f"(n, {self.channels}, height, width)",
                found=shape_text(x.shape), hint="of one value per channel nothing remains; LayerNorm normalises rows",
            )  # fmt: skip
        return sc.instance_norm(x, self.gamma, self.beta, epsilon=self.epsilon)

    def __repr__(self):
        return described(self, self.channels, epsilon=self.epsilon, affine=self.gamma is not None)


class LocalResponseNorm(Module):
    """Every activation is damped by those of the channels around it.

    Parameters
    ----------
    size, alpha, beta, k
        As in ``sc.lrn``, which divides alpha by size.

    Examples
    --------
    >>> import symcnn as sc
    >>> LocalResponseNorm(5)(sc.input("x", (None, 96, 55, 55))).shape
    (None, 96, 55, 55)
    """

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        check_positive(self, size=size)
        for name, value in {"alpha": alpha, "beta": beta, "k": k}.items():
            checked_number(f"LocalResponseNorm: {name}", value)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x, training):
        return sc.lrn(x, self.size, self.alpha, self.beta, self.k)

    def __repr__(self):
        return f"LocalResponseNorm({self.size}, alpha={self.alpha:g}, beta={self.beta:g}, k={self.k:g})"
