"""The losses of a run, added up without waiting for a GPU that is still computing the latest."""

from __future__ import annotations

from collections import deque
from math import isfinite

import numpy as np

AHEAD = 1  # losses that may be unknown when another step is begun: so a GPU has the next step before it ends this one


class RunningLoss:
    """Losses of the steps of an epoch, and their mean over the examples.

    Attributes
    ----------
    examples : int
        Of the epoch so far.
    all_finite : bool
        Whether no loss known so far, of any epoch, is NaN or infinite.
    known_mean : float
        Over the examples of the epoch whose loss is known: all, but those of the latest step on a GPU.
    """

    def __init__(self, total: float = 0.0, examples: int = 0):
        self._coming: deque[tuple] = deque()
        self._latest, self.all_finite = float("nan"), True
        self.start(total, examples)

    def start(self, total: float = 0.0, examples: int = 0) -> None:
        """Begin an epoch, of which so much is done."""
        self.wait()
        self._total, self.examples, self._known = total, examples, examples

    def add(self, loss, examples: int) -> None:
        """Count a step; a loss that is no array of NumPy, nor a number, is on a device and waited for later."""
        self._coming.append((loss, examples))
        self.examples += examples
        self.wait(0 if isinstance(loss, (float, np.generic, np.ndarray)) else AHEAD)

    def wait(self, unknown: int = 0) -> None:
        """Have all losses known but that many."""
        while len(self._coming) > unknown:
            loss, examples = self._coming.popleft()
            self._latest = float(np.asarray(loss))
            self._total += self._latest * examples
            self._known += examples
            self.all_finite &= isfinite(self._latest)

    @property
    def latest(self) -> float:
        """Of the latest step, NaN before the first."""
        self.wait()
        return self._latest

    @property
    def total(self) -> float:
        """Mean loss of the epoch so far, times the examples."""
        self.wait()
        return self._total

    @property
    def mean(self) -> float:
        """Over the examples of the epoch so far."""
        self.wait()
        return self.known_mean

    @property
    def known_mean(self) -> float:
        return self._total / self._known if self._known else float("nan")
