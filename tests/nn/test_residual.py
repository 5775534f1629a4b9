"""Residual blocks against PyTorch, and what does not add up."""

import numpy as np
import pytest

import symcnn as sc
from symcnn import nn
from tests.nn.compare import agree, randomize

rng = np.random.default_rng(0)


def test_with_the_identity(torch):
    class Twin(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = torch.nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return x + self.body(x)

    layer = randomize(nn.Residual(nn.Conv2d(3, 3, 3, padding=1, dtype="float64")), rng)
    agree(torch, layer, Twin(), rng.normal(size=(2, 3, 5, 5)))
    assert layer.parameters().keys() == ["body.weight", "body.bias"]


def test_with_a_projection(torch):
    class Twin(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = torch.nn.Conv2d(3, 4, 3, stride=2, padding=1)
            self.shortcut = torch.nn.Conv2d(3, 4, 1, stride=2, bias=False)

        def forward(self, x):
            return self.shortcut(x) + self.body(x)

    body = nn.Conv2d(3, 4, 3, stride=2, padding=1, dtype="float64")
    shortcut = nn.Conv2d(3, 4, 1, stride=2, bias=False, dtype="float64")
    layer = randomize(nn.Residual(body, shortcut=shortcut), rng)
    agree(torch, layer, Twin(), rng.normal(size=(2, 3, 6, 6)))


def test_training_reaches_both_ways():
    x = sc.input("x", (None, 3))
    layer = nn.Residual(nn.Dropout(0.5, seed=0), shortcut=nn.Dropout(0.5, seed=1))
    assert layer(x) is x + x
    value = sc.function([x], layer(x, training=True), device="reference")(np.ones((50, 3)))
    assert set(np.unique(value)) == {0, 2, 4}


@pytest.mark.parametrize("body", [nn.Conv2d(1, 3, 3), nn.Conv2d(1, 8, 1), nn.Flatten()])
def test_nothing_is_broadcast(body):
    with pytest.raises(sc.errors.ShapeError, match=r"one shape(.|\n)*shortcut"):
        nn.Residual(body)(sc.input("x", (None, 1, 5, 5)))


def test_parts_are_layers():
    with pytest.raises(sc.errors.InputError, match="body is no layer"):
        nn.Residual(sc.relu)
    with pytest.raises(sc.errors.InputError, match="shortcut is no layer"):
        nn.Residual(nn.ReLU(), shortcut=0)
