"""ResNet: blocks that learn what to add to their input, so that depth does no harm."""

from __future__ import annotations

import symcnn as sc
from symcnn.keywords import checked_keywords
from symcnn.models.maker import Maker, checked_count, checked_image
from symcnn.nn import BatchNorm, Flatten, GlobalAvgPool2d, MaxPool2d, Module, ReLU, Residual, Sequential

FILTERS = 64, 128, 256, 512


@checked_keywords
def resnet18(
    in_shape=(3, 224, 224), classes: int = 1000, seed=0, dtype="float32", width: float = 1.0, init=None
) -> Sequential:
    """ResNet-18: four stages of two blocks, each of two 3x3 convolutions.

    Parameters
    ----------
    in_shape : (channels, height, width)
        Of any size, since the mean over the image precedes the dense layer; stages halve it five times, so that 32 is
        about the least that leaves something to see.
    classes : int
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
        From (n, *in_shape) to logits (n, classes); 11,689,512 parameters by default. Layers are named as in torchvision:
        ``"layer1.0.conv1"``.

    Notes
    -----
    He, Zhang, Ren and Sun, *Deep residual learning for image recognition*, CVPR 2016 (arXiv:1512.03385), table 1: it won
    ImageNet 2015. A block adds what it computes to its input; where it changes the shape, a 1x1 convolution (the paper's
    option B) takes the input along. Convolutions have no bias, which the batch norm after each would subtract again.

    Examples
    --------
    >>> model = resnet18(init="zeros")
    >>> model.parameters().count, model["layer2"][0].parameters().keys()[-3:]
    (11689512, ['downsample.0.weight', 'downsample.1.gamma', 'downsample.1.beta'])
    """
    return _resnet("resnet18", (2, 2, 2, 2), False, in_shape, classes, seed, dtype, width, init)


@checked_keywords
def resnet34(
    in_shape=(3, 224, 224), classes: int = 1000, seed=0, dtype="float32", width: float = 1.0, init=None
) -> Sequential:
    """ResNet-34: as `resnet18`, with three, four, six and three blocks.

    Parameters
    ----------
    in_shape, classes, seed, dtype, width, init
        As in `resnet18`.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 21,797,672 parameters by default.

    Examples
    --------
    >>> resnet34(init="zeros").parameters().count
    21797672
    """
    return _resnet("resnet34", (3, 4, 6, 3), False, in_shape, classes, seed, dtype, width, init)


@checked_keywords
def resnet50(
    in_shape=(3, 224, 224), classes: int = 1000, seed=0, dtype="float32", width: float = 1.0, init=None
) -> Sequential:
    """ResNet-50: the stages of `resnet34` with bottlenecks: 1x1 to fewer channels, 3x3, 1x1 to four times as many.

    Parameters
    ----------
    in_shape, classes, seed, dtype, width, init
        As in `resnet18`.

    Returns
    -------
    Sequential
        From (n, *in_shape) to logits (n, classes); 25,557,032 parameters by default.

    Notes
    -----
    See `resnet18`. Where a bottleneck halves the image its 3x3 convolution has the stride, as in torchvision and others
    after the paper, whose first 1x1 convolution skipped three pixels of four.

    Examples
    --------
    >>> resnet50(init="zeros").parameters().count
    25557032
    """
    return _resnet("resnet50", (3, 4, 6, 3), True, in_shape, classes, seed, dtype, width, init)


class Block(Residual):
    """``relu(x + layers(x))``, or with ``downsample(x)`` in place of x.

    Parameters
    ----------
    downsample : Module, optional
        A projection of x to the shape that the layers give.
    **layers : Module
        Applied in order.

    Examples
    --------
    >>> import symcnn as sc
    >>> block = Block(conv1=sc.nn.Conv2d(4, 4, 3, padding=1), downsample=sc.nn.Conv2d(4, 4, 1))
    >>> block.parameters().keys()
    ['conv1.weight', 'conv1.bias', 'downsample.weight', 'downsample.bias']
    """

    def __init__(self, downsample=None, **layers: Module):
        super().__init__(Sequential(**layers), downsample)

    def parts(self):
        # Without the name of the chain in between, paths are those of torchvision: layer1.0.conv1.weight.
        around = {} if self.shortcut is None else {"downsample": self.shortcut}
        return {**self.body.parts(), **around}

    def forward(self, x, training):
        return sc.relu(super().forward(x, training))


def _resnet(network, depths, bottleneck, in_shape, classes, seed, dtype, width, init) -> Sequential:
    checked_count(network, classes=classes)
    in_shape = checked_image(network, in_shape)
    make = Maker(network, width, init, seed, dtype)
    channels = make.channels(64)
    layers: dict[str, Module] = {
        "conv1": _conv(make, in_shape[0], channels, 7, stride=2),
        "bn1": BatchNorm(channels, dtype=make.dtype),
        "relu": ReLU(),
        "maxpool": MaxPool2d(3, stride=2, padding=1),
    }
    for stage, (depth, filters) in enumerate(zip(depths, FILTERS, strict=True), start=1):
        inside = make.channels(filters)
        outside = 4 * inside if bottleneck else inside
        windows = ((inside, 1), (inside, 3), (outside, 1)) if bottleneck else ((inside, 3), (inside, 3))
        blocks = []
        for number in range(depth):
            stride = 2 if stage > 1 and number == 0 else 1
            blocks.append(_block(make, channels, windows, stride))
            channels = outside
        layers[f"layer{stage}"] = Sequential(*blocks)
    return Sequential(
        **layers,
        avgpool=GlobalAvgPool2d(),
        flatten=Flatten(),
        fc=make.dense(channels, classes),
        in_shape=in_shape,
    )


def _block(make: Maker, n_in: int, windows, stride: int) -> Block:
    """A block of convolutions (filters, window); the stride is that of the first 3x3 convolution."""
    layers: dict[str, Module] = {}
    channels, left = n_in, stride
    for number, (n_out, window) in enumerate(windows, start=1):
        layers[f"conv{number}"] = _conv(make, channels, n_out, window, stride=left if window == 3 else 1)
        layers[f"bn{number}"] = BatchNorm(n_out, dtype=make.dtype)
        if number < len(windows):
            layers[f"relu{number}"] = ReLU()
        channels, left = n_out, 1 if window == 3 else left
    if stride == 1 and n_in == channels:
        return Block(**layers)
    projection = _conv(make, n_in, channels, 1, stride=stride)
    return Block(Sequential(projection, BatchNorm(channels, dtype=make.dtype)), **layers)


def _conv(make: Maker, n_in, n_out, window, stride):
    return make.conv(n_in, n_out, window, init="he_normal", stride=stride, padding=window // 2, bias=False)
