"""Metrics of a classifier, from its predictions and the truth. NumPy in, NumPy out."""

from __future__ import annotations

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError


def predicted_classes(predictions) -> np.ndarray:
    """Class indices (n, ...): integers as they are, scores (n, classes, ...) by their largest."""
    predictions = np.asarray(predictions)
    if predictions.dtype.kind in "iu":
        return predictions
    if predictions.ndim < 2:
        raise ShapeError("scores have a class axis", expected="(n, classes, ...)", found=predictions.shape)
    return predictions.argmax(axis=1)


def accuracy(predictions, labels) -> float:
    """The share of examples whose class is predicted rightly.

    Parameters
    ----------
    predictions : array_like
        Integer classes (n, ...), or scores (n, classes, ...).
    labels : array_like
        Integer classes (n, ...).

    Returns
    -------
    float
        ``nan`` for no examples.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    """
    found, truth = _pair(predictions, labels)
    return float((found == truth).mean()) if truth.size else float("nan")


def confusion_matrix(predictions, labels, classes: int | None = None) -> np.ndarray:
    """Counts: row = true class, column = predicted class.

    Parameters
    ----------
    predictions, labels : array_like
        As for `accuracy`.
    classes : int, optional
        How many classes there are; by default one more than the largest that occurs.

    Returns
    -------
    numpy.ndarray
        int64 (classes, classes).

    Raises
    ------
    InputError
        If a class is negative or not below `classes`.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 1], [0, 0, 1, 1])
    array([[1, 1],
           [0, 2]])
    """
    found, truth = (a.ravel().astype("int64") for a in _pair(predictions, labels))
    if classes is None:
        classes = int(max(found.max(initial=-1), truth.max(initial=-1))) + 1
    for name, values in (("prediction", found), ("label", truth)):
        if values.size and not 0 <= values.min() <= values.max() < classes:
            raise InputError(
                f"confusion_matrix: a {name} is no class",
                expected=f"0 to {classes - 1}",
                found=f"{values.min()} to {values.max()}",
            )
    return np.bincount(truth * classes + found, minlength=classes * classes).reshape(classes, classes)


def precision(confusion) -> np.ndarray:
    """Per class: of those predicted as it, the share that is; ``nan`` if none was predicted.

    Examples
    --------
    >>> precision([[1, 1], [0, 2]]).round(2)
    array([1.  , 0.67])
    """
    confusion = np.asarray(confusion)
    return _share(confusion.diagonal(), confusion.sum(axis=0))


def recall(confusion) -> np.ndarray:
    """Per class: of those that are it, the share that was found; ``nan`` if there are none.

    Examples
    --------
    >>> recall([[1, 1], [0, 2]])
    array([0.5, 1. ])
    """
    confusion = np.asarray(confusion)
    return _share(confusion.diagonal(), confusion.sum(axis=1))


def _share(part, whole):
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _pair(predictions, labels):
    found, truth = predicted_classes(predictions), np.asarray(labels)
    if truth.dtype.kind not in "iu":
        raise DTypeError("labels are integer classes", found=truth.dtype)
    if found.shape != truth.shape:
        raise ShapeError("predictions and labels differ in shape", expected=truth.shape, found=found.shape)
    return found, truth
