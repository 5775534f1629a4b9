"""Constants, and random values of a width that the user gives."""

from __future__ import annotations

import numpy as np

from symcnn.init.base import initializer


@initializer
def zeros(shape, random, dtype):
    """All zero, the usual start of a bias."""
    return np.zeros(shape, dtype)


@initializer
def ones(shape, random, dtype):
    """All one, the usual start of the scale of a normalisation."""
    return np.ones(shape, dtype)


@initializer
def constant(shape, random, dtype, *, value=0.0):
    """All the same; a small positive bias keeps the units of a ReLU alive at first.

    Parameters
    ----------
    value : float

    Examples
    --------
    >>> constant(0.1)((2,))
    array([0.1, 0.1], dtype=float32)
    """
    return np.full(shape, value, dtype)


@initializer
def uniform(shape, random, dtype, *, bound=0.05):
    """Uniform between -bound and bound.

    Parameters
    ----------
    bound : float

    Examples
    --------
    >>> bool(abs(uniform((100,), seed=0, bound=2.0)).max() <= 2)
    True
    """
    values = random.random(shape, dtype)
    values *= 2 * bound
    values -= bound
    return values


@initializer
def normal(shape, random, dtype, *, std=0.01, mean=0.0):
    """Normal with a given standard deviation.

    Parameters
    ----------
    std, mean : float

    Notes
    -----
    With a deviation of 0.01 as in Krizhevsky, Sutskever and Hinton, *ImageNet classification with deep convolutional
    neural networks*, NIPS 2012.

    Examples
    --------
    >>> normal((2,), seed=0, std=1.0).round(2)
    array([ 1.12, -1.39], dtype=float32)
    """
    values = random.standard_normal(shape, dtype)
    values *= std
    values += mean
    return values


@initializer
def truncated_normal(shape, random, dtype, *, std=0.01, mean=0.0):
    """Normal, with what lies more than two standard deviations from the mean drawn again.

    Parameters
    ----------
    std, mean : float
        Of the normal distribution; the values that remain have 0.88 of its deviation.

    Examples
    --------
    >>> bool(abs(truncated_normal((1000,), seed=0, std=0.5)).max() <= 1)
    True
    """
    values = random.standard_normal(shape, dtype)
    flat = values.reshape(-1)
    outside = np.flatnonzero(np.abs(flat) > 2)
    while outside.size:
        flat[outside] = random.standard_normal(outside.size, dtype)
        outside = outside[np.abs(flat[outside]) > 2]
    values *= std
    values += mean
    return values
