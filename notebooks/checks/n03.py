"""Notebook 03, backpropagation on a circuit: gradients by hand, and an engine that computes them."""

import numpy as np

import symcnn as sc

from .compare import require, same


def exercise_2(gradients):
    """The neuron with a squared error on top, whose gradient multiplies all the others."""
    w0, x0, w1, x1, w2 = 2.0, -1.0, -3.0, -2.0, -3.0
    f = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
    neuron = f * (1 - f) * np.array([x0, w0, x1, w1, 1.0])
    given = np.asarray(gradients, dtype="float64")
    if given.shape == neuron.shape:
        close = np.abs(given - neuron).max() < 0.01
        require(not close, "These are the gradients of the neuron itself; the fine is not in them yet.")
    same(given, 2 * f * neuron, "What does L grow by, if f grows by a little?", tolerance=0.015)
    return "The new gate has the local gradient 2 f, and everything before it is multiplied by that."


def exercise_3(Value):
    """The engine, on circuits with one gate, a fork, and a long way to go."""
    circuits = [
        ("a * b", lambda a, b: a * b),
        ("exp(a) + b", lambda a, b: _exp(a) + b),
        ("a * a + b", lambda a, b: a * a + b),
        ("c = exp(a * b), then c * c * a + c", lambda a, b: _forked(_exp(a * b), a)),
    ]
    for name, circuit in circuits:
        a, b = Value(0.7), Value(-1.3)
        output = circuit(a, b)
        require(isinstance(output, Value), f"{name} is not a Value.")
        output.backward()
        x, y = sc.input("a", (), "float64"), sc.input("b", (), "float64")
        cost = circuit(x, y)
        right = sc.function([x, y], [cost, *sc.grad(cost, [x, y])], device="reference")(0.7, -1.3)
        same(output.number, right[0], f"{name} has another value.")
        same([a.gradient, b.gradient], right[1:], f"The gradients of {name} are others.")
    return "It forks, it adds up, and it is the same algorithm as in every framework."


def _exp(v):
    return sc.exp(v) if isinstance(v, sc.Variable) else v.exp()


def _forked(c, a):
    return c * c * a + c
