"""Notebook 01, neurons: exclusive or from three of them, and an activation that is capped."""

import numpy as np

import symcnn as sc

from .compare import require, same


def exercise_2(rows):
    """Two hidden neurons and one on top, each (w0, w1, b), with a step for activation."""
    require(np.shape(rows) == (3, 3), "Give three rows of three numbers: w0, w1, b.")
    first, second, top = np.asarray(rows, dtype="float64")
    for x0, x1 in ((0, 0), (0, 1), (1, 0), (1, 1)):
        hidden = [float(w0 * x0 + w1 * x1 + b > 0) for w0, w1, b in (first, second)]
        answer = top[0] * hidden[0] + top[1] * hidden[1] + top[2] > 0
        require(answer == (x0 != x1), f"For the inputs {x0} and {x1} the output is {int(answer)}.")
    return "Two cuts and a vote."


def exercise_3(capped):
    """Values and slopes of ReLU6 with leaks on both sides."""
    x = sc.input("x", (6,), "float64")
    y = capped(x)
    require(y is not None and y is not ..., "It returns nothing yet.")
    require(isinstance(y, sc.Variable) and y.shape == (6,), "It should return a Variable with a value for every x.")
    f = sc.function([x], [y, sc.grad(y.sum(), x)], device="reference")
    value, slope = f(np.array([-10.0, -1.0, 2.0, 5.0, 7.0, 26.0]))
    same(value[2:4], [2.0, 5.0], "Between 0 and 6 it should be the straight line.")
    same(slope, [0.1, 0.1, 1.0, 1.0, 0.1, 0.1], "The slope should be 0.1 outside of 0 and 6, and 1 between.")
    same(value, [-1.0, -0.1, 2.0, 5.0, 6.1, 8.0], "The slopes are right; does it jump somewhere?")
    return "symcnn has derived the slopes that were just checked."
