"""LeNet as the lecture trains it: two convolutions, two dense layers."""

from __future__ import annotations

from math import prod

import numpy as np

from symcnn.keywords import checked_keywords
from symcnn.nn import Conv2d, Dense, Flatten, MaxPool2d, ReLU, Sequential
from symcnn.nn.sequential import out_shape


@checked_keywords
def lenet(in_shape=(1, 28, 28), classes: int = 10, seed=0, dtype="float32") -> Sequential:
    """LeNet: conv 20@5x5, max-pool 2, ReLU, conv 50@5x5, max-pool 2, ReLU, dense 500, ReLU, dense `classes`.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Height and width at least 16.
    classes : int
    seed : int or numpy.random.Generator
        Of the initial weights.
    dtype : str
        Of the parameters.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 431,080 parameters by default.

    Notes
    -----
    After LeCun, Bottou, Bengio and Haffner, *Gradient-based learning applied to document recognition*, Proc. IEEE
    86 (1998), with max-pooling and ReLU. Pooling comes before ReLU: the two commute, and a quarter of the
    elements remains to be rectified.

    Examples
    --------
    >>> lenet().parameters().count
    431080
    """
    rng = np.random.default_rng(seed)
    features = {
        "conv1": Conv2d(in_shape[0], 20, 5, seed=rng, dtype=dtype),
        "pool1": MaxPool2d(2),
        "relu1": ReLU(),
        "conv2": Conv2d(20, 50, 5, seed=rng, dtype=dtype),
        "pool2": MaxPool2d(2),
        "relu2": ReLU(),
        "flatten": Flatten(),
    }
    width = prod(out_shape(Sequential(**features), in_shape))
    return Sequential(
        **features,
        dense1=Dense(width, 500, seed=rng, dtype=dtype),
        relu3=ReLU(),
        dense2=Dense(500, classes, seed=rng, dtype=dtype),
        in_shape=in_shape,
    )
