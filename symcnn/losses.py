"""Losses: from what the network says and what is true to one number, the mean over the examples.

Each is a plain composition of public ops, so it differentiates and compiles like any expression.
"""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import ShapeError


def squared_error(prediction, target):
    r"""Mean squared error :math:`\frac1n \sum_i (y_i - t_i)^2`, over all elements.

    Parameters
    ----------
    prediction, target : Variable
        Of one shape.

    Returns
    -------
    Variable
        A scalar.

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
    _same_shape("squared_error", prediction, target)
    return sc.mean(sc.square(prediction - target))


def cross_entropy(logits, labels):
    r"""Mean cross-entropy of softmax: :math:`\frac1n \sum_i \left(\log\sum_c e^{z_{ic}} - z_{i,t_i}\right)`.

    Parameters
    ----------
    logits : Variable
        (n, classes, ...): scores before softmax, the class on axis 1.
    labels : Variable
        (n, ...): integer class indices, each in ``range(classes)``.

    Returns
    -------
    Variable
        A scalar; finite for logits of any size.

    Raises
    ------
    DTypeError
        If the labels are not integers.
    ShapeError
        If the labels do not have the shape of the logits without their class axis.

    Examples
    --------
    >>> import symcnn as sc
    >>> z, t = sc.input("z", (None, 3)), sc.input("t", (None,), "int64")
    >>> f = sc.function([z, t], cross_entropy(z, t), device="reference")
    >>> float(f([[1000, 0, 0], [0, 1000, 0]], [0, 0]))
    500.0
    """
    return sc.mean(sc.softmax_cross_entropy(logits, labels))


def binary_cross_entropy(logits, target, from_logits=True):
    r"""Mean of :math:`-t\log p - (1 - t)\log(1 - p)` with :math:`p = \sigma(z)`.

    Parameters
    ----------
    logits : Variable
        Scores z before the sigmoid, or probabilities p if not `from_logits`.
    target : Variable
        Of the same shape, between 0 and 1.
    from_logits : bool
        From logits, the loss is the stable :math:`softplus(z) - t z`. From probabilities, logarithms are
        bounded by -100, so that p = 0 and p = 1 give a finite loss.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import symcnn as sc
    >>> z, t = sc.input("z", (None,)), sc.input("t", (None,))
    >>> f = sc.function([z, t], binary_cross_entropy(z, t), device="reference")
    >>> float(f([1000, -1000], [1, 1]))
    500.0
    """
    _same_shape("binary_cross_entropy", logits, target)
    if from_logits:
        return sc.mean(sc.softplus(logits) - target * logits)
    hit, miss = sc.maximum(sc.log(logits), -100.0), sc.maximum(sc.log(1.0 - logits), -100.0)
    return sc.mean(-target * hit - (1.0 - target) * miss)


def hinge(scores, target):
    r"""Hinge loss of a support-vector machine, binary or multi-class.

    Parameters
    ----------
    scores : Variable
        (n, ...) binary, or (n, classes) multi-class.
    target : Variable
        Either of the shape of `scores` with values -1 and 1: the mean of :math:`\max(0, 1 - t y)`.
        Or integer labels (n,): the mean over examples of :math:`\sum_{c \ne t} \max(0, 1 + y_c - y_t)`
        (Weston and Watkins 1999).

    Raises
    ------
    ShapeError
        If the target fits neither form.

    Examples
    --------
    >>> import symcnn as sc
    >>> y, t = sc.input("y", (None, 3)), sc.input("t", (None,), "int64")
    >>> f = sc.function([y, t], hinge(y, t), device="reference")
    >>> round(float(f([[3.2, 5.1, -1.7]], [0])), 2)
    2.9
    """
    if target.dtype.kind not in "iu" or target.ndim != 1 or scores.ndim != 2:
        _same_shape("hinge", scores, target)
        return sc.mean(sc.maximum(0.0, 1.0 - target * scores))
    truth = sc.one_hot(target, scores.shape[1], dtype=scores.dtype)
    true_score = sc.sum(truth * scores, axis=1, keepdims=True)
    margins = sc.maximum(0.0, 1.0 + scores - true_score)
    # The true class contributes max(0, 1 + 0) = 1, whatever the scores.
    return sc.mean(sc.sum((1.0 - truth) * margins, axis=1))


def huber(prediction, target, delta=1.0):
    r"""Mean of :math:`e^2/2` where :math:`|e| \le \delta` and :math:`\delta(|e| - \delta/2)` beyond: robust to outliers.

    Parameters
    ----------
    prediction, target : Variable
        Of one shape; :math:`e = y - t`.
    delta : float
        Where the parabola becomes a line.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import symcnn as sc
    >>> y, t = sc.input("y", (None,)), sc.input("t", (None,))
    >>> f = sc.function([y, t], huber(y, t), device="reference")
    >>> float(f([1, 5], [0, 0]))
    2.5
    """
    _same_shape("huber", prediction, target)
    size = sc.abs(prediction - target)
    return sc.mean(sc.where(size <= delta, 0.5 * sc.square(size), delta * (size - 0.5 * delta)))


def _same_shape(what, prediction, target):
    """Broadcasting (n, 1) against (n,) would silently average n x n differences."""
    known = zip(prediction.shape, target.shape, strict=False)
    if prediction.ndim != target.ndim or any(None not in (a, b) and a != b for a, b in known):
        raise ShapeError(
            f"{what}: prediction and target differ in shape",
            expected=f"{prediction.shape}, the shape of the prediction",
            found=target.shape,
            hint="reshape one of them; they are not broadcast",
        )
