"""Notebook 06, convolution: the quiz, a convolution as a matrix product, and the gradient of an image."""

import numpy as np

import symcnn as sc

from .compare import require, same

KNOWN = [((1, 5, 5), (1, 1, 3, 3)), ((2, 4, 6), (3, 2, 2, 2)), ((3, 8, 7), (2, 3, 5, 5))]


def exercise_2(gradients):
    """A unit, a ReLU and a squared error."""
    require(isinstance(gradients, tuple | list) and len(gradients) == 3, "Give three gradients: d_x, d_w, d_b.")
    x, w, b = np.array([1.0, -2.0, 0.0, 3.0]), np.array([0.5, 1.0, -1.0, 2.0]), -1.0
    upstream = 2 * (max(x @ w + b, 0) - 1)
    for name, mine, right in zip(("dL/dx", "dL/dw", "dL/db"), gradients, (w, x, 1.0), strict=True):
        same(mine, upstream * np.asarray(right), f"{name} is another. First find dL/df: it multiplies everything.")
    return "One upstream gradient, and the three answers of the quiz."


def exercise_3(columns):
    """All windows side by side."""
    for image, filters in KNOWN:
        x, w = _numbers(image), _numbers(filters)
        found = columns(x.copy(), filters[2])
        require(found is not None and found is not ..., "It returns nothing yet.")
        given = np.asarray(found, dtype="float64")
        y = _convolved(x, w)
        expected = (w[0].size, y[0].size)
        require(given.shape == expected, f"For x {image} and k = {filters[2]} it should have the shape {expected}.")
        same(w.reshape(len(w), -1) @ given, y.reshape(len(w), -1), "The shape is right, but the order is not.")
    return "This is im2col; it trades memory for speed."


def exercise_4(input_gradient):
    """The gradient of sum(y dy) with respect to the image."""
    for image, filters in KNOWN:
        w = _numbers(filters)
        x = sc.input("x", image, "float64")
        y = sc.conv2d(x[None], sc.constant(w))[0]
        dy = _numbers(y.shape)
        right = sc.function([x], sc.grad((y * dy).sum(), x), device="reference", on_unused_input="ignore")(
            np.zeros(image)
        )
        same(input_gradient(dy.copy(), w.copy()), right, f"For filters {filters} it disagrees with sc.grad.")
    return "Forward and backward are the same machine."


def _numbers(shape):
    return np.random.default_rng(len(shape)).normal(size=shape)


def _convolved(x, w):
    return sc.function([], sc.conv2d(sc.constant(x[None]), sc.constant(w))[0], device="reference")()
