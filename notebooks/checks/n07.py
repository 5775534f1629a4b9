"""Notebook 07, pooling and shapes: parameters counted, receptive fields found by gradients, maxima that overlap."""

import numpy as np

import symcnn as sc

from .compare import require, same


def exercise_2(parameters):
    """How many numbers a convolution learns."""
    for channels, filters, window, groups in [
        (3, 96, 11, 1),
        (96, 256, 5, 2),
        (6, 6, 3, 6),
        (1, 1, 1, 1),
        (8, 12, 7, 4),
    ]:
        layer = sc.nn.Conv2d(channels, filters, window, groups=groups, init="zeros")
        given = parameters(channels, filters, window, groups)
        what = f"{filters} filters of {window} x {window} on {channels} channels in {groups} group{'s' * (groups > 1)}"
        same(given, layer.parameters().count, f"For {what} it is another number.", tolerance=1e-9)
    return "34,944 is one of them."


def exercise_3(field):
    """Pixels across, against the gradient of one unit."""
    for layers in (
        [(3, 1)],
        [(3, 1)] * 3,
        [(2, 2), (3, 1)],
        [(5, 1), (2, 2), (5, 1), (2, 2)],
        [(7, 3), (3, 2), (2, 1)],
    ):
        same(field(list(layers)), _seen(layers), f"For {layers} it is another number of pixels.", tolerance=1e-9)
    return "The gradient agrees every time."


def exercise_4(gradients):
    """Max pooling with windows that overlap."""
    require(isinstance(gradients, tuple | list) and len(gradients) == 2, "Give two arrays of 3 x 3.")
    x = sc.input("x", (3, 3), "float64")
    cost = (sc.max_pool2d(x[None, None], 2, stride=1)[0, 0] * np.array([[1.0, 2.0], [3.0, 4.0]])).sum()
    compute = sc.function([x], sc.grad(cost, x), device="reference")
    for middle, mine in zip((9.0, 1.0), gradients, strict=True):
        image = np.array([[1.0, 2.0, 0.0], [3.0, middle, 4.0], [5.0, 0.0, 6.0]])
        hint = f"With {middle:.0f} in the middle it is another. Which pixel wins each of the four windows?"
        same(mine, compute(image), hint)
    return "A winner of several windows is paid several times."


def _seen(layers) -> int:
    """Pixels of a line that have an influence on one unit, all weights being 1."""
    length = 200
    x = y = sc.input("x", (1, 1, 1, length), "float64")
    for window, stride in layers:
        y = sc.conv2d(y, sc.constant(np.ones((1, 1, 1, window))), stride=(1, stride))
    unit = y[0, 0, 0, y.shape[3] // 2]
    _, gradient = sc.function([x], [unit, sc.grad(unit, x)], device="reference")(np.zeros(x.shape))
    return int(np.count_nonzero(gradient))
