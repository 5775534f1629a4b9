"""Right and wrong answers to the exercises of notebook 04."""

import numpy as np

import symcnn as sc

LOG_2 = float(np.log(2))


def log_cosh(x, *, constant=LOG_2):
    return abs(x) + sc.softplus(-2 * abs(x)) - constant


RIGHT = {
    "04-2": [[1, 1, 2, 3], (1, 1, 2, 3.0)],
    "04-3": [log_cosh, lambda x: abs(x) + sc.log(1 + sc.exp(-2 * abs(x))) - LOG_2],
}
WRONG = {
    "04-2": [[1, 2, 2, 3], [1, 1, 3, 3], [1, 1, 2, 2], [1, 1, 2]],
    "04-3": [
        lambda x: sc.log(sc.cosh(x)),
        lambda x: sc.log((sc.exp(x) + sc.exp(-x)) / 2),
        lambda x: abs(x) - LOG_2,
        lambda x: log_cosh(x, constant=0.0),
        lambda x: np.log(2.0),
    ],
}
