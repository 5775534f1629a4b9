"""NaN guard: when the loss or a weight stops being a finite number, go back, find out where it began, and stop."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import isfinite
from time import perf_counter

import numpy as np

from symcnn.errors import InputError, KernelMismatchError, NonFiniteError, user_frame
from symcnn.keywords import checked_count
from symcnn.train.callback import Callback
from symcnn.train.probe import Probe
from symcnn.train.snapshot import Snapshot, all_finite
from symcnn.train.step import Step, checked_batch

COPYING = 1 / 20  # of the time, at most
EXPLODED = 1e3  # the weights have exploded if they grew by this factor since the snapshot


@dataclass(frozen=True)
class Incident:
    """What a `NaNGuard` found; prints as an explanation.

    Attributes
    ----------
    step : int
        The first step, counted from 1, whose loss or new weights are not finite.
    epoch, batch : int
        Where that was, counted from 1.
    rows : tuple of int
        Examples of the training set, as `Dataset.take` counts them, in this batch whose own values are not finite.
    error : NonFiniteError or None
        Names the op that made the first NaN or infinity, and the user's line; ``None`` if it could not be found.
    layer : str or None
        The first layer whose output is not finite; ``None`` if all are, and it began in the loss, a gradient or an update.
    growth : float
        Magnitude of the largest weight before that step, as a multiple of what it was at the snapshot.
    text : str
    """

    step: int
    epoch: int
    batch: int
    rows: tuple[int, ...]
    error: Exception | None
    layer: str | None
    growth: float
    text: str

    def __str__(self):
        return self.text


class NaNGuard(Callback):
    """Stop the training when the loss or a weight becomes NaN or infinite, with the last finite weights restored.

    `fit` has one unless it is given ``nan_guard=False``. It looks at the loss of every step, which costs nothing, and
    every so many steps copies weights, states and the optimiser's slots, once they are known to be finite: a copy of
    them in memory, and the time of one such copy. If that is long beside the steps, as it is for a large network on a
    GPU, it copies less often.

    When something is not finite, it goes back to the copy and repeats the steps from there (batches, random numbers and
    rates are the same) up to the first bad one. It repeats that with ``mode="debug"``, which names the op and the line
    that made the first NaN. The model keeps the weights from just before, and a RuntimeWarning tells what was found.

    Parameters
    ----------
    every : int
        Steps between two copies, at least; they take no more than a twentieth of the time.

    Attributes
    ----------
    incident : Incident or None
        What happened, if something did.

    Raises
    ------
    InputError
        If `every` is not at least 1, or the weights are not finite to begin with.

    Examples
    --------
    >>> import symcnn as sc
    >>> X = np.random.default_rng(0).normal(size=(64, 2))
    >>> class Logarithm(sc.nn.Module):
    ...     def forward(self, x, training):
    ...         return sc.log(x)
    >>> model, guard = sc.nn.Sequential(sc.nn.Dense(2, 2, seed=0), Logarithm()), NaNGuard()
    >>> with warnings.catch_warnings(action="ignore"):
    ...     history = sc.train.fit(model, (X, (X[:, 0] > 0).astype(int)), callbacks=guard, device="reference", progress=False)
    >>> print(guard.incident)
    The loss of step 1 (epoch 1, batch 1) is nan; the weights are those from before.
    log made the first NaN or infinity: shape (64, 2), 70 NaN, 0 inf, ...
      where:    ...
      found:    <add: float32[?, 2]>: shape (64, 2), 0 NaN, 0 inf, ...
    The first layer whose output is not finite is 1.
    Keep the operand of that op in its domain (sc.clip, ...
    """

    def __init__(self, every: int = 100):
        self.every = checked_count("NaNGuard: every", every)
        self.incident: Incident | None = None
        self._good: _Position | None = None
        self._rates: list[float] = []
        self._due = 0.0  # when the next copy may be made

    def on_start(self, run):
        bad = [path for path, v in run.model.variables().items() if not all_finite([v])]
        if bad:
            raise InputError(f"fit: {bad[0]} holds NaN or infinity before the first step")
        self.incident = None
        if run.step.function is None:  # so that the optimiser has its slots, which belong to the copy
            run.step.compile(*next(run.batches_of(run.epoch)))
        self._keep(run)

    def on_step(self, run):
        self._rates.append(run.step.optimizer.learning_rate)
        if self.incident is not None:
            return
        if run.stopped or run.batch == run.batches or any(_looks_at_steps(c) for c in run.callbacks if c is not self):
            run.losses.wait()  # else a GPU goes on, and a bad step is noticed when the next is begun
        if not run.losses.all_finite:
            self._investigate(run)
        elif len(self._rates) >= self.every and perf_counter() >= self._due:
            self._check(run)

    def on_end(self, run):
        run.losses.wait()
        if self.incident is None and not (run.losses.all_finite and all_finite(_variables(run.step))):
            self._investigate(run)
        self._good = None

    def _check(self, run):
        """Keep a copy, if there is nothing to investigate."""
        begun = perf_counter()
        if all_finite(_variables(run.step)):
            self._keep(run)
            now = perf_counter()
            self._due = now + (now - begun) * (1 / COPYING - 1)
        else:
            self._investigate(run)

    def _keep(self, run):
        self._good = _Position(Snapshot(run.step), run.steps_done, run.epoch, run.batch, _largest(run.model))
        self._rates = []

    def _investigate(self, run):
        assert self._good is not None
        with np.errstate(all="ignore"):  # what NumPy would warn about is told in better words
            self.incident = _replay(run, self._good, self._rates)
        frame = user_frame()
        warnings.warn_explicit(str(self.incident), RuntimeWarning, frame.f_code.co_filename, frame.f_lineno)
        run.exact = False  # the weights are those of a step before
        run.stop("the loss is not finite" if not isfinite(run.loss) else "a weight is not finite")


def _looks_at_steps(callback) -> bool:
    return type(callback).on_step is not Callback.on_step


@dataclass(frozen=True, eq=False)
class _Position:
    """A copy of everything, and where in the training it was taken."""

    snapshot: Snapshot
    steps_done: int
    epoch: int
    batch: int
    largest: float  # weight


def _replay(run, good: _Position, rates) -> Incident:
    """Repeat the steps since `good` up to the first bad one; leaves model and optimiser as they were before that one."""
    step = run.step
    good.snapshot.restore()
    for number, (rate, (epoch, batch, X, labels)) in enumerate(zip(rates, _batches(run, good), strict=False), start=1):
        step.optimizer.learning_rate = rate
        before, largest = Snapshot(step), _largest(run.model)
        loss = step(X, labels)
        if isfinite(loss) and all_finite(_variables(step)):
            continue
        before.restore()
        error = _blame(step, X, labels)
        before.restore()
        layer = _first_bad_layer(step, X, labels)
        growth = largest / good.largest if good.largest else 1.0
        bad = _bad_rows(step.model, X, labels)
        rows = tuple(run.rows_of(epoch, batch)[bad].tolist())
        where = good.steps_done + number, epoch + 1, batch + 1
        return Incident(*where, rows, error, layer, growth, _explain(where, loss, rows, error, layer, growth, rate))
    good.snapshot.restore()
    where = run.steps_done, run.epoch + 1, run.batch
    text = (
        f"The loss of step {where[0]} (epoch {where[1]}, batch {where[2]}) is {run.loss}, but repeating the steps since step "
        f"{good.steps_done} did not bring it back: something outside the step changed the weights or the data. The weights "
        "are those from then."
    )
    return Incident(*where, (), None, None, 1.0, text)


def _batches(run, good: _Position):
    """(epoch, batch, images, labels) from the position of the copy on."""
    epoch, start = (good.epoch, good.batch) if good.batch < run.batches else (good.epoch + 1, 0)
    while True:
        for batch, (X, labels) in enumerate(run.batches_of(epoch, start), start=start):
            yield epoch, batch, X, labels
        epoch, start = epoch + 1, 0


def _blame(step, X, labels) -> Exception | None:
    """The error of this step in debug mode, where there is one."""
    debug = Step(step.model, step.loss, step.optimizer, step.device, "debug", step.penalty, step.constraint)
    debug.compile(X, labels).calls = step.function.calls
    try:
        debug(X, labels)
    except (NonFiniteError, KernelMismatchError) as error:
        return error
    return None


def _first_bad_layer(step, X, labels) -> str | None:
    for row in Probe(step)(X, labels).layers:
        if not isfinite(row["mean"]):
            return row["layer"]
    return None


def _bad_rows(model, X, labels) -> np.ndarray:
    """Whether the image or the target of each example holds NaN or infinity."""
    bad = np.zeros(len(X), bool)
    for array in checked_batch(model, X, labels):
        if array.dtype.kind == "f":
            bad |= ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
    return bad


def _explain(where, loss, rows, error, layer, growth, rate) -> str:
    number, epoch, batch = where
    what = f"The loss of step {number}" if not isfinite(loss) else f"A weight after step {number}"
    lines = [f"{what} (epoch {epoch}, batch {batch}) is {_kind(loss)}; the weights are those from before."]
    if rows:
        names = ", ".join(map(str, rows[:8])) + (f" and {len(rows) - 8} more" if len(rows) > 8 else "")
        lines.append(
            f"Bad data: the training examples {names} themselves hold NaN or infinity, as this batch has them. Clean them "
            "or leave them out."
        )
        return "\n".join(lines)
    if error is not None:
        lines.append(str(error))
    if layer is not None:
        lines.append(f"The first layer whose output is not finite is {layer}.")
    if growth > EXPLODED:
        lines.append(
            f"The largest weight had grown {growth:.0e} times: the learning rate {rate:g} is too high. Try a tenth of it, or clip the "
            "gradients (clip_norm=1 of the optimiser)."
        )
    elif error is not None:
        lines.append(
            "Keep the operand of that op in its domain (sc.clip, a small constant added), or lower the learning rate "
            f"({rate:g}) if the operand grew too large."
        )
    return "\n".join(lines)


def _kind(loss) -> str:
    return "not finite" if isfinite(loss) else str(loss)


def _variables(step) -> list:
    return [*step.model.variables(), *step.optimizer.variables().values()]


def _largest(model) -> float:
    """The largest magnitude of a weight; unlike a norm it cannot overflow."""
    return max((float(max(p.storage.max(), -p.storage.min())) for p in model.parameters() if p.size), default=0.0)
