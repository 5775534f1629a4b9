"""Mean and variance of more than fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from symcnn.data.lazy import read_rows

CHUNK = 1 << 22  # numbers that are looked at together, in float64: 32 MiB


def chunks(values, rows: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """The rows of `values`, all or those of these numbers, a few megabytes at a time."""
    step = max(1, CHUNK // max(1, prod(values.shape[1:])))
    for start in range(0, len(values) if rows is None else len(rows), step):
        part = slice(start, start + step)
        yield read_rows(values, part if rows is None else rows[part])


class Moments:
    """Mean and variance along `axes` of arrays that come one after the other, in float64.

    They are merged by the formula of Chan, Golub and LeVeque (1983), which loses no digits where the mean is large. NaN
    and infinity make them NaN.

    Examples
    --------
    >>> moments = Moments(axes=(0,))
    >>> for chunk in ([[1.0], [2.0]], [[6.0]]):
    ...     moments.add(np.array(chunk))
    >>> moments.mean, moments.variance
    (array([3.]), array([4.66666667]))
    """

    def __init__(self, axes: tuple[int, ...]):
        self.axes = axes
        self.count, self.mean, self._squares = 0, np.zeros(()), np.zeros(())

    @np.errstate(invalid="ignore")
    def add(self, chunk: np.ndarray) -> None:
        chunk = chunk.astype("float64")
        count = prod(chunk.shape[axis] for axis in self.axes)
        mean = chunk.mean(axis=self.axes, keepdims=True)
        chunk -= mean
        squares = np.square(chunk, out=chunk).sum(axis=self.axes)
        difference = mean.reshape(squares.shape) - self.mean
        total = self.count + count
        self.mean = self.mean + difference * (count / total)
        self._squares = self._squares + squares + np.square(difference) * (count * self.count / total)
        self.count = total

    @property
    def variance(self) -> np.ndarray:
        return self._squares / self.count
