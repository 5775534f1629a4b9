"""Right and wrong answers to the exercises of notebook 06."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def columns(x, k, *, axes=(0, 3, 4, 1, 2)):
    windows = sliding_window_view(x, (k, k), axis=(1, 2))
    return windows.transpose(axes).reshape(len(x) * k * k, -1)


def input_gradient(dy, w, *, turn=True):
    k = w.shape[2]
    padded = np.pad(dy, ((0, 0), (k - 1, k - 1), (k - 1, k - 1)))
    windows = sliding_window_view(padded, (k, k), axis=(1, 2))
    return np.einsum("frcij,fdij->drc", windows, w[:, :, ::-1, ::-1] if turn else w)


X, W, UPSTREAM = np.array([1.0, -2.0, 0.0, 3.0]), np.array([0.5, 1.0, -1.0, 2.0]), 5.0

RIGHT = {
    "06-2": [(UPSTREAM * W, UPSTREAM * X, UPSTREAM), [[2.5, 5, -5, 10], [5, -10, 0, 15], 5]],
    "06-3": [columns],
    "06-4": [input_gradient],
}
WRONG = {
    "06-2": [(W, X, 1.0), (UPSTREAM * X, UPSTREAM * W, UPSTREAM), (UPSTREAM * W, UPSTREAM * X), (..., ..., ...)],
    "06-3": [
        lambda x, k: columns(x, k, axes=(0, 4, 3, 1, 2)),
        lambda x, k: columns(x, k).T,
        lambda x, k: columns(x, k)[:, ::-1],
        lambda x, k: ...,
    ],
    "06-4": [
        lambda dy, w: input_gradient(dy, w, turn=False),
        lambda dy, w: input_gradient(dy, w)[:, 1:-1, 1:-1],
        lambda dy, w: ...,
    ],
}
