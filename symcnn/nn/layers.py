"""Layers: each owns its parameters and applies one public op.

Sizes are explicit, (in, out, ...) as in PyTorch; parameters exist, and can be counted, as soon as a layer does.
"""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn import init as initial
from symcnn.errors import InputError
from symcnn.keywords import nearest
from symcnn.nn.module import Module

ACTIVATIONS = ("relu", "leaky_relu", "elu", "selu", "softplus", "sigmoid", "tanh", "gelu", "softmax", "log_softmax")


class Dense(Module):
    """Fully connected: ``y = x @ weight + bias``.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
    init : str or callable
        Initialiser of the weight, a name of `symcnn.init` or ``f(shape, seed, dtype)``. Biases start at zero.
    seed : int, numpy.random.Generator or None
        See `symcnn.init.generator`.
    dtype : str

    Attributes
    ----------
    weight : Shared
        (in_features, out_features).
    bias : Shared or None
        (out_features,).

    Examples
    --------
    >>> import symcnn as sc
    >>> Dense(784, 10)(sc.input("x", (None, 784))).shape
    (None, 10)
    """

    def __init__(self, in_features, out_features, bias=True, init="glorot_uniform", seed=None, dtype="float32"):
        _positive(self, in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = _parameter("weight", init, (in_features, out_features), seed, dtype)
        self.bias = _parameter("bias", "zeros", (out_features,), seed, dtype) if bias else None

    def forward(self, x, training):
        y = x @ self.weight
        return y if self.bias is None else y + self.bias

    def __repr__(self):
        return f"Dense({self.in_features}, {self.out_features})"


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
        bias=True, init="glorot_uniform", seed=None, dtype="float32",
    ):  # fmt: skip
        window = (window, window) if np.ndim(window) == 0 else tuple(window)
        _positive(
            self, in_channels=in_channels, out_channels=out_channels, groups=groups, height=window[0], width=window[-1]
        )
        if in_channels % groups or out_channels % groups:
            raise InputError(
                "Conv2d: groups must divide the channels",
                expected=f"multiples of {groups}",
                found=(in_channels, out_channels),
            )
        self.in_channels, self.out_channels, self.window = in_channels, out_channels, window
        self.geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        self.weight = _parameter("weight", init, (out_channels, in_channels // groups, *window), seed, dtype)
        self.bias = _parameter("bias", "zeros", (out_channels,), seed, dtype) if bias else None

    def forward(self, x, training):
        y = sc.conv2d(x, self.weight, **self.geometry)
        return y if self.bias is None else y + self.bias.reshape((1, self.out_channels, 1, 1))

    def __repr__(self):
        plain = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        said = "".join(f", {k}={v!r}" for k, v in self.geometry.items() if v != plain[k])
        return f"Conv2d({self.in_channels}, {self.out_channels}, {'x'.join(map(str, self.window))}{said})"


class MaxPool2d(Module):
    """The largest value of each window.

    Parameters
    ----------
    window, stride, padding, ceil_mode
        As in ``sc.max_pool2d``; windows touch each other unless a stride is given.

    Examples
    --------
    >>> import symcnn as sc
    >>> MaxPool2d(2)(sc.input("x", (None, 8, 32, 32))).shape
    (None, 8, 16, 16)
    """

    def __init__(self, window, stride=None, padding=0, ceil_mode=False):
        self.window = window
        self.geometry = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}

    def forward(self, x, training):
        return sc.max_pool2d(x, self.window, **self.geometry)

    def __repr__(self):
        plain = {"stride": None, "padding": 0, "ceil_mode": False}
        said = "".join(f", {k}={v!r}" for k, v in self.geometry.items() if v != plain[k])
        return f"MaxPool2d({self.window}{said})"


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
        return sc.global_avg_pool2d(x)


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
        _positive(self, size=size)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x, training):
        return sc.lrn(x, self.size, self.alpha, self.beta, self.k)

    def __repr__(self):
        return f"LocalResponseNorm({self.size}, alpha={self.alpha:g}, beta={self.beta:g}, k={self.k:g})"


class Activation(Module):
    """An activation function by name.

    Parameters
    ----------
    name : str
        One of relu, leaky_relu, elu, selu, softplus, sigmoid, tanh, gelu, softmax, log_softmax.

    Raises
    ------
    InputError
        If the name is unknown.

    Examples
    --------
    >>> Activation("relo")
    Traceback (most recent call last):
    symcnn.errors.InputError: no activation is called 'relo'
      where:    ...
      hint:     did you mean 'relu'?
    """

    def __init__(self, name):
        if name not in ACTIVATIONS:
            raise InputError(f"no activation is called {name!r}", hint=nearest(str(name), ACTIVATIONS))
        self.name = name

    def forward(self, x, training):
        return getattr(sc, self.name)(x)

    def __repr__(self):
        return f"Activation({self.name!r})"


class ReLU(Module):
    """``max(x, 0)``.

    Examples
    --------
    >>> import symcnn as sc
    >>> ReLU()(sc.input("x", (None, 5))).shape
    (None, 5)
    """

    def forward(self, x, training):
        return sc.relu(x)


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


class Dropout(Module):
    r"""In training, zero each element with probability `rate` and divide the others by :math:`1 - rate`.

    Parameters
    ----------
    rate : float
        At least 0 and below 1.
    seed : int, numpy.random.Generator or None
        Of the random stream; see `symcnn.init.generator`.

    Notes
    -----
    Every call of a compiled function draws another mask; the same seed repeats the sequence. Srivastava et al., *Dropout*, JMLR 15 (2014).

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (None, 5))
    >>> Dropout(0.5)(x, training=False) is x
    True
    """

    def __init__(self, rate=0.5, seed=None):
        if not 0 <= rate < 1:
            raise InputError("Dropout: the rate is a probability", expected="0 <= rate < 1", found=rate)
        self.rate, self.seed = rate, int(initial.generator(seed).integers(2**31))

    def forward(self, x, training):
        if not training or self.rate == 0:
            return x
        return sc.dropout(x, self.rate, seed=self.seed)

    def __repr__(self):
        return f"Dropout({self.rate})"


def _parameter(name, init, shape, seed, dtype):
    return sc.shared(initial.draw(init, shape, seed, dtype), name=name)


def _positive(layer, **sizes):
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
            raise InputError(f"{type(layer).__name__}: {name} is a positive integer", found=repr(size))
