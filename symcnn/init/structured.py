"""Weights of a certain form: orthogonal matrices, identities, enlargement of images."""

from __future__ import annotations

from math import prod

import numpy as np

from symcnn.errors import ShapeError
from symcnn.init.base import initializer


@initializer
def orthogonal(shape, random, dtype, *, gain=1.0):
    r"""A random matrix with orthonormal rows or columns, whichever are fewer: lengths of signals are kept.

    The weight of a convolution counts as the matrix (out, in / groups x window).

    Parameters
    ----------
    gain : float
        Multiplies the values.

    Raises
    ------
    ShapeError
        If the rank is below 2.

    Notes
    -----
    Saxe, McClelland and Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks*, ICLR 2014 (arXiv:1312.6120). Made of the QR decomposition of a normal matrix; with the signs of R's
    diagonal, all orthogonal matrices are equally likely.

    Examples
    --------
    >>> w = orthogonal((4, 2), seed=0, dtype="float64")
    >>> bool(np.allclose(w.T @ w, np.eye(2)))
    True
    """
    if len(shape) < 2:
        raise ShapeError("orthogonal: a matrix has at least rank 2", found=shape)
    rows, columns = shape[0], prod(shape[1:])
    q, r = np.linalg.qr(random.standard_normal((max(rows, columns), min(rows, columns)), dtype))
    q *= np.copysign(gain, np.diagonal(r)).astype(dtype)
    return (q if rows >= columns else q.T).reshape(shape)


@initializer
def identity(shape, random, dtype):
    """What comes in goes out: ones on the diagonal, for a convolution at the centre of the window.

    Raises
    ------
    ShapeError
        If the rank is below 2.

    Examples
    --------
    >>> identity((2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    if len(shape) < 2:
        raise ShapeError("identity: a matrix has at least rank 2", found=shape)
    weight = np.zeros(shape, dtype)
    channel = np.arange(min(shape[:2]))
    weight[(channel, channel, *(size // 2 for size in shape[2:]))] = 1
    return weight


@initializer
def bilinear(shape, random, dtype):
    r"""The weight with which a transposed convolution enlarges each channel by bilinear interpolation.

    The window is the product of the triangles :math:`1 - |i - c| / f` with :math:`f = \lceil k/2 \rceil`, about its
    centre c. To enlarge s times, the window is :math:`2s - s \bmod 2` wide and the padding
    :math:`\lceil (s - 1) / 2 \rceil`.

    Raises
    ------
    ShapeError
        If the rank is not 4, or the numbers of channels are no multiples of each other.

    Notes
    -----
    Long, Shelhamer and Darrell, *Fully convolutional networks for semantic segmentation*, CVPR 2015
    (arXiv:1411.4038). The shape may be that of separate channels, (n, 1, height, width), or (n, n, height, width)
    with all zero between different channels.

    Examples
    --------
    >>> bilinear((1, 1, 4, 4))[0, 0] * 16
    array([[1., 3., 3., 1.],
           [3., 9., 9., 3.],
           [3., 9., 9., 3.],
           [1., 3., 3., 1.]], dtype=float32)
    """
    if len(shape) != 4 or max(shape[:2]) % min(shape[:2]):
        raise ShapeError(
            "bilinear: every channel is enlarged by itself",
            expected="(n, n, height, width), or (n, n / groups, height, width)",
            found=shape,
        )
    weight = np.zeros(shape, dtype)
    channel = np.arange(max(shape[:2]))
    weight[channel % shape[0], channel % shape[1]] = np.outer(_triangle(shape[2]), _triangle(shape[3]))
    return weight


def _triangle(size: int) -> np.ndarray:
    return 1 - np.abs(np.arange(size) - (size - 1) / 2) / ((size + 1) // 2)
