"""Shares of right answers, per class and averaged, from a confusion matrix (row = true class, column = predicted)."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np

from symcnn.errors import InputError, ShapeError
from symcnn.keywords import checked_keywords, nearest

Average = Literal["macro", "micro", "weighted"]

AVERAGES = ("macro", "micro", "weighted")


@overload
def precision(confusion, average: None = None) -> np.ndarray: ...
@overload
def precision(confusion, average: Average) -> float: ...


@checked_keywords
def precision(confusion, average=None):
    """Of the examples predicted as a class, the share that is it.

    Parameters
    ----------
    confusion : array_like or ConfusionMatrix
        (classes, classes) counts, row = true class, column = predicted class.
    average : {None, "macro", "micro", "weighted"}
        ``None``: one number per class, ``nan`` where there is nothing to divide. ``"macro"``: their mean over the
        classes that occur or are predicted. ``"weighted"``: their mean, weighted by how often each class occurs. In both
        a share of nothing counts as 0. ``"micro"``: the share over all examples, which is the accuracy.

    Returns
    -------
    numpy.ndarray or float
        float64 (classes,), or the average; ``nan`` if no example was counted.

    Raises
    ------
    ShapeError
        If the matrix is not square.
    InputError
        For an unknown `average`, or negative counts.

    Examples
    --------
    >>> precision([[1, 1], [0, 2]]).round(2)
    array([1.  , 0.67])
    >>> round(precision([[1, 1], [0, 2]], average="macro"), 2)
    0.83
    """
    right, true, predicted = _counts(confusion)
    return _averaged(right, predicted, true, predicted, average)


@overload
def recall(confusion, average: None = None) -> np.ndarray: ...
@overload
def recall(confusion, average: Average) -> float: ...


@checked_keywords
def recall(confusion, average=None):
    """Of the examples that are of a class, the share that was found; see `precision`.

    Examples
    --------
    >>> recall([[1, 1], [0, 2]])
    array([0.5, 1. ])
    """
    right, true, predicted = _counts(confusion)
    return _averaged(right, true, true, predicted, average)


@overload
def f1(confusion, average: None = None) -> np.ndarray: ...
@overload
def f1(confusion, average: Average) -> float: ...


@checked_keywords
def f1(confusion, average=None):
    """The harmonic mean of `precision` and `recall`, 2 right / (true + predicted): high only if both are.

    Examples
    --------
    >>> f1([[1, 1], [0, 2]]).round(3)
    array([0.667, 0.8  ])
    """
    right, true, predicted = _counts(confusion)
    return _averaged(2 * right, true + predicted, true, predicted, average)


@checked_keywords
def iou(confusion) -> np.ndarray:
    """Intersection over union of each class, right / (true + predicted - right); ``nan`` if it is in neither.

    Examples
    --------
    >>> iou([[1, 1], [0, 2]]).round(2)
    array([0.5 , 0.67])
    """
    right, true, predicted = _counts(confusion)
    return _share(right, true + predicted - right)


@checked_keywords
def mean_iou(confusion) -> float:
    """The mean of `iou` over the classes that occur or are predicted: the usual score of a segmentation.

    Examples
    --------
    >>> round(mean_iou([[1, 1, 0], [0, 2, 0], [0, 0, 0]]), 3)
    0.583
    """
    shares = iou(confusion)
    there = ~np.isnan(shares)
    return float(shares[there].mean()) if there.any() else float("nan")


def _counts(confusion):
    """Per class: how many were right, are of it, were predicted as it."""
    confusion = np.asarray(confusion)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise ShapeError(
            "a confusion matrix is square",
            expected="(classes, classes)",
            found=confusion.shape,
            hint="of predictions and labels, metrics.confusion_matrix(predictions, labels) makes one",
        )
    if confusion.dtype.kind not in "iuf" or not np.all(confusion >= 0):
        raise InputError("a confusion matrix holds counts", found=f"{confusion.dtype} {confusion!s:.80}")
    return confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)


def _share(part, whole):
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _averaged(part, whole, true, predicted, average):
    if average is None:
        return _share(part, whole)
    if average not in AVERAGES:
        raise InputError(
            f"there is no average {average!r}", expected=f"None, {', '.join(AVERAGES)}", hint=nearest(average, AVERAGES)
        )
    if not true.sum():
        return float("nan")
    if average == "micro":
        return float(part.sum() / whole.sum())
    shares = np.nan_to_num(_share(part, whole))
    return float(np.average(shares, weights=true if average == "weighted" else true + predicted > 0))
