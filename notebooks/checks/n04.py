"""Notebook 04, what the compiler does: kernels counted, and a formula that survives large numbers."""

import numpy as np

import symcnn as sc

from .compare import require, same


def exercise_2(counts):
    """How many kernels four programs become."""
    a, b, c = (sc.input(name, (None, None)) for name in "abc")
    product = a @ b
    programs = [
        ([a], sc.relu(a) * sc.sigmoid(a) + a),
        ([a, b], product * 2 + 1),
        ([a, b], product @ product),
        ([a, b, c], sc.relu(product) @ sc.relu(c)),
    ]
    given = np.asarray(counts, dtype="float64")
    require(given.shape == (4,), "Give four numbers, in the order of the programs.")
    right = [len(sc.function(operands, program).kernels) for operands, program in programs]
    wrong = [name for name, mine, count in zip("abcd", given, right, strict=True) if mine != count]
    require(not wrong, f"Think about {', '.join(wrong)} again: what must be finished before something else can start?")
    return "Equal expressions are computed once, and a ReLU rides only on what is made just before."


def exercise_3(log_cosh):
    """log cosh x, from 0 to where cosh overflows."""
    x = sc.input("x", (None,))
    expression = log_cosh(x)
    require(isinstance(expression, sc.Variable), "It should return an expression of x.")
    compute = sc.function([x], [expression, sc.grad(expression.sum(), x)], device="reference")
    points = np.array([0.0, 0.5, -0.5, 3.0, -3.0, 20.0])
    value, slope = compute(points)
    same(value, np.log(np.cosh(points)), "Not even for small x is this log cosh x.", tolerance=1e-5)
    far = np.array([1000.0, -1000.0])
    value_far, slope_far = compute(far)
    require(np.isfinite(value_far).all(), "It overflows for 1000 or for -1000.")
    same(value_far, np.abs(far) - np.log(2), "It is wrong for large x.", tolerance=1e-5)
    same(slope_far, np.sign(far), "The value is right, but its gradient is wrong for large x.", tolerance=1e-5)
    same(slope[1:], np.tanh(points[1:]), "The value is right, but its gradient is wrong.", tolerance=1e-4)
    return "And its gradient is tanh, which never exceeds 1: that is why outliers do not impress it."
