"""Noise in training, against over-fitting: units or channels left out, values blurred. In evaluation all are the identity.

Every call of a compiled function draws anew; the same seed repeats the sequence. A layer that is applied twice in one
network draws the same noise both times.
"""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import ShapeError
from symcnn.keywords import checked_number
from symcnn.nn.arguments import random_seed
from symcnn.nn.module import Module
from symcnn.nn.outline import described
from symcnn.nn.summary import shape_text


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
    Srivastava et al., *Dropout*, JMLR 15 (2014).

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (None, 5))
    >>> Dropout(0.5)(x, training=False) is x
    True
    """

    def __init__(self, rate=0.5, seed=None):
        checked_number("Dropout: rate", rate, 0, 1)
        self.rate, self.seed = rate, random_seed(seed)

    def forward(self, x, training):
        if not training or self.rate == 0:
            return x
        return sc.dropout(x, self.rate, seed=self.seed)

    def __repr__(self):
        return described(self, self.rate)


class SpatialDropout(Module):
    r"""In training, zero whole channels with probability `rate` and divide the others by :math:`1 - rate`.

    Neighbouring pixels of a channel say much the same, so that `Dropout` of single ones takes little away.

    Parameters
    ----------
    rate, seed
        As in `Dropout`.

    Raises
    ------
    ShapeError
        If the input is not (n, channels, ...).

    Notes
    -----
    Tompson et al., *Efficient object localization using convolutional networks*, CVPR 2015 (arXiv:1411.4280).

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> x = sc.input("x", (None, 8, 5, 5))
    >>> f = sc.function([x], SpatialDropout(0.5, seed=0)(x, training=True), device="reference")
    >>> sorted({float(channel.sum()) for channel in f(np.ones((1, 8, 5, 5)))[0]})
    [0.0, 50.0]
    """

    def __init__(self, rate=0.5, seed=None):
        checked_number("SpatialDropout: rate", rate, 0, 1)
        self.rate, self.seed = rate, random_seed(seed)

    def forward(self, x, training):
        if x.ndim < 2:
            raise ShapeError("SpatialDropout drops channels", expected="(n, channels, ...)", found=shape_text(x.shape))
        if not training or self.rate == 0:
            return x
        one_pixel = x[(slice(None), slice(None), *[slice(1)] * (x.ndim - 2))]
        return x * sc.dropout(sc.ones_like(one_pixel), self.rate, seed=self.seed)

    def __repr__(self):
        return described(self, self.rate)


class GaussianNoise(Module):
    """In training, add normally distributed noise of mean 0.

    Parameters
    ----------
    std : float
        Its standard deviation, at least 0.
    seed : int, numpy.random.Generator or None
        As in `Dropout`.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (None, 5))
    >>> GaussianNoise(0.1)(x, training=False) is x
    True
    """

    def __init__(self, std=0.1, seed=None):
        checked_number("GaussianNoise: std", std, 0)
        self.std, self.seed = std, random_seed(seed)

    def forward(self, x, training):
        if not training or self.std == 0:
            return x
        return x + sc.random.normal_like(x, self.seed, std=self.std)

    def __repr__(self):
        return described(self, self.std)
