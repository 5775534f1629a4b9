"""LeNet as the lecture trains it: two convolutions, two dense layers."""

from __future__ import annotations

from math import prod

from symcnn.keywords import checked_keywords
from symcnn.models.maker import Maker, checked_count, checked_image
from symcnn.nn import Flatten, MaxPool2d, ReLU, Sequential
from symcnn.nn.sequential import out_shape


@checked_keywords
def lenet(
    in_shape=(1, 28, 28), classes: int = 10, seed=0, dtype="float32", width: float = 1.0, init=None
) -> Sequential:
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
    width : float
        Factor of all hidden widths.
    init : str or callable, optional
        Of all weights; by default Glorot's.

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
    checked_count("lenet", classes=classes)
    in_shape = checked_image("lenet", in_shape, 16)
    make = Maker("lenet", width, init, seed, dtype)
    n1, n2, hidden = (make.channels(n) for n in (20, 50, 500))
    features = {
        "conv1": make.conv(in_shape[0], n1, 5, init="glorot_uniform"),
        "pool1": MaxPool2d(2),
        "relu1": ReLU(),
        "conv2": make.conv(n1, n2, 5, init="glorot_uniform"),
        "pool2": MaxPool2d(2),
        "relu2": ReLU(),
        "flatten": Flatten(),
    }
    seen = prod(out_shape(Sequential(**features), in_shape))
    return Sequential(
        **features,
        dense1=make.dense(seen, hidden),
        relu3=ReLU(),
        dense2=make.dense(hidden, classes),
        in_shape=in_shape,
    )
