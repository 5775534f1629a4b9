"""AlexNet, which won ImageNet 2012 and made convolutional networks the way to see."""

from __future__ import annotations

from math import prod

import numpy as np

from symcnn.keywords import checked_keywords
from symcnn.nn import Conv2d, Dense, Dropout, Flatten, LocalResponseNorm, MaxPool2d, Module, ReLU, Sequential
from symcnn.nn.sequential import out_shape


@checked_keywords
def alexnet(in_shape=(3, 227, 227), classes: int = 1000, dropout: float = 0.5, seed=0, dtype="float32") -> Sequential:
    """AlexNet: five convolutions, two of them followed by local response normalisation, and three dense layers.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Height and width at least 63.
    classes : int
    dropout : float
        Rate before each of the two hidden dense layers.
    seed : int or numpy.random.Generator
        Of the initial weights and the dropout masks.
    dtype : str
        Of the parameters.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 60,965,224 parameters by default.

    Notes
    -----
    Krizhevsky, Sutskever and Hinton, *ImageNet classification with deep convolutional neural networks*, NIPS 2012.
    The second, fourth and fifth convolutions have two groups: the authors split the network over two graphics cards
    of 3 GB, and these layers saw only the channels of their own card. 96 % of the parameters sit in the dense
    layers, over 90 % of the arithmetic in the convolutions. Pooling windows of 3 at a stride of 2 overlap. The first
    convolution pads by 2, so that images of 224 fit as well as those of 227.

    Examples
    --------
    >>> model = alexnet()
    >>> model.parameters().count
    60965224
    >>> model["conv1"].parameters().count  # a question of the lecture's quiz, with the 96 biases
    34944
    """
    rng = np.random.default_rng(seed)

    def conv(n_in, n_out, window, **geometry):
        return Conv2d(n_in, n_out, window, **geometry, init="he_uniform", seed=rng, dtype=dtype)

    def norm():
        return LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)

    def dense(n_in, n_out, init="he_uniform"):
        return Dense(n_in, n_out, init=init, seed=rng, dtype=dtype)

    features: dict[str, Module] = {
        "conv1": conv(in_shape[0], 96, 11, stride=4, padding=2),
        "relu1": ReLU(),
        "norm1": norm(),
        "pool1": MaxPool2d(3, stride=2),
        "conv2": conv(96, 256, 5, padding=2, groups=2),
        "relu2": ReLU(),
        "norm2": norm(),
        "pool2": MaxPool2d(3, stride=2),
        "conv3": conv(256, 384, 3, padding=1),
        "relu3": ReLU(),
        "conv4": conv(384, 384, 3, padding=1, groups=2),
        "relu4": ReLU(),
        "conv5": conv(384, 256, 3, padding=1, groups=2),
        "relu5": ReLU(),
        "pool5": MaxPool2d(3, stride=2),
        "flatten": Flatten(),
    }
    width = prod(out_shape(Sequential(**features), in_shape))
    return Sequential(
        **features,
        drop6=Dropout(dropout, seed=rng),
        dense6=dense(width, 4096),
        relu6=ReLU(),
        drop7=Dropout(dropout, seed=rng),
        dense7=dense(4096, 4096),
        relu7=ReLU(),
        dense8=dense(4096, classes, init="glorot_uniform"),
        in_shape=in_shape,
    )
