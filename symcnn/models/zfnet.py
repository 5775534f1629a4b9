"""ZFNet: AlexNet with a finer first look, found by looking at what its layers had learnt."""

from __future__ import annotations

from math import prod

from symcnn.keywords import checked_keywords
from symcnn.models.maker import Maker, checked_count, checked_image
from symcnn.nn import Flatten, LocalResponseNorm, MaxPool2d, Module, ReLU, Sequential
from symcnn.nn.sequential import out_shape


@checked_keywords
def zfnet(
    in_shape=(3, 224, 224), classes: int = 1000, dropout: float = 0.5, seed=0, dtype="float32", width: float = 1.0, init=None,
) -> Sequential:  # fmt: skip
    """ZFNet: five convolutions, the first with windows of 7x7 at a stride of 2, and three dense layers.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Height and width at least 63.
    classes : int
    dropout : float
        Rate before each of the two last dense layers.
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
        From (n, *in_shape) to logits (n, classes); 62,357,608 parameters by default.

    Notes
    -----
    Zeiler and Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014 (arXiv:1311.2901), figure 3: it
    won ImageNet 2013. Pictures of what excites each filter had shown dead filters in AlexNet's first layer and aliasing,
    made by its stride of 4, in the second. Smaller windows and strides there retain more; nothing is split in groups.

    Examples
    --------
    >>> zfnet(init="zeros").parameters().count
    62357608
    """
    checked_count("zfnet", classes=classes)
    in_shape = checked_image("zfnet", in_shape, 63)
    make = Maker("zfnet", width, init, seed, dtype)
    n1, n2, n3, n4, n5, hidden = (make.channels(n) for n in (96, 256, 384, 384, 256, 4096))

    def norm():
        return LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)

    def pool():
        return MaxPool2d(3, stride=2, ceil_mode=True)

    features: dict[str, Module] = {
        "conv1": make.conv(in_shape[0], n1, 7, stride=2, padding=1),
        "relu1": ReLU(),
        "pool1": pool(),
        "norm1": norm(),
        "conv2": make.conv(n1, n2, 5, stride=2),
        "relu2": ReLU(),
        "pool2": pool(),
        "norm2": norm(),
        "conv3": make.conv(n2, n3, 3, padding=1),
        "relu3": ReLU(),
        "conv4": make.conv(n3, n4, 3, padding=1),
        "relu4": ReLU(),
        "conv5": make.conv(n4, n5, 3, padding=1),
        "relu5": ReLU(),
        "pool5": pool(),
        "flatten": Flatten(),
    }
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
