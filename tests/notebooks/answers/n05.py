"""Right and wrong answers to the exercises of notebook 05."""

import numpy as np


def backward(parameters, x, labels, *, bias=np.sum, mask=True, divide=True):
    w1, b1, w2, b2 = parameters
    hidden = np.maximum(x @ w1 + b1, 0)
    probability = np.exp(hidden @ w2 + b2)
    d_scores = probability / probability.sum(axis=1, keepdims=True)
    d_scores[np.arange(len(labels)), labels] -= 1
    if divide:
        d_scores = d_scores / len(labels)
    d_hidden = d_scores @ w2.T
    if mask:
        d_hidden = d_hidden * (hidden > 0)
    return x.T @ d_hidden, bias(d_hidden, axis=0), hidden.T @ d_scores, d_scores.sum(axis=0)


def numeric_gradient(f, x, h=1e-5, *, to_the_left=1.0):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = h
        gradient[index] = (f(x + step) - f(x - to_the_left * step)) / ((1 + to_the_left) * h)
    return gradient


def that_changes_its_operand(f, x, h=1e-5):
    result = numeric_gradient(f, x, h)
    x += h
    return result


RIGHT = {"05-2": [backward], "05-3": [numeric_gradient]}
WRONG = {
    "05-2": [
        lambda *operands: backward(*operands, bias=np.mean),
        lambda *operands: backward(*operands, mask=False),
        lambda *operands: backward(*operands, divide=False),
        lambda *operands: backward(*operands)[:3],
        lambda *operands: ...,
    ],
    "05-3": [
        lambda f, x, h: numeric_gradient(f, x, h, to_the_left=0.0),
        lambda f, x, h: numeric_gradient(f, x, h).T,
        that_changes_its_operand,
        lambda f, x, h: ...,
    ],
}
