"""Random values whose variance fits the size of the layer: signals keep theirs from layer to layer.

The fans of a weight are counted by its rank: (in, out) for a dense layer, (out, in / groups, *window) for a
convolution. The option `gain` multiplies the values.
"""

from __future__ import annotations

from math import prod, sqrt

from symcnn.errors import ShapeError
from symcnn.init.base import initializer
from symcnn.init.plain import normal, uniform


def fans(shape) -> tuple[int, int]:
    """How many inputs each output sees, and how many outputs each input reaches.

    Examples
    --------
    >>> fans((800, 500))
    (800, 500)
    >>> fans((50, 20, 5, 5))
    (500, 1250)
    """
    if len(shape) < 2 or 0 in shape:
        raise ShapeError("fans are defined for weights of rank 2 and more, with elements", found=tuple(shape))
    if len(shape) == 2:
        return shape[0], shape[1]
    window = prod(shape[2:])
    return shape[1] * window, shape[0] * window


@initializer
def glorot_uniform(shape, random, dtype, *, gain=1.0):
    r"""Uniform on :math:`\pm\sqrt{6 / (fan_{in} + fan_{out})}`: variance kept forward and backward.

    Notes
    -----
    Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010.

    Examples
    --------
    >>> weight = glorot_uniform((100, 50), seed=0)
    >>> bool(abs(weight).max() <= 0.2), weight.dtype
    (True, dtype('float32'))
    """
    return uniform(shape, random, dtype, bound=gain * sqrt(6 / sum(fans(shape))))


@initializer
def glorot_normal(shape, random, dtype, *, gain=1.0):
    r"""Normal with standard deviation :math:`\sqrt{2 / (fan_{in} + fan_{out})}`; see `glorot_uniform`."""
    return normal(shape, random, dtype, std=gain * sqrt(2 / sum(fans(shape))))


@initializer
def he_uniform(shape, random, dtype, *, gain=1.0):
    r"""Uniform on :math:`\pm\sqrt{6 / fan_{in}}`; see `he_normal`."""
    return uniform(shape, random, dtype, bound=gain * sqrt(6 / fans(shape)[0]))


@initializer
def he_normal(shape, random, dtype, *, gain=1.0):
    r"""Normal with standard deviation :math:`\sqrt{2 / fan_{in}}`: variance kept through ReLU.

    Notes
    -----
    He, Zhang, Ren and Sun, *Delving deep into rectifiers*, ICCV 2015 (arXiv:1502.01852).
    """
    return normal(shape, random, dtype, std=gain * sqrt(2 / fans(shape)[0]))


@initializer
def lecun_uniform(shape, random, dtype, *, gain=1.0):
    r"""Uniform on :math:`\pm\sqrt{3 / fan_{in}}`; see `lecun_normal`."""
    return uniform(shape, random, dtype, bound=gain * sqrt(3 / fans(shape)[0]))


@initializer
def lecun_normal(shape, random, dtype, *, gain=1.0):
    r"""Normal with standard deviation :math:`\sqrt{1 / fan_{in}}`: variance kept forward; the one for SELU.

    Notes
    -----
    LeCun, Bottou, Orr and Müller, *Efficient backprop*, 1998.
    """
    return normal(shape, random, dtype, std=gain * sqrt(1 / fans(shape)[0]))
