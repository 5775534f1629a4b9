"""GoogLeNet: depth and width at a small price, by inception blocks."""

from __future__ import annotations

from typing import Any

from symcnn.keywords import checked_keywords
from symcnn.models.maker import Maker, checked_count, checked_image
from symcnn.nn import (
    AvgPool2d,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    LocalResponseNorm,
    MaxPool2d,
    Module,
    Parallel,
    ReLU,
    Sequential,
    SideHeads,
)
from symcnn.nn.sequential import out_shape


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
    init, seed, dtype
        As in `symcnn.nn.Conv2d`.

    Examples
    --------
    >>> import symcnn as sc
    >>> Inception(192, 64, 96, 128, 16, 32, 32)(sc.input("x", (None, 192, 28, 28))).shape
    (None, 256, 28, 28)
    """

    def __init__(
        self, in_channels, n1, reduce3, n3, reduce5, n5, pooled, init="he_uniform", seed=None, dtype="float32"
    ):
        self.widths = n1, reduce3, n3, reduce5, n5, pooled
        self.in_channels = in_channels

        def conv(n_in, n_out, window):
            return Conv2d(n_in, n_out, window, padding=window // 2, init=init, seed=seed, dtype=dtype)

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


# The widths of each inception block, in the order of table 1 of the paper; a max-pool precedes 4a and 5a.
BLOCKS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


@checked_keywords
def googlenet(
    in_shape=(3, 224, 224), classes: int = 1000, dropout: float = 0.4, seed=0, dtype="float32", width: float = 1.0, init=None,
    auxiliary: bool = False,
) -> Sequential:  # fmt: skip
    """GoogLeNet: three convolutions, nine inception blocks, one dense layer; at will with its auxiliary classifiers.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Height and width at least 47, with auxiliary classifiers 79; any larger size fits the network without them,
        since the mean over the image precedes the dense layer.
    classes : int
    dropout : float
        Rate before the dense layer. The auxiliary classifiers drop 0.7, unless this is 0.
    seed : int or numpy.random.Generator
        Of the initial weights and the dropout masks.
    dtype : str
        Of the parameters.
    width : float
        Factor of all hidden widths.
    init : str or callable, optional
        Of all weights; by default He's, Glorot's for the dense layer.
    auxiliary : bool
        With the two classifiers at blocks 4a and 4d. In training the network then puts out a tuple, (logits, logits of
        the first, logits of the second), for the loss ``sc.losses.with_auxiliary(sc.losses.cross_entropy, 0.3)``.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 6,998,552 parameters by default, 13,378,280 with the auxiliary
        classifiers.

    Notes
    -----
    Szegedy et al., *Going deeper with convolutions*, CVPR 2015 (arXiv:1409.4842); the blocks are named as in its table
    1. It won ImageNet 2014 with a ninth of AlexNet's parameters: the mean over each channel takes the place of the
    large dense layers. The auxiliary classifiers fed gradient into the middle of the network, and later proved
    dispensable. They hold almost half of all parameters.

    Examples
    --------
    >>> model = googlenet(init="zeros")
    >>> model.parameters().count
    6998552
    >>> model["inception3a"]
    Inception(192, 64, 96, 128, 16, 32, 32)
    >>> googlenet(init="zeros", auxiliary=True).parameters().count
    13378280
    """
    checked_count("googlenet", classes=classes)
    in_shape = checked_image("googlenet", in_shape, 79 if auxiliary else 47)
    make = Maker("googlenet", width, init, seed, dtype)

    def norm():
        return LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)

    def pool():
        return MaxPool2d(3, stride=2, ceil_mode=True)

    channels = make.channels(192)
    layers: dict[str, Module] = {
        "conv1": make.conv(in_shape[0], make.channels(64), 7, stride=2, padding=3),
        "relu1": ReLU(),
        "pool1": pool(),
        "norm1": norm(),
        "reduce2": make.conv(make.channels(64), make.channels(64), 1),
        "relu2_reduce": ReLU(),
        "conv2": make.conv(make.channels(64), channels, 3, padding=1),
        "relu2": ReLU(),
        "norm2": norm(),
        "pool2": pool(),
    }
    heads = {}
    for block, widths in BLOCKS.items():
        if block in ("4a", "5a"):
            layers[f"pool{int(block[0]) - 1}"] = pool()
        scaled = [make.channels(n) for n in widths]
        layers[f"inception{block}"] = Inception(
            channels, *scaled, init=init or "he_uniform", seed=make.rng, dtype=make.dtype
        )
        n1, _, n3, _, n5, pooled = scaled
        channels = n1 + n3 + n5 + pooled
        if auxiliary and block in ("4a", "4d"):
            head = _head(make, layers, in_shape, channels, classes, 0.7 if dropout else 0.0)
            heads[f"aux{len(heads) + 1}"] = f"inception{block}", head
    layers |= {
        "pool5": GlobalAvgPool2d(),
        "flatten": Flatten(),
        "drop": make.dropout(dropout),
        "dense": make.dense(channels, classes),
    }
    return SideHeads(heads, **layers, in_shape=in_shape) if heads else Sequential(**layers, in_shape=in_shape)


def _head(make, layers, in_shape, channels, classes, dropout) -> Sequential:
    """An auxiliary classifier at the end of `layers`, which put out so many channels."""
    pool = AvgPool2d(5, stride=3)
    seen = out_shape(Sequential(**layers, pool=pool), in_shape)
    reduced, hidden = make.channels(128), make.channels(1024)
    return Sequential(
        pool=pool,
        conv=make.conv(channels, reduced, 1),
        relu1=ReLU(),
        flatten=Flatten(),
        dense1=make.dense(reduced * seen[1] * seen[2], hidden, init="he_uniform"),
        relu2=ReLU(),
        drop=make.dropout(dropout),
        dense2=make.dense(hidden, classes),
    )
