"""GoogLeNet: depth and width at a small price, by inception blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from symcnn.keywords import checked_keywords
from symcnn.nn import (
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    LocalResponseNorm,
    MaxPool2d,
    Parallel,
    ReLU,
    Sequential,
)


class Inception(Parallel):
    """Windows of 1x1, 3x3 and 5x5 and a max-pool beside each other, their channels concatenated.

    Which window suits is left to training. The costly windows see few channels: a 1x1 convolution first reduces them.

    Parameters
    ----------
    in_channels : int
    n1 : int
        Filters of the 1x1 convolution.
    reduce3, n3 : int
        Of the 1x1 reduction before the 3x3 convolution, and of that.
    reduce5, n5 : int
        The same for the 5x5 convolution.
    pooled : int
        Of the 1x1 convolution after the pooling.
    seed : int, numpy.random.Generator or None
    dtype : str

    Examples
    --------
    >>> import symcnn as sc
    >>> Inception(192, 64, 96, 128, 16, 32, 32)(sc.input("x", (None, 192, 28, 28))).shape
    (None, 256, 28, 28)
    """

    def __init__(self, in_channels, n1, reduce3, n3, reduce5, n5, pooled, seed=None, dtype="float32"):
        self.widths = n1, reduce3, n3, reduce5, n5, pooled
        self.in_channels = in_channels

        def conv(n_in, n_out, window):
            return Conv2d(n_in, n_out, window, padding=window // 2, init="he_uniform", seed=seed, dtype=dtype)

        def reduced(reduce, n, window):
            parts = {"reduce": conv(in_channels, reduce, 1), "relu1": ReLU()}
            return Sequential(**parts, conv=conv(reduce, n, window), relu2=ReLU())

        branches: dict[str, Any] = {
            "1x1": Sequential(conv=conv(in_channels, n1, 1), relu=ReLU()),
            "3x3": reduced(reduce3, n3, 3),
            "5x5": reduced(reduce5, n5, 5),
            "pool": Sequential(pool=MaxPool2d(3, stride=1, padding=1), conv=conv(in_channels, pooled, 1), relu=ReLU()),
        }
        super().__init__(**branches)

    def __repr__(self):
        return f"Inception({', '.join(map(str, (self.in_channels, *self.widths)))})"


@checked_keywords
def googlenet(in_shape=(3, 224, 224), classes: int = 1000, dropout: float = 0.4, seed=0, dtype="float32") -> Sequential:
    """GoogLeNet without its auxiliary classifiers: three convolutions, nine inception blocks, one dense layer.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Height and width at least 47; any larger size fits, since the mean over the image precedes the dense layer.
    classes : int
    dropout : float
        Rate before the dense layer.
    seed : int or numpy.random.Generator
        Of the initial weights and the dropout masks.
    dtype : str
        Of the parameters.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 6,998,552 parameters by default.

    Notes
    -----
    Szegedy et al., *Going deeper with convolutions*, CVPR 2015 (arXiv:1409.4842); the blocks are named as in its table
    1. It won ImageNet 2014 with a ninth of AlexNet's parameters: the mean over each channel takes the place of the
    large dense layers. The two auxiliary classifiers, which fed gradient into the middle of the network, proved
    dispensable and are left out.

    Examples
    --------
    >>> model = googlenet()
    >>> model.parameters().count
    6998552
    >>> model["inception3a"]
    Inception(192, 64, 96, 128, 16, 32, 32)
    """
    rng = np.random.default_rng(seed)

    def conv(n_in, n_out, window, **geometry):
        return Conv2d(n_in, n_out, window, **geometry, init="he_uniform", seed=rng, dtype=dtype)

    def inception(*widths):
        return Inception(*widths, seed=rng, dtype=dtype)

    def norm():
        return LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)

    def pool():
        return MaxPool2d(3, stride=2, ceil_mode=True)

    return Sequential(
        conv1=conv(in_shape[0], 64, 7, stride=2, padding=3),
        relu1=ReLU(),
        pool1=pool(),
        norm1=norm(),
        reduce2=conv(64, 64, 1),
        relu2_reduce=ReLU(),
        conv2=conv(64, 192, 3, padding=1),
        relu2=ReLU(),
        norm2=norm(),
        pool2=pool(),
        inception3a=inception(192, 64, 96, 128, 16, 32, 32),
        inception3b=inception(256, 128, 128, 192, 32, 96, 64),
        pool3=pool(),
        inception4a=inception(480, 192, 96, 208, 16, 48, 64),
        inception4b=inception(512, 160, 112, 224, 24, 64, 64),
        inception4c=inception(512, 128, 128, 256, 24, 64, 64),
        inception4d=inception(512, 112, 144, 288, 32, 64, 64),
        inception4e=inception(528, 256, 160, 320, 32, 128, 128),
        pool4=pool(),
        inception5a=inception(832, 256, 160, 320, 32, 128, 128),
        inception5b=inception(832, 384, 192, 384, 48, 128, 128),
        pool5=GlobalAvgPool2d(),
        flatten=Flatten(),
        drop=Dropout(dropout, seed=rng),
        dense=Dense(1024, classes, seed=rng, dtype=dtype),
        in_shape=in_shape,
    )
