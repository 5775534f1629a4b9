"""Convolutional layers against PyTorch, with odd geometries, and what they say of images that do not fit."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from tests.nn.compare import agree, randomize

rng = np.random.default_rng(0)
RENAMED = {"window": "kernel_size"}


def twin(kind, **options):
    return kind(**{RENAMED.get(name, name): value for name, value in options.items()})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2, "padding": 1},
        {"stride": (1, 3), "padding": (0, 2), "window": (2, 3)},
        {"padding": "same", "window": 3, "dilation": (2, 1)},
        {"groups": 2, "bias": False},
        {"groups": 4, "dilation": 2},
    ],
)
def test_conv2d_agrees_with_torch(torch, options, dtype):
    options = {"window": 3, **options}
    layer = randomize(nn.Conv2d(4, 8, **options, dtype=dtype), rng)
    theirs = twin(torch.nn.Conv2d, in_channels=4, out_channels=8, **options)
    agree(torch, layer, theirs, rng.normal(size=(2, 4, 7, 8)))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2, "padding": 1, "output_padding": 1},
        {"stride": (2, 3), "window": (4, 3), "output_padding": (0, 2)},
        {"groups": 2, "bias": False, "stride": 2},
        {"dilation": 2, "padding": 2},
    ],
)
def test_transposed_convolution_agrees_with_torch(torch, options):
    options = {"window": 3, **options}
    layer = randomize(nn.ConvTranspose2d(4, 6, **options, dtype="float64"), rng)
    theirs = twin(torch.nn.ConvTranspose2d, in_channels=4, out_channels=6, **options)
    agree(torch, layer, theirs, rng.normal(size=(2, 4, 3, 4)))
    assert layer.weight.shape == (4, 6 // options.get("groups", 1), *layer.window)


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_depthwise_convolution_agrees_with_torch(torch, multiplier, device):
    layer = randomize(nn.DepthwiseConv2d(4, 3, stride=2, padding=1, multiplier=multiplier), rng)
    theirs = torch.nn.Conv2d(4, 4 * multiplier, 3, stride=2, padding=1, groups=4)
    agree(torch, layer, theirs, rng.normal(size=(2, 4, 7, 8)), device=device)


@pytest.mark.parametrize("bias", [True, False])
def test_separable_convolution_agrees_with_torch(torch, bias):
    layer = randomize(nn.SeparableConv2d(3, 5, (3, 2), padding=1, multiplier=2, bias=bias, dtype="float64"), rng)
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, (3, 2), padding=1, groups=3, bias=False), torch.nn.Conv2d(6, 5, 1, bias=bias)
    )
    agree(torch, layer, theirs, rng.normal(size=(2, 3, 5, 5)))
    assert layer.parameters().keys()[:2] == ["depthwise.weight", "pointwise.weight"]


def test_depthwise_filters_keep_the_variance_of_many_channels():
    layer, X = nn.DepthwiseConv2d(64, 3, seed=0), rng.normal(size=(4, 64, 9, 9))
    assert 1.5 < layer.predict(X, device="reference").var() < 2.5  # He: twice that of the input, for the ReLU after it


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: nn.Conv2d(1, 2, 3, strides=2), "did you mean 'stride'"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups must divide"),
        (lambda: nn.ConvTranspose2d(4, 3, 3, groups=2), "groups must divide"),
        (lambda: nn.Conv2d(3, 4, 0), "window is a positive integer"),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), "window is a positive integer"),
        (lambda: nn.Conv2d(3, 4, 3, stride=0), "stride must be at least 1"),
        (lambda: nn.Conv2d(3, 4, 3, padding="full"), "'same', 'valid'"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, stride=2, output_padding=2), "less than the stride"),
        (lambda: nn.DepthwiseConv2d(3, 3, multiplier=0), "multiplier is a positive integer"),
        (lambda: nn.SeparableConv2d(3, "4", 3), "out_channels is a positive integer"),
    ],
)
def test_complaints(make, match):
    with pytest.raises(sc.errors.InputError, match=match):
        make()


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((None, 32, 32, 3), r"look like \(n, height, width, channels\)"),
        ((None, 32, 32), r"one image \(3, height, width\) needs a batch axis"),
        ((None, 3072), "Reshape"),
        ((None, 4, 32, 32), None),
    ],
)
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_other_images(kind, shape, hint):
    with pytest.raises(sc.errors.ShapeError, match="takes other images") as error:
        kind(3, 8, 3)(sc.input("x", shape))
    assert error.value.expected == "(n, 3, height, width)"
    if hint is None:
        assert error.value.hint is None
    else:
        assert error.match(hint)


def test_gray_images_without_or_with_too_many_channels():
    layer = nn.Conv2d(1, 8, 3)
    for shape, hint in {(None, 28, 28): "adds it", (None, 3, 28, 28): "to_gray", (None, 28, 28, 1): "to_nchw"}.items():
        with pytest.raises(sc.errors.ShapeError, match=hint):
            layer(sc.input("x", shape))


def test_description():
    assert repr(nn.Conv2d(3, 8, 5)) == "Conv2d(3, 8, 5x5)"
    assert repr(nn.Conv2d(3, 8, (1, 5), stride=2, bias=False)) == "Conv2d(3, 8, 1x5, stride=2, bias=False)"
    assert repr(nn.DepthwiseConv2d(8, 3, padding=1)) == "DepthwiseConv2d(8, 3x3, padding=1)"
    assert repr(nn.SeparableConv2d(8, 4, 3, multiplier=2)) == "SeparableConv2d(8, 4, 3x3, multiplier=2)"
    assert repr(nn.ConvTranspose2d(8, 4, 4, stride=2)) == "ConvTranspose2d(8, 4, 4x4, stride=2)"
