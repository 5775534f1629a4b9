"""Losses of segmentation that measure how far regions overlap: large and small classes count alike."""

from __future__ import annotations

import symcnn as sc
from symcnn.errors import ShapeError
from symcnn.keywords import checked_keywords, checked_number
from symcnn.losses.arguments import as_variables, check_shapes, class_count, selected


@checked_keywords
def dice(logits, labels, smooth=1.0, ignore_index=None):
    r"""Soft Dice loss: :math:`1 - \frac{2 \sum p\,t + s}{\sum p + \sum t + s}`, the mean over the classes.

    Sums run over all pixels of the batch, with :math:`p = softmax(z)` and t one-hot (Milletari et al. 2016, with plain
    sums below as Drozdzal et al. 2016).

    Parameters
    ----------
    logits : Variable
        (n, classes, ...): scores before softmax, the class on axis 1; the number of classes is known.
    labels : Variable
        (n, ...) integer classes, or floats of the shape of the logits: one-hot or soft masks.
    smooth : float
        s, of the size of a few pixels: a class that is neither there nor predicted has loss 0.
    ignore_index : int, optional
        Pixels of this label have no part in any sum.

    Returns
    -------
    Variable
        A scalar between 0 and 1.

    Raises
    ------
    ShapeError, DTypeError, InputError
        If labels and logits do not fit, or `smooth` is negative.

    Examples
    --------
    >>> import symcnn as sc
    >>> z, t = sc.input("z", (None, 2, 1, 4)), sc.input("t", (None, 1, 4), "int64")
    >>> f = sc.function([z, t], dice(z, t), device="reference")
    >>> right = [[[[50, 50, 0, 0]], [[0, 0, 50, 50]]]]
    >>> float(f(right, [[[0, 0, 1, 1]]])), round(float(f(right, [[[1, 1, 0, 0]]])), 2)
    (0.0, 0.8)
    """
    both, predicted, true = _overlap("dice", logits, labels, smooth, ignore_index)
    return 1 - sc.mean((2 * both + smooth) / (predicted + true + smooth))


@checked_keywords
def iou(logits, labels, smooth=1.0, ignore_index=None):
    r"""Soft intersection over union: :math:`1 - \frac{\sum p\,t + s}{\sum p + \sum t - \sum p\,t + s}`, the mean over
    the classes; arguments as for `dice` (Rahman and Wang 2016).

    Examples
    --------
    >>> import symcnn as sc
    >>> z, t = sc.input("z", (None, 2, 1, 4)), sc.input("t", (None, 1, 4), "int64")
    >>> f = sc.function([z, t], iou(z, t), device="reference")
    >>> right = [[[[50, 50, 0, 0]], [[0, 0, 50, 50]]]]
    >>> float(f(right, [[[0, 0, 1, 1]]])), round(float(f(right, [[[1, 1, 0, 0]]])), 2)
    (0.0, 0.8)
    """
    both, predicted, true = _overlap("iou", logits, labels, smooth, ignore_index)
    return 1 - sc.mean((both + smooth) / (predicted + true - both + smooth))


def _overlap(what, logits, labels, smooth, ignore_index):
    """Per class the sums of p t, of p and of t over all pixels."""
    checked_number(f"{what}: smooth", smooth, 0)
    logits, labels = as_variables(what, logits, labels)
    classes = class_count(what, logits)
    if classes == 1:
        raise ShapeError(
            f"{what}: the softmax of one class is always 1",
            expected="(n, classes, ...) with a class for the background",
            found=logits.shape,
        )
    labels, kept = selected(what, labels, ignore_index)
    truth = labels
    if labels.dtype.kind in "iu":
        truth = sc.one_hot(labels, classes, dtype=logits.dtype, axis=1)
    check_shapes(what, logits, truth)
    p, truth = sc.softmax(logits, axis=1), truth.astype(logits.dtype)
    if kept is not None:
        kept = sc.expand_dims(kept, 1)
        p, truth = sc.where(kept, p, 0), sc.where(kept, truth, 0)
    pixels = (0, *range(2, logits.ndim))
    return sc.sum(p * truth, pixels), sc.sum(p, pixels), sc.sum(truth, pixels)
