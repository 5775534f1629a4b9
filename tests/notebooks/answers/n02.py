"""Right and wrong answers to the exercises of notebook 02."""

import numpy as np

import symcnn as sc


def bell(x, mu, sigma):
    return sc.exp(-(((x - mu) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))


def newton(cost):
    def better(w):
        slope = sc.grad(cost(w), w)
        return w - slope / sc.grad(slope, w)

    return better


RIGHT = {"02-2": [bell], "02-3": [newton]}
WRONG = {
    "02-2": [
        lambda x, mu, sigma: ...,
        lambda x, mu, sigma: bell(x, mu, sigma).sum(),
        lambda x, mu, sigma: bell(x, mu, 1.0),
        lambda x, mu, sigma: bell(x, mu, sigma) * sigma,
        lambda x, mu, sigma: bell(x, sc.stop_gradient(mu), sigma) + 0 * mu,
    ],
    "02-3": [
        lambda cost: lambda w: ...,
        lambda cost: lambda w: w - sc.grad(cost(w), w),
        lambda cost: lambda w: 2 * w - newton(cost)(w),
    ],
}
