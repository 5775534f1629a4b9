"""A classifier turned into convolutions: its dense layers become windows that slide over images of any size."""

from __future__ import annotations

from symcnn.errors import InputError, ShapeError
from symcnn.keywords import checked_keywords
from symcnn.nn.activation import Activation, PReLU
from symcnn.nn.batch_norm import BatchNorm
from symcnn.nn.conv import Conv2d
from symcnn.nn.copying import twin
from symcnn.nn.dense import Dense
from symcnn.nn.module import Module
from symcnn.nn.noise import Dropout, GaussianNoise
from symcnn.nn.sequential import Sequential, out_shape
from symcnn.nn.shape import Flatten


@checked_keywords
def convolutional(classifier, in_shape=None) -> Module:
    r"""The same classifier without dense layers, the weights kept: it gives a map of logits for a larger image.

    A dense layer that sees a flattened map of (channels, height, width) is a convolution whose window is that map; one that
    sees a vector is a 1x1 convolution:

    .. math:: y_o = \sum_{cij} x_{cij}\, W_{(cij), o} = \sum_{cij} x_{cij}\, w_{ocij}

    Parameters
    ----------
    classifier : Sequential or Dense
        Layers for images, then `Flatten`, then dense layers with activations and dropout between them. Or one dense layer.
    in_shape : tuple of int, optional
        Shape of one example that the classifier was made for; by default its own. For a dense layer, the shape of what is
        flattened before it; by default (in_features, 1, 1).

    Returns
    -------
    Sequential or Conv2d
        With arrays of its own. From images at least as large as the classifier's, (n, channels, height, width), to
        logits (n, classes, rows, columns): 1 x 1 for an image of the classifier's size. Layers keep their names.

    Raises
    ------
    InputError
        If it is no such classifier, or its `in_shape` is unknown.
    ShapeError
        If a dense layer does not see as many features as `in_shape` says.

    Notes
    -----
    Long, Shelhamer and Darrell, *Fully convolutional networks for semantic segmentation*, CVPR 2015 (arXiv:1411.4038),
    figure 2. One sweep over a large image costs far less than the classifier on every crop of it, and says the same
    wherever no padding comes in.

    Examples
    --------
    >>> import symcnn as sc
    >>> sweep = convolutional(sc.models.lenet())
    >>> sweep["dense1"], sweep["dense2"]
    (Conv2d(50, 500, 4x4), Conv2d(500, 10, 1x1))
    >>> [sweep(sc.input("x", (None, 1, n, n))).shape for n in (28, 64)]
    [(None, 10, 1, 1), (None, 10, 10, 10)]
    >>> convolutional(sc.nn.Dense(12, 5), in_shape=(3, 2, 2))
    Conv2d(3, 5, 2x2)
    """
    if isinstance(classifier, Dense):
        return _convolution(classifier, in_shape or (classifier.in_features, 1, 1))
    if not isinstance(classifier, Sequential):
        raise InputError(
            "convolutional: this is no classifier", expected="a Sequential or a Dense", found=type(classifier).__name__
        )
    in_shape = in_shape or classifier.in_shape
    if in_shape is None:
        raise InputError(
            "convolutional: the shape of one example is unknown", hint="convolutional(model, (3, 224, 224))"
        )
    at = next((k for k, layer in enumerate(classifier) if isinstance(layer, Flatten)), None)
    if at is None:
        raise InputError(
            "convolutional: no layer flattens the image, so there is nothing to turn", found=repr(classifier)
        )
    seen, layers = out_shape(classifier[:at], in_shape), {}
    for k, (name, layer) in enumerate(classifier.layers.items()):
        if k > at and not isinstance(layer, Dense) and not _is_per_feature(layer):
            raise InputError(
                f"convolutional: {name} has no counterpart that slides", found=repr(layer),
                expected="after Flatten only dense layers, activations, batch norm and dropout",
            )  # fmt: skip
        if isinstance(layer, Dense) and k > at:
            layers[name] = _convolution(layer, seen)
            seen = (layer.out_features, 1, 1)
        elif k != at:
            layers[name] = twin(layer)
    return Sequential(**layers)


def _is_per_feature(layer) -> bool:
    """Whether it does the same to a vector of features and, at each pixel, to an image of them."""
    if isinstance(layer, Activation):
        return "softmax" not in layer.name  # which looks at one axis, and that is another one in images
    return isinstance(layer, (BatchNorm, Dropout, GaussianNoise, PReLU))


def _convolution(dense: Dense, seen) -> Conv2d:
    """The convolution that does to a map of shape `seen` what `dense` does to its elements."""
    if len(seen) != 3 or seen[0] * seen[1] * seen[2] != dense.in_features:
        raise ShapeError(
            "convolutional: the dense layer sees another number of features",
            expected=f"(channels, height, width) with {dense.in_features} elements",
            found=tuple(seen),
        )
    channels, height, width = seen
    weight = dense.weight.get_value().T.reshape(-1, channels, height, width)

    def kept(shape, seed, dtype):
        return weight

    convolution = Conv2d(
        channels, dense.out_features, (height, width), bias=dense.bias is not None, init=kept, dtype=dense.dtype.name
    )
    if convolution.bias is not None and dense.bias is not None:
        convolution.bias.set_value(dense.bias.get_value())
    convolution.frozen = dense.frozen
    return convolution
