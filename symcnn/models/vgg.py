"""VGG: nothing but 3x3 convolutions and 2x2 pooling, sixteen or nineteen layers deep."""

from __future__ import annotations

from math import prod

from symcnn.keywords import checked_keywords
from symcnn.models.maker import Maker, checked_count, checked_image
from symcnn.nn import BatchNorm, Flatten, MaxPool2d, Module, ReLU, Sequential
from symcnn.nn.sequential import out_shape

FILTERS = 64, 128, 256, 512, 512


@checked_keywords
def vgg16(
    in_shape=(3, 224, 224), classes: int = 1000, batch_norm: bool = False, dropout: float = 0.5, seed=0, dtype="float32",
    width: float = 1.0, init=None,
) -> Sequential:  # fmt: skip
    """VGG-16: five stages of two, two, three, three and three 3x3 convolutions, and three dense layers.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Height and width at least 32: each of the five stages halves them.
    classes : int
    batch_norm : bool
        Normalise after every convolution: it then trains from scratch without the authors' detour over shallower nets.
    dropout : float
        Rate after each of the two hidden dense layers.
    seed : int or numpy.random.Generator
        Of the initial weights and the dropout masks.
    dtype : str
        Of the parameters.
    width : float
        Factor of all hidden widths.
    init : str or callable, optional
        Of all weights; by default He's, Glorot's for the last layer.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 138,357,544 parameters by default.

    Notes
    -----
    Simonyan and Zisserman, *Very deep convolutional networks for large-scale image recognition*, ICLR 2015
    (arXiv:1409.1556), configuration D. Three 3x3 convolutions see the same 7x7 pixels as one 7x7 convolution, with
    half its weights and three times its ReLUs. Three quarters of the parameters sit in the first dense layer.

    Examples
    --------
    >>> model = vgg16(in_shape=(3, 32, 32), classes=10, width=1 / 16)
    >>> model["conv3_3"], model["dense6"]
    (Conv2d(16, 16, 3x3, padding=1), Dense(32, 256))
    """
    return _vgg("vgg16", (2, 2, 3, 3, 3), in_shape, classes, batch_norm, dropout, seed, dtype, width, init)


@checked_keywords
def vgg19(
    in_shape=(3, 224, 224), classes: int = 1000, batch_norm: bool = False, dropout: float = 0.5, seed=0, dtype="float32",
    width: float = 1.0, init=None,
) -> Sequential:  # fmt: skip
    """VGG-19: as `vgg16`, with four convolutions in each of the last three stages.

    Parameters
    ----------
    in_shape, classes, batch_norm, dropout, seed, dtype, width, init
        As in `vgg16`.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 143,667,240 parameters by default.

    Notes
    -----
    Configuration E of the paper.

    Examples
    --------
    >>> len([name for name in vgg19((3, 32, 32), width=1 / 64).layers if name.startswith("conv")])
    16
    """
    return _vgg("vgg19", (2, 2, 4, 4, 4), in_shape, classes, batch_norm, dropout, seed, dtype, width, init)


def _vgg(network, depths, in_shape, classes, batch_norm, dropout, seed, dtype, width, init) -> Sequential:
    checked_count(network, classes=classes)
    in_shape = checked_image(network, in_shape, 2 ** len(depths))
    make = Maker(network, width, init, seed, dtype)
    features: dict[str, Module] = {}
    channels, hidden = in_shape[0], make.channels(4096)
    for stage, (depth, filters) in enumerate(zip(depths, map(make.channels, FILTERS), strict=True), start=1):
        for number in range(1, depth + 1):
            features[f"conv{stage}_{number}"] = make.conv(channels, filters, 3, padding=1)
            if batch_norm:
                features[f"norm{stage}_{number}"] = BatchNorm(filters, dtype=dtype)
            features[f"relu{stage}_{number}"] = ReLU()
            channels = filters
        features[f"pool{stage}"] = MaxPool2d(2)
    features["flatten"] = Flatten()
    seen = prod(out_shape(Sequential(**features), in_shape))
    return Sequential(
        **features,
        dense6=make.dense(seen, hidden, init="he_uniform"),
        relu6=ReLU(),
        drop6=make.dropout(dropout),
        dense7=make.dense(hidden, hidden, init="he_uniform"),
        relu7=ReLU(),
        drop7=make.dropout(dropout),
        dense8=make.dense(hidden, classes),
        in_shape=in_shape,
    )
