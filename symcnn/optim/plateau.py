"""Plateau: a schedule that lowers the rate when training no longer gets better."""

from __future__ import annotations

from math import isfinite

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, checked_number
from symcnn.optim.schedules import Schedule


class Plateau:
    """Multiply the rate by `factor` once a monitored value has not improved for more than `patience` epochs.

    `symcnn.train.fit` tells it the value after each epoch.

    Parameters
    ----------
    factor : float
        Above 0 and below 1.
    patience : int
        How many epochs without an improvement are borne.
    threshold : float
        The part of the best value by which a better one must differ, at least 0 and below 1.
    cooldown : int
        How many epochs after a reduction are not counted.
    floor : float
        The rate is never multiplied by less than this, all in all.
    monitor : str, optional
        A column of the history, such as "val_accuracy"; by default the loss of the validation, without one that of the
        training.
    mode : {"auto", "min", "max"}
        What is better; by "auto" less of what is called a loss or an error, more of all else.
    schedule : callable, optional
        Another schedule, whose factor is multiplied by this one's.

    Attributes
    ----------
    monitor
        As given.
    scale : float
        The factor it has come to.

    Raises
    ------
    InputError
        If a value is no number or outside its range.

    Notes
    -----
    As ReduceLROnPlateau of PyTorch and Keras. NaN and infinity are no improvement.

    Examples
    --------
    >>> plateau = Plateau(factor=0.5, patience=1)
    >>> for loss in (1.0, 0.8, 0.8, 0.8, 0.7):
    ...     plateau.observe(loss)
    ...     print(plateau(0), end=" ")
    1.0 1.0 1.0 0.5 0.5
    """

    @checked_keywords
    def __init__(
        self, factor=0.1, patience=10, threshold=1e-4, cooldown=0, floor=0.0,
        monitor: str | None = None, mode="auto", schedule: Schedule | None = None,
    ):  # fmt: skip
        self.factor = checked_number("factor", factor, 0, 1, strict=True)
        self.patience, self.cooldown = checked_number("patience", patience, 0), checked_number("cooldown", cooldown, 0)
        self.threshold, self.floor = checked_number("threshold", threshold, 0, 1), checked_number("floor", floor, 0)
        if mode not in ("auto", "min", "max"):
            raise InputError("Plateau: mode is 'auto', 'min' or 'max'", found=repr(mode))
        if monitor is not None and not isinstance(monitor, str):
            raise InputError("Plateau: monitor is a name", expected="such as 'val_accuracy'", found=repr(monitor))
        if schedule is not None and not callable(schedule):
            raise InputError("Plateau: this is no schedule", expected="such as warmup(5)", found=repr(schedule))
        if mode == "auto":
            mode = "min" if monitor is None or "loss" in monitor or "error" in monitor else "max"
        self.monitor, self.mode, self.schedule = monitor, mode, schedule
        self.reset()

    def reset(self) -> None:
        """Forget what was observed: every `symcnn.train.fit` that resumes nothing begins with the whole rate."""
        self.scale = 1.0
        self._best: float | None = None
        self._waited = self._resting = 0.0  # epochs

    def __call__(self, epoch: float) -> float:
        """The factor of the rate."""
        return self.scale * (self.schedule(epoch) if self.schedule else 1.0)

    def observe(self, value: float) -> None:
        """Take notice of the value after an epoch."""
        if self._is_better(value):
            self._best, self._waited = float(value), 0
        else:
            self._waited += 1
        if self._resting:
            self._resting, self._waited = max(self._resting - 1, 0), 0
        if self._waited > self.patience:
            self.scale = min(self.scale, max(self.scale * self.factor, self.floor))
            self._waited, self._resting = 0, self.cooldown

    def state(self) -> dict:
        """What was noticed so far, as plain numbers: what a checkpoint holds."""
        return {"scale": self.scale, "best": self._best, "waited": self._waited, "resting": self._resting}

    def restore(self, state: dict) -> None:
        """Go on from what `state` gave.

        Raises
        ------
        InputError
            If this is no such state; then nothing changes.
        """
        if not isinstance(state, dict) or state.keys() != self.state().keys():
            raise InputError("Plateau: this is no state of a plateau", expected=list(self.state()), found=repr(state))
        scale, waited, resting = (checked_number(name, state[name], 0) for name in ("scale", "waited", "resting"))
        best = None if state["best"] is None else checked_number("best", state["best"])
        self.scale, self._best, self._waited, self._resting = scale, best, waited, resting

    def _is_better(self, value) -> bool:
        if self._best is None or not isfinite(value):
            return isfinite(value)
        margin = self.threshold * abs(self._best)
        return value < self._best - margin if self.mode == "min" else value > self._best + margin
