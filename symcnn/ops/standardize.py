"""Values shifted and scaled to mean 0 and variance 1: what every normalisation by its own statistics is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import ShapeError
from symcnn.ir.op import Example, Op
from symcnn.ir.types import shape_text
from symcnn.ir.variable import Variable, apply
from symcnn.ops.elementwise import cast, sqrt
from symcnn.ops.reduce import sum
from symcnn.ops.shape import expand_dims
from symcnn.ops.statistics import count, mean, var


@dataclass(frozen=True)
class Standardize(Op):
    r"""``out = (x - mean) / sqrt(variance + epsilon)``, mean and (biased) variance over `axes`; or that times gamma plus
    beta, two operands of size 1 along `axes` and the size of x along the others.

    It is a composition. But differentiated step by step, mean and variance bring terms of their own that cancel in the
    end, and each is a pass over an image; written down at once the gradient is

    .. math:: \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} \left(g - \overline{g} - \hat x\,\overline{g \hat x}\right)

    with two sums that one pass finds, and which are the gradients of beta and gamma (Ioffe and Szegedy 2015, section 3).
    """

    axes: tuple[int, ...]
    epsilon: float

    examples = (
        Example(((4, 3, 2, 2),), {"axes": (0, 2, 3), "epsilon": 1e-5}),
        Example(((4, 3, 2, 2), (1, 3, 1, 1), (1, 3, 1, 1)), {"axes": (0, 2, 3), "epsilon": 1e-3}),
        Example(((3, 5),), {"axes": (1,), "epsilon": 1e-2}),
        Example(((3, 5), (3, 1), (3, 1)), {"axes": (1,), "epsilon": 1e-2}),
        Example(((2, 3, 4),), {"axes": (2,), "epsilon": 1e-5}),
        Example(((2, 3),), {"axes": (), "epsilon": 1.0}),
        Example(((0, 3),), {"axes": (1,), "epsilon": 1e-5}),
        Example(((1, 4), (1, 4), (1, 4)), {"axes": (0,), "epsilon": 1e-5}),
    )

    def infer(self, x, *affine):
        expected = tuple(1 if k in self.axes else d for k, d in enumerate(x.shape))
        for given in affine:
            if given.ndim != x.ndim or any(
                None not in (a, b) and a != b for a, b in zip(given.shape, expected, strict=True)
            ):
                raise ShapeError(
                    "scale and shift vary along the other axes only",
                    expected=shape_text(expected),
                    found=shape_text(given.shape),
                )
        return x

    def reference(self, x, gamma=1, beta=0):
        size = np.array(max(np.prod([x.shape[k] for k in self.axes], dtype=int), 1), x.dtype)
        deviation = x - x.sum(self.axes, keepdims=True) / size
        variance = np.square(deviation).sum(self.axes, keepdims=True) / size
        return deviation / np.sqrt(variance + x.dtype.type(self.epsilon)) * gamma + beta

    def pullback(self, inputs, output, cotangent):
        x, *affine = inputs
        standard, scale = apply(self, x), self._scale(x)
        sums = sum(cotangent, self.axes), sum(cotangent * standard, self.axes)
        total, along = (expand_dims(s / count(x, self.axes), self.axes) for s in sums)
        to_x = scale * (cotangent - total - standard * along)
        to_beta, to_gamma = (expand_dims(s, self.axes) for s in sums)
        return (to_x * affine[0], to_gamma, to_beta) if affine else (to_x,)

    def expand(self, x, *affine):
        standard = (x - mean(x, self.axes, keepdims=True)) * self._scale(x)
        return standard * affine[0] + affine[1] if affine else standard

    def _scale(self, x):
        return 1 / sqrt(var(x, self.axes, keepdims=True) + self.epsilon)

    def flops(self, output, x, *affine):
        return (6 + len(affine)) * x.size


def standardize(x: Variable, axes, epsilon, *affine: Variable) -> Variable:
    """`x` with mean 0 and variance 1 over `axes`; then times the first of `affine` plus the second, if given."""
    dtype = np.result_type(*(v.dtype for v in (x, *affine)))
    return apply(Standardize(tuple(axes), float(epsilon)), *(cast(v, dtype) for v in (x, *affine)))
