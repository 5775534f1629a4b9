"""Local response normalisation: a sum over neighbouring channels, and what is composed from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.loops import select, within
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.elementwise import power
from symcnn.ops.normalize import check_channels, float_image


@dataclass(frozen=True)
class ChannelWindowSum(Op):
    """``y[n, c, ...]``: the sum of x over the channels from ``c - before`` to ``c + after`` that exist.

    Its adjoint is the same op, mirrored.
    """

    before: int
    after: int

    window_axis = 1

    images = (0,)
    examples = (
        Example(((2, 6, 2, 3),), {"before": 2, "after": 2}),
        Example(((1, 5, 2),), {"before": 1, "after": 2}),
        Example(((2, 2, 1, 1),), {"before": 3, "after": 3}),
        Example(((3, 4),), {"before": 0, "after": 0}),
        Example(((0, 4, 2),), {"before": 1, "after": 1}),
    )

    def infer(self, x):
        if x.ndim < 2:
            raise ShapeError("there is no channel axis", expected="(N, C, ...)", found=str(x))
        if not x.is_float:
            raise DTypeError("activations are float", found=str(x))
        return x

    def reference(self, x):
        channels = x.shape[1]
        windows = [x[:, max(c - self.before, 0) : c + self.after + 1].sum(axis=1) for c in range(channels)]
        return np.stack(windows, axis=1) if channels else x

    def pullback(self, inputs, output, cotangent):
        return (apply(ChannelWindowSum(self.after, self.before), cotangent),)

    def nest(self, result, x):
        n, c, *rest = result.index

        def term(k):
            channel = c + k - self.before
            return select(within((channel, 0, x.shape[1])), x[(n, channel, *rest)], 0)

        return result.fold("sum", (self.before + 1 + self.after,), term, result.dtype)

    def flops(self, output, *types):
        return (output.size or 0) * (self.before + 1 + self.after)


@builder("lrn")
def lrn(x, size, alpha=1e-4, beta=0.75, k=1.0) -> Variable:
    r"""Local response normalisation: every activation is damped by those of the channels around it.

    .. math:: y_c = x_c \Big/ \Big(k + \frac{\alpha}{size} \sum_{c'} x_{c'}^2\Big)^{\beta}

    over the channels from c - floor((size - 1) / 2) to c + ceil((size - 1) / 2) that exist.

    Parameters
    ----------
    x : (N, C, ...)
    size : int
        Number of channels summed over.
    alpha, beta, k : float

    Returns
    -------
    Variable
        The shape of x.

    Raises
    ------
    ShapeError
        If x has no channels.
    InputError
        If size is not a positive integer.

    Notes
    -----
    ONNX ``LRN``. Krizhevsky, Sutskever and Hinton, *ImageNet classification with deep convolutional neural networks* (2012),
    where alpha is not divided by size.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.lrn(sc.input("x", (None, 96, 55, 55)), size=5).shape
    (None, 96, 55, 55)
    """
    x = float_image(x)
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise InputError("lrn: size must be a positive integer", where=user_origin(), found=repr(size))
    check_channels("lrn", x)
    energy = apply(ChannelWindowSum((size - 1) // 2, size // 2), x * x)
    return x / power(k + (alpha / size) * energy, beta)
