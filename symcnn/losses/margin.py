"""The loss of a support-vector machine, which asks for a margin between the right answer and all others."""

from __future__ import annotations

import symcnn as sc
from symcnn.keywords import checked_keywords
from symcnn.losses.arguments import as_variables, class_count, reduced, same_shape


@checked_keywords
def hinge(scores, target, squared=False, reduction="mean"):
    r"""Hinge loss of a support-vector machine, binary or multi-class.

    Parameters
    ----------
    scores : Variable
        (n, ...) binary, or (n, classes) multi-class.
    target : Variable
        Either of the shape of `scores` with values -1 and 1: the mean of :math:`\max(0, 1 - t y)`.
        Or integer labels (n,): the mean over examples of :math:`\sum_{c \ne t} \max(0, 1 + y_c - y_t)`
        (Weston and Watkins 1999).
    squared : bool
        Square each of the margins that are missed (Tang 2013): smooth, and harder on the worst.
    reduction : {"mean", "sum", "none"}
        Over the elements, or over the examples of several classes; ``"none"`` keeps them.

    Returns
    -------
    Variable
        A scalar, unless `reduction` is ``"none"``.

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
    scores, target = as_variables("hinge", scores, target)
    if target.dtype.kind not in "iu" or target.ndim != 1 or scores.ndim != 2:
        scores, target = same_shape("hinge", scores, target)
        return reduced(_missed(1.0 - target * scores, squared), reduction)
    truth = sc.one_hot(target, class_count("hinge", scores), dtype=scores.dtype)
    true_score = sc.sum(truth * scores, axis=1, keepdims=True)
    # The true class would contribute max(0, 1 + 0) = 1, whatever the scores.
    return reduced(sc.sum((1.0 - truth) * _missed(1.0 + scores - true_score, squared), axis=1), reduction)


def _missed(margin, squared):
    missed = sc.maximum(0.0, margin)
    return sc.square(missed) if squared else missed
