"""Notebook 05, gradient checking: a repaired gradient, and one by finite differences."""

import numpy as np

import symcnn as sc

from .compare import require, same


def exercise_2(backward):
    """The gradient of a network of two layers, by hand."""
    rng = np.random.default_rng(7)
    shapes = [(6, 5), (5,), (5, 3), (3,)]
    parameters = [rng.normal(size=shape) for shape in shapes]
    x, labels = rng.normal(size=(8, 6)), rng.integers(0, 3, 8)
    given = backward([p.copy() for p in parameters], x.copy(), labels.copy())
    require(
        isinstance(given, tuple | list) and len(given) == 4, "It should return four gradients: d_w1, d_b1, d_w2, d_b2."
    )
    for name, mine, right in zip(("w1", "b1", "w2", "b2"), given, _gradients(parameters, x, labels), strict=True):
        same(mine, right, f"The gradient of {name} disagrees with finite differences.", tolerance=1e-6)
    return "It agrees for all four parameters."


def _gradients(parameters, x, labels):
    w1, b1, w2, b2 = symbols = [sc.input(f"p{i}", p.shape, "float64") for i, p in enumerate(parameters)]
    loss = sc.losses.cross_entropy(sc.relu(sc.constant(x, "float64") @ w1 + b1) @ w2 + b2, sc.constant(labels))
    return sc.function(symbols, sc.grad(loss, symbols), device="reference")(*parameters)


def exercise_3(numeric_gradient):
    """Central differences in every coordinate, of functions that a difference to one side gets wrong."""
    x = np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]])
    before = x.copy()
    given = numeric_gradient(lambda z: float(np.sum(z**3 * [1.0, 2.0, 3.0])), x, 1e-2)
    require(given is not None and given is not ..., "It returns nothing yet.")
    require(np.array_equal(x, before), "It changes x; put every entry back, or work on a copy.")
    # The central difference of a cubic is 3 x^2 + h^2, the forward one has a term in h.
    same(given, (3 * before**2 + 1e-4) * [1.0, 2.0, 3.0], "These are not the central differences.", tolerance=1e-6)
    return "It also shows why nobody trains with it: count the evaluations."
