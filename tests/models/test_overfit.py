"""Every network, made small, learns 32 images by heart: the quickest sign that all its layers carry signal and gradient."""

import numpy as np
import pytest

import symcnn as sc

EXAMPLES, CLASSES = 32, 4

# The smallest images that each takes, or little more, and the options that make it small.
CLASSIFIERS = {
    "lenet": ((3, 16, 16), {"width": 0.2}),
    "cs231n_convnet": ((3, 8, 8), {"width": 0.25}),
    "alexnet": ((3, 63, 63), {"width": 1 / 12}),
    "zfnet": ((3, 63, 63), {"width": 1 / 24}),
    "vgg16": ((3, 32, 32), {"width": 1 / 8}),
    "vgg19": ((3, 32, 32), {"width": 1 / 8, "batch_norm": True}),
    "googlenet": ((3, 47, 47), {"width": 1 / 8}),
    "nin": ((3, 8, 8), {"width": 1 / 4}),
    "nin_imagenet": ((3, 55, 55), {"width": 1 / 8}),
    "resnet18": ((3, 32, 32), {"width": 1 / 16}),
    "resnet34": ((3, 32, 32), {"width": 1 / 16}),
    "resnet50": ((3, 32, 32), {"width": 1 / 16}),
}

# Two units of the finest map that is scored beside each other: the least image with a left and a right half.
SEGMENTERS = {"fcn_alexnet": (16, 16), "fcn32s": (16, 16), "fcn16s": (16, 32), "fcn8s": (8, 16)}


def classified(shape):
    """Noise about a colour per class."""
    rng, labels = np.random.default_rng(0), np.arange(EXAMPLES) % CLASSES
    colours = rng.normal(size=(CLASSES, shape[0], 1, 1))
    return colours[labels] + 0.5 * rng.normal(size=(EXAMPLES, *shape)), labels


def segmented(size):
    """Noise with one half brighter, whose pixels are class 1; square images are bright and class 1 as a whole, or not."""
    rng = np.random.default_rng(0)
    labels = np.zeros((EXAMPLES, *size), "int64")
    half = 0 if size[0] == size[1] else size[1] // 2
    labels[::2, :, half:] = 1
    labels[1::2, :, :half] = 1
    return 2 * labels[:, None] + 0.3 * rng.normal(size=(EXAMPLES, 3, *size)), labels


def learns(model, data, rate, **options):
    check = sc.train.overfit_check(
        model, data, EXAMPLES, steps=150, optimizer=sc.optim.Adam(rate), device="reference", **options
    )
    assert check, check
    assert check.losses[0] > 0.5, "there was something to learn"


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier(name):
    shape, options = CLASSIFIERS[name]
    learns(getattr(sc.models, name)(shape, CLASSES, **options), classified(shape), 0.003)


def test_perceptron():
    learns(sc.models.mlp([(3, 4, 4), 64, CLASSES]), classified((3, 4, 4)), 0.003)


def test_googlenet_with_its_heads():
    model = sc.models.googlenet((3, 79, 79), CLASSES, width=1 / 8, auxiliary=True)
    learns(model, classified((3, 79, 79)), 0.003, loss=sc.losses.with_auxiliary(sc.losses.cross_entropy, 0.3))


@pytest.mark.parametrize("name", SEGMENTERS)
def test_segmenter(name):
    options = {} if name == "fcn_alexnet" else {"batch_norm": True}
    model = getattr(sc.models, name)(classes=2, width=1 / 16, **options)
    learns(model, segmented(SEGMENTERS[name]), 0.01)


def test_every_network_is_here():
    assert {*CLASSIFIERS, *SEGMENTERS, "mlp"} == set(sc.models.__all__)
