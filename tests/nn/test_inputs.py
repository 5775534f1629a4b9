"""What layers say of inputs in a wrong order or of a wrong rank."""

import pytest

import symcnn as sc
from symcnn import nn


@pytest.mark.parametrize(
    ("layer", "shape", "hint"),
    [
        (
            nn.Conv2d(3, 4, 1),
            (None, 32, 30, 3),
            "these look like (n, height, width, channels); sc.data.to_nchw converts them",
        ),
        (
            nn.BatchNorm(3),
            (None, 32, 30, 3),
            "these look like (n, height, width, channels); sc.data.to_nchw converts them",
        ),
        (nn.PReLU(1), (None, 32, 30, 3), "fits"),
        (nn.Conv2d(1, 4, 1), (None, 28, 28), "these have no channel axis; images[:, None] adds it"),
        (nn.Conv2d(1, 4, 1), (None, 3, 28, 28), "these are coloured; sc.data.to_gray makes them gray"),
        (nn.Conv2d(1, 4, 1), (None, 784), "sc.nn.Reshape makes images (channels, height, width) of rows"),
        (nn.BatchNorm(3), (None, 784), None),
        (nn.Conv2d(8, 4, 1), (None, 7, 28, 28), None),
        (nn.MaxPool2d(2), (None, 28, 28), "images without a channel axis: images[:, None] adds it"),
        (nn.MaxPool2d(2), (None, 2, 3, 28, 28), None),
    ],
)
def test_hints(layer, shape, hint):
    if hint == "fits":
        layer(sc.input("x", shape))
        return
    with pytest.raises(sc.errors.ShapeError) as error:
        layer(sc.input("x", shape))
    assert error.value.hint == hint


def test_unknown_sizes_are_no_mistake():
    assert nn.Conv2d(3, 4, 1)(sc.input("x", (None, None, None, None))).shape == (None, 4, None, None)
    assert nn.Residual(nn.Conv2d(3, 4, 1))(sc.input("x", (None, None, 5, 5))).shape == (None, 4, 5, 5)
