"""Clipping: gradients that are too large are cut before an optimiser sees them."""

from __future__ import annotations

import symcnn as sc


def clip_by_value(gradients, bound: float) -> list:
    r"""Every element cut to :math:`[-b, b]`.

    Parameters
    ----------
    gradients : sequence of Variable
    bound : float
        The bound b.
    """
    return [sc.clip(gradient, -bound, bound) for gradient in gradients]


def clip_by_norm(gradients, bound: float) -> list:
    r"""All gradients scaled by one factor, :math:`\min(1, b / (\|g\| + 10^{-6}))`: their direction is kept.

    Parameters
    ----------
    gradients : sequence of Variable
    bound : float
        The bound b of `global_norm`.

    Notes
    -----
    Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks*, ICML 2013
    (arXiv:1211.5063); the small number as in PyTorch.
    """
    gradients = list(gradients)
    factor = sc.minimum(1.0, bound / (global_norm(gradients) + 1e-6))
    return [factor.astype(gradient.dtype) * gradient for gradient in gradients]


def global_norm(gradients):
    r"""The Euclidean norm :math:`\sqrt{\sum_i g_i^2}` over the elements of all gradients together, in float64.

    Examples
    --------
    >>> import symcnn as sc
    >>> g, h = sc.input("g", (2,)), sc.input("h", ())
    >>> norm = sc.function([g, h], global_norm([g, h]), device="reference")
    >>> float(norm([2, 3], 6))
    7.0
    """
    return sc.sqrt(sum(sc.sum(sc.square(gradient)).astype("float64") for gradient in gradients))
