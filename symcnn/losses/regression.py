"""Losses of real numbers: squared, absolute, and Huber's between the two."""

from __future__ import annotations

import symcnn as sc
from symcnn.keywords import checked_keywords, checked_number
from symcnn.losses.arguments import reduced, same_shape


@checked_keywords
def squared_error(prediction, target, reduction="mean"):
    r"""Mean squared error :math:`\frac1n \sum_i (y_i - t_i)^2`, over all elements.

    Parameters
    ----------
    prediction, target : Variable
        Of one shape.
    reduction : {"mean", "sum", "none"}
        Over all elements; ``"none"`` keeps them.

    Returns
    -------
    Variable
        A scalar, unless `reduction` is ``"none"``.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import symcnn as sc
    >>> y, t = sc.input("y", (None,)), sc.input("t", (None,))
    >>> f = sc.function([y, t], squared_error(y, t), device="reference")
    >>> float(f([1, 2], [1, 5]))
    4.5
    """
    prediction, target = same_shape("squared_error", prediction, target)
    return reduced(sc.square(prediction - target), reduction)


@checked_keywords
def absolute_error(prediction, target, reduction="mean"):
    r"""Mean absolute error :math:`\frac1n \sum_i |y_i - t_i|`: its best constant guess is the median.

    Parameters
    ----------
    prediction, target : Variable
        Of one shape.
    reduction : {"mean", "sum", "none"}
        Over all elements; ``"none"`` keeps them.

    Returns
    -------
    Variable
        A scalar, unless `reduction` is ``"none"``; its derivative where :math:`y = t` is 0.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import symcnn as sc
    >>> y, t = sc.input("y", (None,)), sc.input("t", (None,))
    >>> f = sc.function([y, t], absolute_error(y, t), device="reference")
    >>> float(f([1, 2], [1, 5]))
    1.5
    """
    prediction, target = same_shape("absolute_error", prediction, target)
    return reduced(sc.abs(prediction - target), reduction)


@checked_keywords
def huber(prediction, target, delta=1.0, reduction="mean"):
    r"""Mean of :math:`e^2/2` where :math:`|e| \le \delta` and :math:`\delta(|e| - \delta/2)` beyond: robust to outliers.

    Parameters
    ----------
    prediction, target : Variable
        Of one shape; :math:`e = y - t`.
    delta : float
        Where the parabola becomes a line.
    reduction : {"mean", "sum", "none"}
        Over all elements; ``"none"`` keeps them.

    Returns
    -------
    Variable
        A scalar, unless `reduction` is ``"none"``.

    Raises
    ------
    ShapeError
        If the shapes differ.
    InputError
        If `delta` is not positive.

    Notes
    -----
    Huber, *Robust estimation of a location parameter*, Annals of Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> import symcnn as sc
    >>> y, t = sc.input("y", (None,)), sc.input("t", (None,))
    >>> f = sc.function([y, t], huber(y, t), device="reference")
    >>> float(f([1, 5], [0, 0]))
    2.5
    """
    prediction, target = same_shape("huber", prediction, target)
    checked_number("huber: delta", delta, 0, strict=True)
    size = sc.abs(prediction - target)
    return reduced(sc.where(size <= delta, 0.5 * sc.square(size), delta * (size - 0.5 * delta)), reduction)
