"""A table by class of what a classifier gets right, to read in a terminal or a log."""

from __future__ import annotations

import numpy as np

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.metrics.rates import AVERAGES, f1, precision, recall

_COLUMNS = ("precision", "recall", "F1", "support")


@checked_keywords
def classification_report(confusion, names=None, digits: int = 3) -> str:
    """Precision, recall, F1 and support (how many examples there are) of each class, and their averages.

    Parameters
    ----------
    confusion : array_like or ConfusionMatrix
        (classes, classes) counts, row = true class, column = predicted class.
    names : sequence of str, optional
        Of the classes; those of the ConfusionMatrix, or their numbers.
    digits : int
        After the point.

    Returns
    -------
    str
        "-" stands where there is nothing to divide.

    Raises
    ------
    ShapeError, InputError
        If the matrix is none, or there is not one name per class.

    Examples
    --------
    >>> print(classification_report([[3, 1], [0, 6]], names=("cat", "dog"), digits=2))
                   precision  recall    F1  support
    cat                 1.00    0.75  0.86        4
    dog                 0.86    1.00  0.92        6
    macro mean          0.93    0.88  0.89       10
    weighted mean       0.91    0.90  0.90       10
    accuracy                          0.90       10
    """
    shares = [rate(confusion) for rate in (precision, recall, f1)]
    support = np.asarray(confusion).sum(axis=1)
    names = getattr(confusion, "names", range(len(support))) if names is None else names
    names = [str(name) for name in names]
    if len(names) != len(support):
        raise InputError("classification_report: one name per class", expected=len(support), found=len(names))

    def text(share):
        return "-" if np.isnan(share) else f"{share:.{digits}f}"

    def row(name, values, count):
        return [name, *map(text, values), f"{count:.0f}"]

    rows = [["", *_COLUMNS]]
    rows += [row(*of_class) for of_class in zip(names, zip(*shares, strict=True), support, strict=True)]
    total = support.sum()
    rows += [
        row(f"{a} mean", [rate(confusion, a) for rate in (precision, recall, f1)], total)
        for a in AVERAGES
        if a != "micro"
    ]
    rows.append(["accuracy", "", "", text(recall(confusion, "micro")), f"{total:.0f}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        [name.ljust(widths[0]), *(v.rjust(w) for v, w in zip(values, widths[1:], strict=True))]
        for name, *values in rows
    ]
    return "\n".join("  ".join(line) for line in lines)
