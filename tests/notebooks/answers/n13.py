"""Right and wrong answers to the exercises of notebook 13."""

import numpy as np


def relus(w, b, v, c):
    x = np.linspace(-3, 4, 71)
    return np.maximum(np.multiply.outer(x, w) + b, 0) @ v + c


RIGHT = {
    "13-2": [
        relus([1, 1, 1], [0, -1, -2], [1, -2, 1], 0),
        relus([0.5, 1, 1], [0, -1, -2], [2, -2, 1], 0),
        relus([-1, -1, -1], [0, 1, 2], [1, -2, 1], 0),
    ],
    "13-3": [500, 500.0],
}
WRONG = {
    "13-2": [
        relus([1, 1, 1], [0, -1, -2], [1, -2, 0], 0),
        relus([1, 1, 1], [0, -1, -2], [1, -1, 1], 0),
        relus([1, 1, 1], [0, -1, -2], [1, -2, 1], 0.1),
        [0.0, 1.0, 0.0],
    ],
    "13-3": [1000, 250, 501, 10],
}
