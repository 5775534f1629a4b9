"""Notebook 02, define and compile: a density as an expression, and Newton's method."""

import numpy as np

import symcnn as sc

from .compare import require, same


def exercise_2(bell):
    """The normal density, and its derivative with respect to the mean."""
    x, mu, sigma = sc.input("x", (5,), "float64"), sc.input("mu", (), "float64"), sc.input("sigma", (), "float64")
    y = bell(x, mu, sigma)
    require(y is not None and y is not ..., "It returns nothing yet.")
    require(isinstance(y, sc.Variable), "It should return a Variable made from its arguments.")
    require(y.shape == (5,), "It should have a value for every x.")
    f = sc.function([x, mu, sigma], [y, sc.grad(y.sum(), mu)], device="reference")
    points = np.linspace(-2, 3, 5)
    for m, s in ((0.0, 1.0), (0.5, 2.0), (-1.0, 0.7)):
        right = np.exp(-(((points - m) / s) ** 2) / 2) / (s * np.sqrt(2 * np.pi))
        value, slope = f(points, m, s)
        same(value, right, "That is not the density; is its integral 1 for every sigma?")
        same(slope, (right * (points - m) / s**2).sum(), "The value is right and the gradient is not.")
    return "Its gradient is right as well, and you did not write it."


def exercise_3(newton):
    """A parabola needs one step; a cosh a few."""
    w = sc.input("w", (), "float64")
    for cost, steps, minimum in ((lambda w: 3 * (w - 2) ** 2 + 1, 1, 2.0), (lambda w: sc.cosh(w - 0.5), 5, 0.5)):
        better = newton(cost)(w)
        require(better is not None and better is not ..., "It returns nothing yet.")
        require(isinstance(better, sc.Variable), "It should return a function that returns a Variable.")
        step = sc.function([w], better, device="reference")
        value = 1.0
        for _ in range(steps):
            value = step(value)
        same(value, minimum, f"After {steps} step(s) from 1 it is not at the minimum.", tolerance=1e-6)
    return "One step for a parabola: a second derivative is worth many small steps."
