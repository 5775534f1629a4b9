"""Network in network: a small perceptron looks through every window, and means take the place of dense layers."""

from __future__ import annotations

from symcnn.keywords import checked_keywords
from symcnn.models.maker import Maker, checked_count, checked_image
from symcnn.nn import AvgPool2d, Flatten, GlobalAvgPool2d, MaxPool2d, Module, ReLU, Sequential


@checked_keywords
def nin(
    in_shape=(3, 32, 32), classes: int = 10, dropout: float = 0.5, seed=0, dtype="float32", width: float = 1.0, init=None,
) -> Sequential:  # fmt: skip
    """Network in network as it was trained on CIFAR-10: three mlpconv blocks, then the mean of each class's map.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Height and width at least 6; any larger size fits, since the mean over the image ends the network.
    classes : int
    dropout : float
        Rate after each of the two poolings.
    seed : int or numpy.random.Generator
        Of the initial weights and the dropout masks.
    dtype : str
        Of the parameters.
    width : float
        Factor of all hidden widths.
    init : str or callable, optional
        Of all weights; by default He's.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 966,986 parameters by default.

    Notes
    -----
    Lin, Chen and Yan, *Network in network*, ICLR 2014 (arXiv:1312.4400). A block is a convolution and two 1x1
    convolutions (``cccp``, cascaded cross-channel parametric pooling), which are a perceptron of two layers applied at
    every pixel. The last block has one channel per class, whose mean is the logit: nothing is left to overfit there, and
    each map shows where its class was seen. The authors rectify these maps too. That ReLU is left out here, since a class
    whose map it silences for all images gets no gradient ever after.

    Examples
    --------
    >>> nin(init="zeros").parameters().count
    966986
    """
    checked_count("nin", classes=classes)
    in_shape = checked_image("nin", in_shape, 6)
    make = Maker("nin", width, init, seed, dtype)
    n, n1, n2 = (make.channels(count) for count in (192, 160, 96))
    return Sequential(
        **mlpconv(make, 1, in_shape[0], (n, n1, n2), 5, padding=2),
        pool1=MaxPool2d(3, stride=2, ceil_mode=True),
        drop1=make.dropout(dropout),
        **mlpconv(make, 2, n2, (n, n, n), 5, padding=2),
        pool2=AvgPool2d(3, stride=2, ceil_mode=True),
        drop2=make.dropout(dropout),
        **mlpconv(make, 3, n, (n, n, classes), 3, padding=1, last=True),
        pool3=GlobalAvgPool2d(),
        flatten=Flatten(),
        in_shape=in_shape,
    )


@checked_keywords
def nin_imagenet(
    in_shape=(3, 224, 224), classes: int = 1000, dropout: float = 0.5, seed=0, dtype="float32", width: float = 1.0, init=None,
) -> Sequential:  # fmt: skip
    """Network in network in the size of its ImageNet version: four mlpconv blocks.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Height and width at least 55; any larger size fits.
    classes : int
    dropout : float
        Rate before the last block.
    seed, dtype, width, init
        As in `nin`.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 7,595,176 parameters by default: an eighth of AlexNet's, whose
        accuracy it has.

    Notes
    -----
    See `nin`; sizes as in the authors' published Caffe model.

    Examples
    --------
    >>> nin_imagenet(init="zeros").parameters().count
    7595176
    """
    checked_count("nin_imagenet", classes=classes)
    in_shape = checked_image("nin_imagenet", in_shape, 55)
    make = Maker("nin_imagenet", width, init, seed, dtype)
    n1, n2, n3, n4 = (make.channels(count) for count in (96, 256, 384, 1024))
    return Sequential(
        **mlpconv(make, 1, in_shape[0], (n1, n1, n1), 11, stride=4),
        pool1=MaxPool2d(3, stride=2, ceil_mode=True),
        **mlpconv(make, 2, n1, (n2, n2, n2), 5, padding=2),
        pool2=MaxPool2d(3, stride=2, ceil_mode=True),
        **mlpconv(make, 3, n2, (n3, n3, n3), 3, padding=1),
        pool3=MaxPool2d(3, stride=2, ceil_mode=True),
        drop=make.dropout(dropout),
        **mlpconv(make, 4, n3, (n4, n4, classes), 3, padding=1, last=True),
        pool4=GlobalAvgPool2d(),
        flatten=Flatten(),
        in_shape=in_shape,
    )


def mlpconv(make: Maker, number: int, n_in: int, widths, window: int, last=False, **geometry) -> dict[str, Module]:
    """A convolution and two 1x1 convolutions of these widths, with ReLUs after them, named as in the authors' model."""
    first, second, third = widths
    cccp = 2 * number - 1
    layers = {
        f"conv{number}": make.conv(n_in, first, window, **geometry),
        f"relu{number}": ReLU(),
        f"cccp{cccp}": make.conv(first, second, 1),
        f"relu_cccp{cccp}": ReLU(),
        f"cccp{cccp + 1}": make.conv(second, third, 1),
    }
    return layers if last else {**layers, f"relu_cccp{cccp + 1}": ReLU()}
