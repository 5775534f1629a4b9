"""Which class is predicted, and how often rightly."""

from __future__ import annotations

import numpy as np

from symcnn.arrays import as_numpy
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.keywords import checked_keywords


def predicted_classes(predictions) -> np.ndarray:
    """Class indices (n, ...): integers as they are, scores (n, classes, ...) by their largest."""
    predictions = np.asarray(as_numpy(predictions))
    if predictions.dtype.kind in "iu":
        return predictions
    scores = checked_scores(predictions)
    if scores.shape[1] == 1:
        raise ShapeError(
            "one score is no choice between classes",
            expected="(n, classes, ...) with two classes or more",
            found=scores.shape,
            hint="of a yes-or-no score take the side: (logits[:, 0] > 0).astype(int)",
        )
    return scores.argmax(axis=1)


def checked_scores(scores) -> np.ndarray:
    """Scores (n, classes, ...) with at least one class."""
    scores = np.asarray(as_numpy(scores))
    if scores.dtype.kind not in "f":
        raise DTypeError("scores are floats", found=scores.dtype)
    if scores.ndim < 2 or scores.shape[1] == 0:
        raise ShapeError("scores have a class axis", expected="(n, classes, ...)", found=scores.shape)
    return scores


def checked_labels(labels, shape) -> np.ndarray:
    """Integer classes of this shape."""
    labels = np.asarray(as_numpy(labels))
    if labels.dtype.kind not in "iu":
        raise DTypeError("labels are integer classes", found=labels.dtype, hint="of one-hot labels: argmax(axis=1)")
    if labels.shape != shape:
        raise ShapeError("predictions and labels differ in shape", expected=labels.shape, found=shape)
    return labels


def kept_pairs(predictions, labels, ignore_index=None) -> tuple[np.ndarray, np.ndarray]:
    """Predicted and true classes in one row, without the positions whose label is `ignore_index`."""
    found = predicted_classes(predictions)
    labels = checked_labels(labels, found.shape)
    if ignore_index is None:
        return found.ravel(), labels.ravel()
    kept = labels != ignore_index
    return found[kept], labels[kept]


@checked_keywords
def accuracy(predictions, labels, ignore_index: int | None = None) -> float:
    """The share of examples (pixels) whose class is predicted rightly.

    Parameters
    ----------
    predictions : array_like
        Integer classes (n, ...), or scores (n, classes, ...).
    labels : array_like
        Integer classes (n, ...).
    ignore_index : int, optional
        Examples with this label do not count.

    Returns
    -------
    float
        ``nan`` for no examples.

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit, or the labels are no integers.

    Examples
    --------
    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    """
    found, truth = kept_pairs(predictions, labels, ignore_index)
    return float((found == truth).mean()) if truth.size else float("nan")


@checked_keywords
def top_k_accuracy(scores, labels, k: int = 5, ignore_index: int | None = None) -> float:
    """The share of examples whose class is among the `k` of the largest scores.

    Of equal scores the first class comes first, as for `accuracy`, which is the case of ``k=1``.

    Parameters
    ----------
    scores : array_like
        Floats (n, classes, ...).
    labels : array_like
        Integer classes (n, ...).
    k : int
        At least 1.
    ignore_index : int, optional
        Examples with this label do not count.

    Returns
    -------
    float
        ``nan`` for no examples.

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit, or the labels are no integers.
    InputError
        If a label is no class, or `k` is not positive.

    Examples
    --------
    >>> top_k_accuracy([[0.1, 0.6, 0.3], [0.5, 0.4, 0.1]], [2, 2], k=2)
    0.5
    """
    scores = checked_scores(scores)
    labels = checked_labels(labels, (scores.shape[0], *scores.shape[2:]))
    if isinstance(k, bool) or not hasattr(k, "__index__") or k < 1:
        raise InputError("top_k_accuracy: k is a positive integer", found=repr(k))
    rows, classes = np.moveaxis(scores, 1, -1), scores.shape[1]
    kept = np.ones(labels.shape, bool) if ignore_index is None else labels != ignore_index
    rows, labels = rows[kept], labels[kept]
    check_classes("top_k_accuracy: a label", labels, classes)
    labels = labels.astype("int64").reshape(-1, 1)
    own = np.take_along_axis(rows, labels, axis=1)
    # Ahead of a class are larger scores, equal ones of earlier classes, and NaN, which compares with nothing.
    ahead = ~(rows <= own) | ((rows == own) & (np.arange(classes) < labels))
    return float((ahead.sum(axis=1) < k).mean()) if labels.size else float("nan")


def check_classes(what, values, classes):
    """All `values` are class indices."""
    if values.size and not 0 <= values.min() <= values.max() < classes:
        raise InputError(
            f"{what} is no class",
            expected=f"0 to {classes - 1}",
            found=f"{values.min()} to {values.max()}",
            hint="labels that do not count, such as 255, are named by ignore_index=255",
        )
