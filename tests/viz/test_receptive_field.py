"""The receptive field of networks: known numbers, what the picture marks, and what cannot be asked."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from symcnn.errors import InputError
from symcnn.viz.receptive_field import IMAGE, MARGIN, TOP, receptive_field

LENET = sc.models.lenet()


def row(figure, layer) -> list[str]:
    """Cells of the table's line for that layer."""
    (line,) = (line for line in figure.text.splitlines() if line.startswith(f"{layer}  "))
    return re.split(r"\s{2,}", line)


@pytest.mark.parametrize(
    ("model", "layer", "size", "jump"),
    [  # from the literature: 195 for AlexNet's last pooling, 212 for that of VGG-16
        (sc.models.alexnet, "pool5", 195, 32),
        (sc.models.vgg16, "pool5", 212, 32),
        (sc.models.lenet, "conv2", 14, 2),
    ],
)
def test_known_networks(model, layer, size, jump):
    network = model() if model is sc.models.lenet else model(width=0.05)
    cells = row(receptive_field(network), layer)
    assert cells[3:5] == [f"{size} x {size}", f"{jump} x {jump}"]


def marked(svg) -> np.ndarray:
    """Pixels of a 28 x 28 image that the picture marks."""
    pixels = np.zeros((28, 28), bool)
    for rect in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect"):
        if rect.get("class") == "seen":
            x, y, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
            scale = 28 / IMAGE
            first = round((y - TOP) * scale), round((x - MARGIN) * scale)
            pixels[first[0] : first[0] + round(height * scale), first[1] : first[1] + round(width * scale)] = True
    return pixels


@pytest.mark.parametrize(("layer", "unit"), [("conv1", (0, 23)), ("pool1", (11, 0)), ("conv2", (3, 4))])
def test_the_picture_marks_what_the_formula_says(layer, unit):
    figure = receptive_field(LENET, layer, unit)
    size, jump = (int(cell.split(" x ")[0]) for cell in row(figure, layer)[3:5])
    expected = np.zeros((28, 28), bool)
    expected[unit[0] * jump : unit[0] * jump + size, unit[1] * jump : unit[1] * jump + size] = True
    np.testing.assert_array_equal(marked(figure.svg), expected)


def test_holes_of_dilation_are_not_marked():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, dilation=3), in_shape=(1, 28, 28))
    figure = receptive_field(model, unit=(1, 2))
    expected = np.zeros((28, 28), bool)
    expected[1:8:3, 2:9:3] = True
    np.testing.assert_array_equal(marked(figure.svg), expected)
    assert "with holes" in figure.text


def test_branches_join_in_the_largest():
    figure = receptive_field(sc.models.googlenet(width=0.1))
    branches = [int(row(figure, f"inception3a.{branch}.conv")[3].split(" x ")[0]) for branch in ("1x1", "3x3", "5x5")]
    assert all(a < b for a, b in pairwise(branches))
    assert row(figure, "inception3a")[3] == f"{branches[-1]} x {branches[-1]}"


def test_a_network_of_ones_own():
    class Twice(nn.Module):
        def __init__(self):
            self.conv = nn.Conv2d(2, 2, 3, padding=1)

        def forward(self, x, training):
            return sc.relu(self.conv(sc.relu(self.conv(x)))) + x

    figure = receptive_field(Twice(), in_shape=(2, 9, 9))
    assert row(figure, "conv")[3] == "3 x 3" and row(figure, "conv (2)")[3] == "5 x 5"
    assert row(figure, "output")[3] == "5 x 5"  # the sum with x


def test_it_fits_a_page_and_is_the_same_every_time():
    figure = receptive_field(sc.models.googlenet(width=0.1))
    assert len(figure.html()) < 250_000
    assert figure.html() == receptive_field(sc.models.googlenet(width=0.1)).html()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LENET, "conv3"), "did you mean 'conv"),
        ((LENET, "conv2", (8, 0)), "from 0 to 7"),
        ((LENET, "conv2", 3), "place of a unit"),
        ((nn.Sequential(nn.Conv2d(1, 1, 3)),), "in_shape=(3, 224, 224)"),
        ((sc.models.mlp([4, 3]),), "shape of an image"),
        ((nn.Sequential(nn.ReLU(), in_shape=(1, 4, 4)),), "no layer of this network"),
        ((np.zeros(3),), "takes a network"),
    ],
)
def test_what_cannot_be_shown(arguments, message):
    with pytest.raises(InputError) as caught:
        receptive_field(*arguments)
    assert message in str(caught.value)
