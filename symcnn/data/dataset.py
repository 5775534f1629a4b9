"""A data set in memory: images, labels, and the three things done with them: map, split, batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symcnn.errors import DTypeError, InputError, ShapeError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with their labels; unpacks like the pair that it is: ``X, labels = dataset``.

    Attributes
    ----------
    images : numpy.ndarray
        (n, ...): one example per row, for images (n, channels, height, width).
    labels : numpy.ndarray
        (n, ...): class indices, or any target of a loss.
    classes : tuple of str
        Names of the classes, where they have names.

    Raises
    ------
    ShapeError
        If images and labels are not equally many.

    Examples
    --------
    >>> pairs = Dataset(np.zeros((4, 1, 28, 28), "uint8"), np.array([0, 1, 0, 1]))
    >>> [len(labels) for _, labels in pairs.batches(3)]
    [3, 1]
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "images", np.asarray(self.images))
        object.__setattr__(self, "labels", np.asarray(self.labels))
        if self.images.ndim == 0 or self.labels.ndim == 0 or len(self.images) != len(self.labels):
            raise ShapeError(
                "a data set needs one label per image",
                expected="images (n, ...) and labels (n, ...)",
                found=f"{self.images.shape} and {self.labels.shape}",
            )

    def __len__(self):
        return len(self.images)

    def __iter__(self):
        return iter((self.images, self.labels))

    def __repr__(self):
        return f"Dataset({len(self)} x {self.images.dtype}{list(self.images.shape[1:])}, labels {self.labels.dtype})"

    def take(self, rows) -> Dataset:
        """The examples at `rows` (indices, a mask or a slice), in that order."""
        return replace(self, images=self.images[rows], labels=self.labels[rows])

    def map(self, transform: Callable[[np.ndarray], np.ndarray]) -> Dataset:
        """The same labels with ``transform(images)``."""
        return replace(self, images=transform(self.images))

    def class_counts(self) -> np.ndarray:
        """How many examples each class has."""
        return np.bincount(_class_labels(self.labels, "class_counts"), minlength=len(self.classes))

    def split(self, fraction: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Set `fraction` of every class aside: (rest, part), stratified and reproducible.

        Parameters
        ----------
        fraction : float
            Between 0 and 1, of each class, rounded to whole examples.
        seed : int
            The same seed chooses the same examples.

        Examples
        --------
        >>> whole = Dataset(np.zeros((20, 3)), np.repeat([0, 1], 10))
        >>> train, validation = whole.split(0.2)
        >>> len(train), validation.class_counts()
        (16, array([2, 2]))
        """
        if not 0 < fraction < 1:
            raise InputError("split: the fraction lies between 0 and 1", found=fraction, hint="0.1 sets a tenth aside")
        labels = _class_labels(self.labels, "split")
        rng = np.random.default_rng(seed)
        aside = np.zeros(len(self), bool)
        for label in np.unique(labels):
            rows = rng.permutation(np.flatnonzero(labels == label))
            aside[rows[: round(fraction * len(rows))]] = True
        return self.take(~aside), self.take(aside)

    def batches(
        self,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int | Sequence[int] = 0,
        start: int = 0,
        drop_last: bool = False,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs (images, labels) of at most `batch_size` examples, each example once.

        Parameters
        ----------
        batch_size : int
        shuffle : bool
            In an order drawn from `seed`; else in the stored order, as views without copying.
        seed : int or sequence of ints
            ``(seed, epoch)`` gives every epoch its own order.
        start : int
            Begin at this batch of the same order; the ones before are not computed.
        drop_last : bool
            Leave out a last batch that is smaller than the others.

        Raises
        ------
        InputError
            For a batch size below 1 or a negative start.
        """
        if batch_size < 1:
            raise InputError("batches: the batch size is at least 1", found=batch_size)
        if start < 0:
            raise InputError("batches: the first batch is number 0", found=start)
        order = np.random.default_rng(seed).permutation(len(self)) if shuffle else None
        end = len(self) - len(self) % batch_size if drop_last else len(self)
        return self._batches(order, range(start * batch_size, end, batch_size), batch_size)

    def _batches(self, order, starts, batch_size):
        for start in starts:
            rows = slice(start, start + batch_size)
            rows = rows if order is None else order[rows]
            yield self.images[rows], self.labels[rows]


def as_dataset(data) -> Dataset:
    """`data` itself if it is a Dataset, or the Dataset of a pair (images, labels).

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(data, Dataset):
        return data
    if isinstance(data, (tuple, list)) and len(data) == 2:
        return Dataset(*data)
    raise InputError(
        "this is not a data set", expected="a Dataset or a pair (images, labels)", found=type(data).__name__
    )


def _class_labels(labels: np.ndarray, what: str) -> np.ndarray:
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DTypeError(
            f"{what} needs class labels",
            expected="integers of shape (n,)",
            found=f"{labels.dtype} of shape {labels.shape}",
        )
    return labels
