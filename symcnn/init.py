"""Initial values of weights: drawn so that signals keep their variance from layer to layer.

The fans of a weight are counted by its rank: (in, out) for a dense layer, (out, in / groups, *window) for a
convolution.
"""

from __future__ import annotations

from math import prod, sqrt

import numpy as np

from symcnn.errors import InputError, ShapeError
from symcnn.keywords import nearest

_generator = np.random.default_rng(0)


def seed(value: int) -> None:
    """Restart the generator that layers without a seed of their own draw from; it starts as ``seed(0)``."""
    global _generator
    _generator = np.random.default_rng(value)


def generator(seed=None) -> np.random.Generator:
    """The generator meant by `seed`: an integer, a Generator (passed on), or ``None`` for the process-wide one."""
    return _generator if seed is None else np.random.default_rng(seed)


def fans(shape) -> tuple[int, int]:
    """How many inputs each output sees, and how many outputs each input reaches.

    Examples
    --------
    >>> fans((800, 500))
    (800, 500)
    >>> fans((50, 20, 5, 5))
    (500, 1250)
    """
    if len(shape) < 2:
        raise ShapeError("fans are defined for weights of rank 2 and more", found=tuple(shape))
    if len(shape) == 2:
        return shape[0], shape[1]
    window = prod(shape[2:])
    return shape[1] * window, shape[0] * window


def glorot_uniform(shape, seed=None, dtype="float32") -> np.ndarray:
    r"""Uniform on :math:`\pm\sqrt{6 / (fan_{in} + fan_{out})}`: variance kept forward and backward.

    Parameters
    ----------
    shape : tuple of int
        Rank 2 or more.
    seed : int, numpy.random.Generator or None
        The same integer gives the same values; see `generator`.
    dtype : str

    Notes
    -----
    Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010.

    Examples
    --------
    >>> weight = glorot_uniform((100, 50), seed=0)
    >>> bool(abs(weight).max() <= 0.2), weight.dtype
    (True, dtype('float32'))
    """
    return _uniform(shape, sqrt(6 / sum(fans(shape))), seed, dtype)


def glorot_normal(shape, seed=None, dtype="float32") -> np.ndarray:
    r"""Normal with standard deviation :math:`\sqrt{2 / (fan_{in} + fan_{out})}`; see `glorot_uniform`."""
    return _normal(shape, sqrt(2 / sum(fans(shape))), seed, dtype)


def he_uniform(shape, seed=None, dtype="float32") -> np.ndarray:
    r"""Uniform on :math:`\pm\sqrt{6 / fan_{in}}`; see `he_normal`."""
    return _uniform(shape, sqrt(6 / fans(shape)[0]), seed, dtype)


def he_normal(shape, seed=None, dtype="float32") -> np.ndarray:
    r"""Normal with standard deviation :math:`\sqrt{2 / fan_{in}}`: variance kept through ReLU.

    Notes
    -----
    He, Zhang, Ren and Sun, *Delving deep into rectifiers*, ICCV 2015 (arXiv:1502.01852).
    """
    return _normal(shape, sqrt(2 / fans(shape)[0]), seed, dtype)


def zeros(shape, seed=None, dtype="float32") -> np.ndarray:
    """All zero, the usual start of a bias; `seed` is accepted for uniformity."""
    return np.zeros(shape, dtype)


def draw(init, shape, seed=None, dtype="float32") -> np.ndarray:
    """Values of `shape` from an initialiser, given as a name of this module or as ``f(shape, seed, dtype)``.

    Raises
    ------
    InputError
        If the name is unknown.
    """
    if callable(init):
        return np.asarray(init(shape, seed, dtype))
    if init not in _NAMED:
        raise InputError(f"no initialiser is called {init!r}", hint=nearest(str(init), _NAMED))
    return _NAMED[init](shape, seed, dtype)


def _uniform(shape, bound, seed, dtype):
    values = generator(seed).random(shape, _drawn_in(dtype))
    values *= 2 * bound
    values -= bound
    return values.astype(dtype, copy=False)


def _normal(shape, deviation, seed, dtype):
    values = generator(seed).standard_normal(shape, _drawn_in(dtype))
    values *= deviation
    return values.astype(dtype, copy=False)


def _drawn_in(dtype):
    """The precision to draw in: large networks have tens of millions of weights, and float32 comes twice as fast."""
    return np.float64 if np.dtype(dtype) == np.float64 else np.float32


_NAMED = {f.__name__: f for f in (glorot_uniform, glorot_normal, he_uniform, he_normal, zeros)}
