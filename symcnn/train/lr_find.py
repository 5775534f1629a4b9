"""The learning rate range test: which rates make the loss fall, and which make it explode."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np

from symcnn.data import as_dataset
from symcnn.errors import InputError
from symcnn.keywords import checked_count, checked_keywords
from symcnn.train.snapshot import Snapshot
from symcnn.train.step import compile_step

SMOOTHING = 0.9  # share of the past in the smoothed loss
EXPLODED = 4.0  # the test ends when the smoothed loss is this many times its smallest value


@dataclass(frozen=True)
class RateCurve:
    """What `lr_find` measured; prints as a table with its conclusion.

    Attributes
    ----------
    rates : numpy.ndarray
        (n,): the learning rates tried, growing by a constant factor.
    losses : numpy.ndarray
        (n,): the loss of each batch, before the step with that rate.
    smoothed : numpy.ndarray
        (n,): its exponential moving average, corrected for its start.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray

    @property
    def lowest(self) -> float:
        """The rate at which the smoothed loss was lowest: beyond it, training gets worse."""
        return float(self.rates[int(np.argmin(self.smoothed))])

    @property
    def steepest(self) -> float | None:
        """The rate at which the smoothed loss fell fastest over the logarithm of the rate; ``None`` if it never fell."""
        if len(self.rates) < 2 or not self._fell:
            return None
        slope = np.gradient(self.smoothed, np.log(self.rates))[: int(np.argmin(self.smoothed)) + 1]
        first = min(len(slope) - 1, len(self.rates) // 10)  # before that, the average is over few batches
        return float(self.rates[first + int(np.argmin(slope[first:]))])

    @property
    def suggestion(self) -> float | None:
        """A tenth of `lowest`: a rate with which the loss still falls fast, with room before it explodes. ``None`` if it never fell."""
        return self.lowest / 10 if self._fell else None

    @property
    def _fell(self) -> bool:
        return bool(self.smoothed.min() < 0.98 * self.smoothed[0]) if len(self.smoothed) else False

    def __str__(self):
        shown = np.unique(np.linspace(0, len(self.rates) - 1, min(len(self.rates), 13)).round().astype(int))
        rows = [f"{self.rates[k]:>10.2e}  {self.losses[k]:>10.4f}  {self.smoothed[k]:>10.4f}" for k in shown]
        return "\n".join([f"{'rate':>10}  {'loss':>10}  {'smoothed':>10}", *rows, self._conclusion()])

    __repr__ = __str__

    def _conclusion(self) -> str:
        if self.suggestion is None:
            return (
                "No rate made the loss fall: check data and labels with train.overfit_check, or try a wider range and "
                "more steps."
            )
        return (
            f"Try a rate of {self.suggestion:.1e}: a tenth of {self.lowest:.1e}, where the loss was lowest "
            f"(it fell fastest at {self.steepest:.1e})."
        )


@checked_keywords
def lr_find(
    model, data, *, low: float = 1e-6, high: float = 10.0, steps: int = 100, batch_size: int = 64,
    loss=None, optimizer=None, step=None, seed: int = 0, device: str = "cpu",
) -> RateCurve:  # fmt: skip
    r"""Try learning rates from `low` to `high`, one per batch, and see what each does to the loss.

    The rate of step i is :math:`low \cdot (high / low)^{i / (steps - 1)}`. The test ends early when the smoothed loss
    explodes: when it is not finite, or four times its smallest value. Afterwards model, optimiser and random numbers are
    exactly as they were. The rate is a value that the compiled step reads, so nothing is compiled on the way.

    Parameters
    ----------
    model : Module
    data : Dataset or pair (images, labels)
        Shuffled, and gone through as often as needed.
    low, high : float
        The range of rates, ``0 < low < high``.
    steps : int
        At least 2.
    batch_size : int
    loss, optimizer, device
        As in `compile_step`. The suggestion holds for this optimiser: Adam wants smaller rates than SGD.
    step : Step, optional
        A step compiled before; then `loss`, `optimizer` and `device` are its own.
    seed : int
        Of the shuffling.

    Returns
    -------
    RateCurve
        With ``rates``, ``losses`` and a ``suggestion``.

    Raises
    ------
    InputError
        If the range or the number of steps makes no sense, or there is no example.

    Notes
    -----
    Smith, *Cyclical learning rates for training neural networks*, WACV 2017 (arXiv:1506.01186), section 3.3.

    Examples
    --------
    >>> import symcnn as sc
    >>> X = np.random.default_rng(0).normal(size=(256, 2))
    >>> model = sc.models.mlp([2, 16, 2], seed=0)
    >>> curve = lr_find(model, (X, (X[:, 0] > 0).astype(int)), high=1e4, device="reference")
    >>> 1e-2 < curve.suggestion < 1e2
    True
    """
    data = as_dataset(data)
    if not 0 < low < high < float("inf"):
        raise InputError("lr_find: the range is empty", expected="0 < low < high", found=f"{low} to {high}")
    checked_count("lr_find: steps", steps, 2)
    checked_count("lr_find: batch_size", batch_size)
    if not len(data):
        raise InputError("lr_find: nothing to try", found="0 examples")
    step = step or compile_step(model, loss, optimizer, device)
    batches = _endless(data, batch_size, seed)
    batch = next(batches)
    step.compile(*batch)
    before = Snapshot(step)
    rates, losses, smoothed = np.geomspace(low, high, steps), [], []
    average = 0.0
    try:
        for rate in rates:
            step.optimizer.learning_rate = float(rate)
            with np.errstate(all="ignore"):  # an explosion is what this is about
                losses.append(step(*batch))
            average = SMOOTHING * average + (1 - SMOOTHING) * losses[-1]
            smoothed.append(average / (1 - SMOOTHING ** len(losses)))
            if not np.isfinite(smoothed[-1]) or smoothed[-1] > EXPLODED * min(smoothed):
                break
            batch = next(batches)
    finally:
        before.restore()
    kept = len(losses) if np.isfinite(losses[-1]) else len(losses) - 1
    return RateCurve(rates[:kept], np.array(losses[:kept]), np.array(smoothed[:kept]))


def _endless(data, batch_size, seed):
    """Batches of equal size: the loss of the few examples that end an epoch could look like an explosion."""
    size = min(batch_size, len(data))
    for epoch in count():
        yield from data.batches(size, shuffle=True, seed=(seed, epoch), drop_last=True)
