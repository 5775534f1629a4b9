"""The confusion matrix: how often each class was taken for each other."""

from __future__ import annotations

import numpy as np

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.metrics.classes import check_classes, kept_pairs


@checked_keywords
def confusion_matrix(predictions, labels, classes: int | None = None, ignore_index: int | None = None) -> np.ndarray:
    """Counts: row = true class, column = predicted class.

    Parameters
    ----------
    predictions, labels : array_like
        As for `accuracy`.
    classes : int, optional
        How many classes there are; by default one more than the largest that occurs.
    ignore_index : int, optional
        Examples with this label do not count; it need not be a class.

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
    found, truth = kept_pairs(predictions, labels, ignore_index)
    if classes is None:
        classes = int(max(found.max(initial=0), truth.max(initial=0))) + 1 if truth.size else 0
    if isinstance(classes, bool) or not hasattr(classes, "__index__") or classes < 0:
        raise InputError("confusion_matrix: classes is how many there are", found=repr(classes))
    check_classes("confusion_matrix: a prediction", found, classes)
    check_classes("confusion_matrix: a label", truth, classes)
    pairs = truth.astype("int64") * classes + found.astype("int64")
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


class ConfusionMatrix:
    """A confusion matrix that adds up over batches, so that an evaluation never holds all outputs.

    All metrics that take a confusion matrix take this one; ``counts`` is the array.

    Parameters
    ----------
    classes : int or sequence of str
        How many classes there are, or their names, which `classification_report` shows.
    ignore_index : int, optional
        Examples (pixels) with this label do not count; it need not be a class.

    Attributes
    ----------
    counts : numpy.ndarray
        int64 (classes, classes): row = true class, column = predicted class.
    names : tuple of str
        Of the classes, their numbers unless given.

    Raises
    ------
    InputError
        If there is no class; at `update`, if a label or a prediction is no class.

    Examples
    --------
    >>> confusion = ConfusionMatrix(2, ignore_index=255)
    >>> confusion.update([0, 1], [0, 0])
    >>> confusion.update([1, 1, 0], [1, 1, 255])
    >>> confusion.counts
    array([[1, 1],
           [0, 2]])

    An evaluation, a batch at a time:

    >>> import symcnn as sc
    >>> model, data = sc.models.mlp([2, 3]), sc.data.Dataset(np.zeros((5, 2), "float32"), np.array([0, 1, 2, 0, 1]))
    >>> confusion = ConfusionMatrix(3)
    >>> for images, labels in data.batches(2):
    ...     confusion.update(model.predict(images, device="reference"), labels)
    >>> confusion
    ConfusionMatrix(3 classes, 5 examples)
    """

    @checked_keywords
    def __init__(self, classes, ignore_index: int | None = None):
        if hasattr(classes, "__index__") and not isinstance(classes, bool):
            classes = range(classes)
        names = () if isinstance(classes, (str, bool)) or not hasattr(classes, "__iter__") else map(str, classes)
        self.names, self.ignore_index = tuple(names), ignore_index
        if not self.names:
            raise InputError("ConfusionMatrix: classes are a number or names, at least one", found=repr(classes))
        self.counts = np.zeros((len(self.names), len(self.names)), "int64")

    def update(self, predictions, labels) -> None:
        """Count one batch: classes (n, ...) or scores (n, classes, ...), and integer labels (n, ...)."""
        self.counts += confusion_matrix(predictions, labels, len(self.names), self.ignore_index)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.counts, dtype, copy=copy)

    def __repr__(self):
        return f"ConfusionMatrix({len(self.names)} classes, {self.counts.sum()} examples)"
