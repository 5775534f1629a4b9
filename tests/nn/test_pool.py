"""Pooling layers against PyTorch."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from tests.nn.compare import agree

rng = np.random.default_rng(0)
GEOMETRIES = [
    {},
    {"window": 3, "stride": 2, "padding": 1},
    {"window": (2, 3), "stride": (1, 2)},
    {"window": 3, "stride": 2, "ceil_mode": True},
]


@pytest.mark.parametrize("options", [*GEOMETRIES, {"window": 2, "stride": 1, "dilation": 2}])
def test_max_pool_agrees_with_torch(torch, options):
    options = {"window": 2, **options}
    window, rest = options["window"], {k: v for k, v in options.items() if k != "window"}
    agree(torch, nn.MaxPool2d(**options), torch.nn.MaxPool2d(window, **rest), rng.normal(size=(2, 3, 6, 8)))


@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize("options", GEOMETRIES)
def test_avg_pool_agrees_with_torch(torch, options, count_include_pad):
    options = {"window": 2, **options, "count_include_pad": count_include_pad}
    window, rest = options["window"], {k: v for k, v in options.items() if k != "window"}
    agree(torch, nn.AvgPool2d(**options), torch.nn.AvgPool2d(window, **rest), rng.normal(size=(2, 3, 6, 8)))


def test_global_pools_agree_with_torch(torch):
    X = rng.normal(size=(2, 3, 4, 5))
    agree(torch, nn.GlobalAvgPool2d(), torch.nn.AdaptiveAvgPool2d(1), X)
    agree(torch, nn.GlobalMaxPool2d(), torch.nn.AdaptiveMaxPool2d(1), X)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: nn.MaxPool2d(0), "window is a positive integer"),
        (lambda: nn.MaxPool2d("2"), "window is a positive integer"),
        (lambda: nn.MaxPool2d(2, stride=-1), "stride must be at least 1"),
        (lambda: nn.AvgPool2d(2, padding=2), "wholly in the padding"),
        (lambda: nn.AvgPool2d(2, count_include_padding=True), "did you mean 'count_include_pad'"),
    ],
)
def test_complaints(make, match):
    with pytest.raises(sc.errors.InputError, match=match):
        make()


@pytest.mark.parametrize("layer", [nn.MaxPool2d(2), nn.AvgPool2d(2), nn.GlobalAvgPool2d(), nn.GlobalMaxPool2d()])
def test_what_is_no_image(layer):
    with pytest.raises(sc.errors.ShapeError, match="without a channel axis"):
        layer(sc.input("x", (None, 28, 28)))


def test_description():
    assert repr(nn.MaxPool2d(2)) == "MaxPool2d(2)"
    assert repr(nn.MaxPool2d((2, 3), stride=2, ceil_mode=True)) == "MaxPool2d((2, 3), stride=2, ceil_mode=True)"
    assert repr(nn.AvgPool2d(3, count_include_pad=True)) == "AvgPool2d(3, count_include_pad=True)"
    assert repr(nn.GlobalMaxPool2d()) == "GlobalMaxPool2d()"
