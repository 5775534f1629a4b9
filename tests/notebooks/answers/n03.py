"""Right and wrong answers to the exercises of notebook 03."""

import numpy as np


def engine(*, swaps=True, keeps_exp=True, adds_up=True, in_order=True, walks=True):
    """The engine of exercise 3, or one with a mistake."""

    class Value:
        def __init__(self, number, made_of=()):
            self.number, self.made_of, self.gradient = number, made_of, 0.0

        def __add__(self, other):
            return Value(self.number + other.number, [(self, 1.0), (other, 1.0)])

        def __mul__(self, other):
            local = (other.number, self.number) if swaps else (self.number, other.number)
            return Value(self.number * other.number, [(self, local[0]), (other, local[1])])

        def exp(self):
            output = np.exp(self.number)
            return Value(output, [(self, output if keeps_exp else self.number)])

        def order(self, seen=None):
            seen = {} if seen is None else seen
            for operand, _ in self.made_of:
                if operand not in seen:
                    operand.order(seen)
            seen[self] = None
            return list(seen)

        def backward(self):
            self.gradient = 1.0
            order = self.order() if walks else []
            for value in reversed(order) if in_order else order:
                for operand, local in value.made_of:
                    downstream = local * value.gradient
                    operand.gradient = operand.gradient + downstream if adds_up else downstream

    return Value


RIGHT = {"03-2": [[-0.2875, 0.575, -0.575, -0.8625, 0.2875], (-0.29, 0.57, -0.57, -0.86, 0.29)], "03-3": [engine()]}
WRONG = {
    "03-2": [
        [-0.20, 0.39, -0.39, -0.59, 0.20],
        [0.2875, 0.575, -0.575, -0.8625, 0.2875],
        [-0.2875, 0.575],
        np.ones(5),
    ],
    "03-3": [
        engine(swaps=False),
        engine(keeps_exp=False),
        engine(adds_up=False),
        engine(in_order=False),
        engine(walks=False),
    ],
}
