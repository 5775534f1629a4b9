"""The lecture's example of a convolutional network: CONV-RELU-CONV-RELU-POOL three times, then one dense layer."""

from __future__ import annotations

from math import prod

import numpy as np

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.models.maker import Maker, checked_count, checked_image
from symcnn.nn import Flatten, MaxPool2d, Module, ReLU, Sequential
from symcnn.nn.sequential import out_shape


@checked_keywords
def cs231n_convnet(
    in_shape=(3, 32, 32), classes: int = 10, widths=(32, 64, 128), seed=0, dtype="float32", width: float = 1.0, init=None,
) -> Sequential:  # fmt: skip
    """Three stages of two 3x3 convolutions with ReLU and a max-pool 2, then dense `classes`.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Height and width at least 8: each stage halves them.
    classes : int
    widths : sequence of int
        Filters of the two convolutions of each stage; as many stages as there are widths.
    seed : int or numpy.random.Generator
        Of the initial weights.
    dtype : str
        Of the parameters.
    width : float
        Factor of all hidden widths.
    init : str or callable, optional
        Of all weights; by default He's for the convolutions, Glorot's for the dense layer.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 307,498 parameters by default.

    Notes
    -----
    The architecture of the demonstration on the front page of the course CS231n (Stanford), with twice the filters
    from stage to stage as in Simonyan and Zisserman, *Very deep convolutional networks for large-scale image
    recognition*, ICLR 2015: where pooling quarters the pixels, doubling the channels keeps the work of every stage
    alike. Two 3x3 convolutions see the same 5x5 pixels as one 5x5 convolution, with fewer weights and one more ReLU.

    Examples
    --------
    >>> cs231n_convnet().parameters().count
    307498
    """
    if not np.ndim(widths) == 1 or not len(widths):
        raise InputError("cs231n_convnet: widths has one entry per stage", expected="(32, 64, 128)", found=repr(widths))
    checked_count("cs231n_convnet", classes=classes, **{f"widths[{k}]": n for k, n in enumerate(widths)})
    in_shape = checked_image("cs231n_convnet", in_shape, 2 ** len(widths))
    make = Maker("cs231n_convnet", width, init, seed, dtype)
    features: dict[str, Module] = {}
    channels = in_shape[0]
    for stage, filters in enumerate(widths, start=1):
        for number in (1, 2):
            features[f"conv{stage}_{number}"] = make.conv(channels, make.channels(filters), 3, padding=1)
            features[f"relu{stage}_{number}"] = ReLU()
            channels = make.channels(filters)
        features[f"pool{stage}"] = MaxPool2d(2)
    features["flatten"] = Flatten()
    seen = prod(out_shape(Sequential(**features), in_shape))
    return Sequential(**features, dense=make.dense(seen, classes), in_shape=in_shape)
