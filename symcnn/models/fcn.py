"""Fully convolutional networks: a class for every pixel, from a classifier whose dense layers became convolutions.

Sizes: every window is padded so that a stride s makes ``ceil(n / s)`` of n rows, whatever n is; a map of stride S has
``ceil(H / S)`` rows of an image of H, and its row i looks at the pixels around ``S i + c``. Transposed convolutions lead back
along the same way, each to the very size and place of the map that it is added to, the last one to those of the image. The
authors pad the image by 100 pixels instead, and crop what is too much.
"""

from __future__ import annotations

from typing import Any

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, nearest
from symcnn.models.alexnet import alexnet
from symcnn.models.maker import Maker, checked_count, checked_image
from symcnn.models.pixelwise import FCN, Field, Upscore, padding
from symcnn.models.vgg import vgg16
from symcnn.nn import Conv2d, MaxPool2d, Module
from symcnn.nn.convolutional import convolutional
from symcnn.nn.copying import twin

ANY_SIZE = 3, None, None


@checked_keywords
def fcn32s(
    in_shape=ANY_SIZE, classes: int = 21, from_classifier=None, learn_upsampling: bool | None = None,
    batch_norm: bool = False, dropout: float = 0.5, seed=0, dtype="float32", width: float = 1.0, init=None,
) -> FCN:  # fmt: skip
    """FCN-32s on VGG-16: scores of a grid of 32 pixels, enlarged 32 times in one step.

    Parameters
    ----------
    in_shape : (channels, height, width)
        ``None`` for sizes that may differ from call to call.
    classes : int
    from_classifier : Sequential, optional
        A classifier like `vgg16` whose weights are copied, all but those of its last layer; `in_shape`'s channels,
        `batch_norm`, `dropout`, `width` and `dtype` are then its own. By default a fresh `vgg16`.
    learn_upsampling : bool, optional
        Whether the transposed convolutions, bilinear at first, are trained. By default as in the paper: all but the
        last one. Those that are not trained are frozen, and `Module.unfreeze` releases them.
    batch_norm, dropout, width, init
        As in `vgg16`.
    seed : int or numpy.random.Generator
        Of the initial weights and the dropout masks.
    dtype : str
        Of the parameters.

    Returns
    -------
    FCN
        From (n, channels, H, W) to scores (n, classes, H, W), for any H and W; 134,432,597 parameters by default, of
        which the 86,016 of the upsampling are fixed.

    Raises
    ------
    InputError
        If `from_classifier` is no classifier with the poolings of VGG-16.

    Notes
    -----
    Long, Shelhamer and Darrell, *Fully convolutional networks for semantic segmentation*, CVPR 2015 (arXiv:1411.4038).
    Train it with `symcnn.losses.cross_entropy` on labels (n, H, W). The scores start at zero. Every class is enlarged by
    itself: the authors' transposed convolutions hold weights between different classes as well, all of them zero.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = fcn32s(classes=2, width=1 / 64)
    >>> model(sc.input("x", (None, 3, 97, 50))).shape
    (None, 2, 97, 50)
    >>> model["dense6"], model.trainable().keys()[-1]
    (Conv2d(8, 64, 7x7, padding=3), 'score_fr.bias')
    """
    make = Maker("fcn32s", width, init, seed, dtype)
    checked_count("fcn32s", classes=classes)
    in_shape = checked_image("fcn32s", in_shape, any_size=True)
    classifier = from_classifier or _vgg16(make, in_shape, batch_norm, dropout)
    return _on_classifier("fcn32s", classifier, in_shape, classes, (), make, learn_upsampling)


@checked_keywords
def fcn16s(
    in_shape=ANY_SIZE, classes: int = 21, from_classifier=None, from_coarser=None, learn_upsampling: bool | None = None,
    batch_norm: bool = False, dropout: float = 0.5, seed=0, dtype="float32", width: float = 1.0, init=None,
) -> FCN:  # fmt: skip
    """FCN-16s on VGG-16: the scores of `fcn32s`, enlarged twice, plus scores of the fourth pooling, enlarged 16 times.

    Parameters
    ----------
    from_coarser : FCN, optional
        An `fcn32s` to go on from: all its weights are copied, and the new scores start at zero, so that the network at
        first says what that one says, but for the finer enlargement. The other options are then its own.
    in_shape, classes, from_classifier, learn_upsampling, batch_norm, dropout, seed, dtype, width, init
        As in `fcn32s`.

    Returns
    -------
    FCN
        From (n, channels, H, W) to scores (n, classes, H, W), for any H and W.

    Raises
    ------
    InputError
        If there is both a classifier and a coarser network, or one is not what it should be.

    Notes
    -----
    See `fcn32s`. What is deep knows what there is, what is shallow knows where: the sum of both scores is the skip.

    Examples
    --------
    >>> fcn16s(from_coarser=fcn32s(classes=2, width=1 / 64))["score_pool4"]
    Conv2d(8, 2, 1x1)
    """
    make = Maker("fcn16s", width, init, seed, dtype)
    if from_coarser is not None:
        return _on_coarser("fcn16s", from_coarser, from_classifier, (), ("pool4",), make, learn_upsampling)
    checked_count("fcn16s", classes=classes)
    in_shape = checked_image("fcn16s", in_shape, any_size=True)
    classifier = from_classifier or _vgg16(make, in_shape, batch_norm, dropout)
    return _on_classifier("fcn16s", classifier, in_shape, classes, ("pool4",), make, learn_upsampling)


@checked_keywords
def fcn8s(
    in_shape=ANY_SIZE, classes: int = 21, from_classifier=None, from_coarser=None, learn_upsampling: bool | None = None,
    batch_norm: bool = False, dropout: float = 0.5, seed=0, dtype="float32", width: float = 1.0, init=None,
) -> FCN:  # fmt: skip
    """FCN-8s on VGG-16: the scores of `fcn16s`, enlarged twice, plus scores of the third pooling, enlarged 8 times.

    Parameters
    ----------
    from_coarser : FCN, optional
        An `fcn16s` to go on from; see `fcn16s`.
    in_shape, classes, from_classifier, learn_upsampling, batch_norm, dropout, seed, dtype, width, init
        As in `fcn32s`.

    Returns
    -------
    FCN
        From (n, channels, H, W) to scores (n, classes, H, W), for any H and W.

    Raises
    ------
    InputError
        As `fcn16s`.

    Notes
    -----
    See `fcn32s`. The authors trained the three networks one after the other, each from the one before.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = fcn8s(classes=2, width=1 / 64)
    >>> [name for name in model.parts() if "score" in name]
    ['score_fr', 'upscore2', 'score_pool4', 'upscore_pool4', 'score_pool3', 'upscore8']
    >>> model(sc.input("x", (None, 3, None, None))).shape
    (None, 2, None, None)
    """
    make = Maker("fcn8s", width, init, seed, dtype)
    if from_coarser is not None:
        return _on_coarser(
            "fcn8s", from_coarser, from_classifier, ("pool4",), ("pool4", "pool3"), make, learn_upsampling
        )
    checked_count("fcn8s", classes=classes)
    in_shape = checked_image("fcn8s", in_shape, any_size=True)
    classifier = from_classifier or _vgg16(make, in_shape, batch_norm, dropout)
    return _on_classifier("fcn8s", classifier, in_shape, classes, ("pool4", "pool3"), make, learn_upsampling)


@checked_keywords
def fcn_alexnet(
    in_shape=ANY_SIZE, classes: int = 21, from_classifier=None, learn_upsampling: bool | None = None,
    dropout: float = 0.5, seed=0, dtype="float32", width: float = 1.0, init=None,
) -> FCN:  # fmt: skip
    """FCN-AlexNet: `fcn32s` on `alexnet`, less exact and several times as fast.

    Parameters
    ----------
    from_classifier : Sequential, optional
        A classifier like `alexnet`.
    in_shape, classes, learn_upsampling, dropout, seed, dtype, width, init
        As in `fcn32s`.

    Returns
    -------
    FCN
        From (n, channels, H, W) to scores (n, classes, H, W), for any H and W; 57,037,610 parameters by default.

    Notes
    -----
    See `fcn32s`. Windows of 11 and poolings of 3 have a pixel in their middle, those of 2 do not: positions of the coarse map
    lie elsewhere than in VGG-16, and the enlarging window is 63 wide, as the authors' is.

    Examples
    --------
    >>> import symcnn as sc
    >>> fcn_alexnet(classes=2, width=1 / 64)(sc.input("x", (None, 3, 97, 50))).shape
    (None, 2, 97, 50)
    """
    make = Maker("fcn_alexnet", width, init, seed, dtype)
    checked_count("fcn_alexnet", classes=classes)
    in_shape = checked_image("fcn_alexnet", in_shape, any_size=True)
    classifier = from_classifier or alexnet((in_shape[0], 227, 227), 1, dropout, make.rng, dtype, width, init)
    return _on_classifier("fcn_alexnet", classifier, in_shape, classes, (), make, learn_upsampling)


def _vgg16(make, in_shape, batch_norm, dropout):
    return vgg16((in_shape[0], 224, 224), 1, batch_norm, dropout, make.rng, make.dtype, make.width, make.init)


def _on_classifier(network, classifier, in_shape, classes, skips, make, learn_upsampling) -> FCN:
    """The network on a copy of the classifier's layers, all but the last."""
    sweep: Any = convolutional(classifier)
    body = dict(sweep.layers)
    body.popitem()
    missing = [name for name in skips if name not in body]
    if missing:
        raise InputError(f"{network}: the classifier has no layer {missing[0]!r}", hint=nearest(missing[0], body))
    first = next(layer for layer in body.values() if isinstance(layer, Conv2d))
    for layer in body.values():
        if isinstance(layer, (Conv2d, MaxPool2d)):
            _pad(layer)
    return _assembled(body, skips, (first.in_channels, *in_shape[1:]), classes, make, learn_upsampling)


def _on_coarser(network, coarser, from_classifier, expected, skips, make, learn_upsampling) -> FCN:
    """The network that goes on from a trained one with fewer skips."""
    if from_classifier is not None:
        raise InputError(f"{network}: from a classifier or from a coarser network, not from both")
    if not isinstance(coarser, FCN) or coarser.skips != expected or not set(skips) <= coarser.body.keys():
        raise InputError(
            f"{network}: this is no network to go on from",
            expected="fcn16s" if expected else "fcn32s",
            found=f"an FCN with the skips {coarser.skips}" if isinstance(coarser, FCN) else type(coarser).__name__,
        )
    known: Any = twin(coarser)
    make = Maker(network, make.width, make.init, make.rng, coarser.dtype.name)
    finer = _assembled(known.body, skips, coarser.in_shape, coarser.classes, make, learn_upsampling)
    *kept, _ = known.head.items()  # the last enlargement is another one
    finer.head.update(kept)
    return finer


def _assembled(body, skips, in_shape, classes, make, learn_upsampling) -> FCN:
    """The network of this body, with scores that are zero."""
    if not (learn_upsampling is None or isinstance(learn_upsampling, bool)):
        raise InputError(
            f"{make.network}: learn_upsampling", expected="True, False or None", found=repr(learn_upsampling)
        )
    fields, widths = _walk(body)
    deepest = list(body)[-1]
    head: dict[str, Module] = {"score_fr": Conv2d(widths[deepest], classes, 1, init="zeros", dtype=make.dtype)}
    coarse = fields[deepest]
    for k, skip in enumerate(skips):
        name = "upscore2" if k == 0 else f"upscore_{skips[k - 1]}"
        head[name] = _upscore(classes, coarse, fields[skip], make.dtype)
        head[f"score_{skip}"] = Conv2d(widths[skip], classes, 1, init="zeros", dtype=make.dtype)
        coarse = fields[skip]
    last = f"upscore{coarse[0].stride}" if skips else "upscore"
    head[last] = _upscore(classes, coarse, (Field(), Field()), make.dtype)
    network = FCN(body, head, skips, in_shape)
    every = [name for name, layer in head.items() if isinstance(layer, Upscore)]
    fixed = {None: [last], True: [], False: every}[learn_upsampling]
    return network.freeze(*fixed) if fixed else network


def _walk(body) -> tuple[dict[str, tuple[Field, Field]], dict[str, int]]:
    """The fields (rows, columns) and the channels of what every layer puts out."""
    fields, widths = {}, {}
    field, width = (Field(), Field()), 0
    for name, layer in body.items():
        if isinstance(layer, (Conv2d, MaxPool2d)):
            window, stride = _pair(layer.window), _pair(layer.geometry["stride"] or layer.window)
            field = tuple(f.after(*along) for f, *along in zip(field, window, stride, strict=True))
            width = layer.out_channels if isinstance(layer, Conv2d) else width
        fields[name], widths[name] = field, width
    return fields, widths


def _upscore(classes, coarse, fine, dtype) -> Upscore:
    """The layer that leads from a map with one pair of fields to one with the other."""
    stride = coarse[0].stride // fine[0].stride
    window, before = [], []
    for far, near in zip(coarse, fine, strict=True):
        shift = (far.first - near.first) / near.stride
        # The middle of the window has to meet the unit: between two pixels if its place is, else on one.
        window.append(2 * stride - (shift == round(shift)))
        before.append(round((window[-1] - 1) / 2 - shift))
    return Upscore(classes, stride, window, before, dtype)


def _pad(layer) -> None:
    """Let a layer of `convolutional`, which is ours, make ceil(n / stride) of n."""
    (top, bottom), (left, right) = map(padding, _pair(layer.window))
    pads = top if top == bottom == left == right else (top, left, bottom, right)
    layer.geometry = {**layer.geometry, "padding": pads}
    if "ceil_mode" in layer.geometry:
        layer.geometry["ceil_mode"] = False


def _pair(value) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)
