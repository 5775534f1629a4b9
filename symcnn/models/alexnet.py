"""AlexNet, which won ImageNet 2012 and made convolutional networks the way to see."""

from __future__ import annotations

from math import prod

from symcnn.keywords import checked_keywords
from symcnn.models.maker import Maker, checked_count, checked_image
from symcnn.nn import Flatten, LocalResponseNorm, MaxPool2d, Module, ReLU, Sequential
from symcnn.nn.sequential import out_shape


@checked_keywords
def alexnet(
    in_shape=(3, 227, 227), classes: int = 1000, dropout: float = 0.5, seed=0, dtype="float32", width: float = 1.0, init=None,
) -> Sequential:  # fmt: skip
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
    width : float
        Factor of all hidden widths.
    init : str or callable, optional
        Of all weights; by default He's, Glorot's for the last layer.

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
    >>> model = alexnet(init="zeros")
    >>> model.parameters().count
    60965224
    >>> model["conv1"].parameters().count  # a question of the lecture's quiz, with the 96 biases
    34944
    """
    checked_count("alexnet", classes=classes)
    in_shape = checked_image("alexnet", in_shape, 63)
    make = Maker("alexnet", width, init, seed, dtype)
    n1, n2, n3, n4, n5 = (make.channels(n, groups=2) for n in (96, 256, 384, 384, 256))
    hidden = make.channels(4096)

    def norm():
        return LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)

    features: dict[str, Module] = {
        "conv1": make.conv(in_shape[0], n1, 11, stride=4, padding=2),
        "relu1": ReLU(),
        "norm1": norm(),
        "pool1": MaxPool2d(3, stride=2),
        "conv2": make.conv(n1, n2, 5, padding=2, groups=2),
        "relu2": ReLU(),
        "norm2": norm(),
        "pool2": MaxPool2d(3, stride=2),
        "conv3": make.conv(n2, n3, 3, padding=1),
        "relu3": ReLU(),
        "conv4": make.conv(n3, n4, 3, padding=1, groups=2),
        "relu4": ReLU(),
        "conv5": make.conv(n4, n5, 3, padding=1, groups=2),
        "relu5": ReLU(),
        "pool5": MaxPool2d(3, stride=2),
        "flatten": Flatten(),
    }
    seen = prod(out_shape(Sequential(**features), in_shape))
    return Sequential(
        **features,
        drop6=make.dropout(dropout),
        dense6=make.dense(seen, hidden, init="he_uniform"),
        relu6=ReLU(),
        drop7=make.dropout(dropout),
        dense7=make.dense(hidden, hidden, init="he_uniform"),
        relu7=ReLU(),
        dense8=make.dense(hidden, classes),
        in_shape=in_shape,
    )
