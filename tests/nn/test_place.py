"""An error names the layer that it comes from, by its path in the outermost network, and what came to it."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn


def test_images_too_small_for_a_pool_inside():
    model = nn.Sequential(conv=nn.Conv2d(3, 4, 3), stages=nn.Sequential(pool=nn.MaxPool2d(2), last=nn.MaxPool2d(4)))
    with pytest.raises(sc.errors.ShapeError) as error:
        model.predict(np.zeros((2, 3, 8, 9)), device="reference")
    assert str(error.value.layer) == "stages.last, MaxPool2d of (n, 4, 3, 3)"
    assert "at least 4 rows" in error.value.expected and error.value.found.startswith("3 rows")
    assert "layer:    stages.last, MaxPool2d of (n, 4, 3, 3)" in str(error.value)


def test_the_order_of_axes_at_the_first_layer():
    model = nn.Sequential(features=nn.Sequential(conv1=nn.Conv2d(3, 4, 3)))
    with pytest.raises(sc.errors.ShapeError, match=r"features\.conv1, Conv2d of \(n, 32, 32, 3\)(.|\n)*to_nchw"):
        model.predict(np.zeros((2, 32, 32, 3)), device="reference")


def test_a_layer_alone_has_no_path():
    with pytest.raises(sc.errors.ShapeError) as error:
        nn.Dense(3, 2)(sc.input("x", (None, 4)))
    assert str(error.value.layer) == "Dense of (n, 4)"


def test_layers_in_lists():
    class Net(nn.Module):
        def __init__(self):
            self.blocks = [nn.Dense(2, 3), nn.Dense(2, 3)]

        def forward(self, x, training):
            for block in self.blocks:
                x = block(x, training)
            return x

    with pytest.raises(sc.errors.ShapeError) as error:
        nn.Sequential(net=Net())(sc.input("x", (None, 2)))
    assert str(error.value.layer) == "net.blocks.1, Dense of (n, 3)"


def test_errors_elsewhere_have_no_layer():
    assert sc.errors.ShapeError("x").layer is None and "layer:" not in str(sc.errors.ShapeError("x"))


@pytest.mark.parametrize("given", [np.zeros((2, 3), "float32"), [[1.0, 2.0, 3.0]], 3])
def test_arrays_are_for_predict(given):
    with pytest.raises(sc.errors.InputError, match="predict"):
        nn.Dense(3, 2)(given)
