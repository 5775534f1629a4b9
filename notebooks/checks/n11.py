"""Notebook 11, architectures: the parameters of an inception block, and a dense layer as a convolution."""

import numpy as np

import symcnn as sc
from symcnn.models.googlenet import Inception

from .compare import require, same


def exercise_2(inception):
    """Parameters of a block, for the widths of the paper and for others."""
    for widths in [(192, 64, 96, 128, 16, 32, 32), (512, 160, 112, 224, 24, 64, 64), (3, 1, 2, 4, 5, 7, 11)]:
        given = inception(*widths)
        require(given is not None and given is not ..., "It returns nothing yet.")
        right = Inception(*widths, init="zeros").parameters().count
        same(given, right, f"Not the number for {widths}. Six convolutions, each with biases.", tolerance=1e-9)
    return "Six convolutions, and the pooling has none."


def exercise_3(as_convolution):
    """The weight of a convolution that computes what the dense layer does, tried on random maps."""
    rng = np.random.default_rng(11)
    channels, height, width, outputs = 3, 4, 5, 2
    weight = rng.normal(size=(channels * height * width, outputs))
    given = as_convolution(weight.copy(), channels, height, width)
    require(given is not None and given is not ..., "It returns nothing yet.")
    kernel = np.asarray(given, dtype="float64")
    expected = (outputs, channels, height, width)
    require(kernel.shape == expected, f"The weight should be of shape {expected}, not {kernel.shape}.")
    maps = rng.normal(size=(6, channels, height, width))
    x = sc.input("x", maps.shape, "float64")
    computed = sc.function([x], sc.conv2d(x, sc.constant(kernel)), device="reference")(maps)
    same(computed[:, :, 0, 0], maps.reshape(6, -1) @ weight, "It computes something else.", tolerance=1e-9)
    return "The same numbers, and now it slides."
