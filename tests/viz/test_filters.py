"""Filters as pictures: which weights are shown, and that their pixels are those weights."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

import symcnn as sc
from symcnn import nn
from symcnn.errors import InputError, ShapeError
from symcnn.viz.filters import filters

rng = np.random.default_rng(0)


def pictures(figure):
    """name -> pixels, decoded by somebody else."""
    tiles = re.findall(r'<g class="tile" data-name="([^"]*)".*?base64,([^"]*)"', figure.svg)
    return {name: np.asarray(Image.open(io.BytesIO(b64decode(data)))) for name, data in tiles}


def shade(weights):
    return (weights - weights.min()) / np.ptp(weights) * 255


def test_filters_of_three_channels_are_in_colour():
    weights = rng.normal(size=(5, 3, 4, 6))
    found = pictures(filters(weights))
    assert list(found) and len(found) == 5
    for k, one in enumerate(weights, start=1):
        np.testing.assert_allclose(found[f"filter {k}"], shade(one).transpose(1, 2, 0), atol=0.51)


def test_filters_of_one_channel_are_grey():
    weights = rng.normal(size=(20, 1, 5, 5))
    found = pictures(filters(weights))
    for k, one in enumerate(weights, start=1):
        np.testing.assert_allclose(found[f"filter {k}"], shade(one[0]), atol=0.51)


def test_other_filters_have_a_picture_per_channel_on_one_scale():
    weights = rng.normal(size=(2, 4, 3, 3))
    found = pictures(filters(weights))
    assert len(found) == 8
    np.testing.assert_allclose(found["filter 2, channel 3 of 4"], shade(weights[1])[2], atol=0.51)


def test_the_number_of_pictures_is_bounded():
    assert len(pictures(filters(rng.normal(size=(300, 1, 2, 2))))) == 256
    assert len(pictures(filters(rng.normal(size=(300, 40, 2, 2))))) == 256


def test_the_first_convolution_or_another():
    model = sc.models.cs231n_convnet((3, 8, 8), widths=(4,))
    first, second = (model.parameters()[f"conv1_{k}.weight"].get_value() for k in (1, 2))
    assert pictures(filters(model)).keys() == pictures(filters(first)).keys()
    np.testing.assert_array_equal(
        pictures(filters(model, "conv1_2"))["filter 4, channel 2 of 4"],
        pictures(filters(second))["filter 4, channel 2 of 4"],
    )
    assert filters(model).title == "4 filters of conv1_1"
    assert filters(nn.Conv2d(1, 2, 3, seed=0)).title == "2 filters of Conv2d"


def test_beside_those_before_training():
    model = sc.models.lenet(seed=1)
    other = sc.models.lenet(seed=2)
    before = other.parameters()["conv1.weight"].get_value()
    figure = filters(model, before=other)
    found = pictures(figure)
    assert len(found) == 40
    np.testing.assert_allclose(found["filter 7, before training"], shade(before[6, 0]), atol=0.51)
    assert figure.svg == filters(model, before=before).svg
    assert re.search(r"before training: 20 filters of 1×5×5, from -?\d", figure.text)


def test_weights_that_are_all_alike():
    assert "0 everywhere" in filters(np.zeros((2, 1, 3, 3))).text


def test_unusable_arguments():
    model = sc.models.lenet()
    with pytest.raises(InputError, match="no convolution 'conv3'") as error:
        filters(model, "conv3")
    assert "did you mean 'conv" in str(error.value)
    with pytest.raises(InputError, match="has no convolution"):
        filters(sc.models.mlp([3, 2]))
    with pytest.raises(ShapeError, match="before and after differ"):
        filters(model, before=np.zeros((3, 1, 5, 5)))
    with pytest.raises(ShapeError, match="no weights of a convolution"):
        filters(np.zeros((3, 5, 5)))
    for bad in ("conv1", None, [[1], [2, 3]], np.full((1, 1, 2, 2), np.inf)):
        with pytest.raises(InputError):
            filters(bad)
    with pytest.raises(InputError, match="path of a layer"):
        filters(np.zeros((3, 1, 5, 5)), "conv1")
