"""The learning rate during a run: what the schedule makes of the optimiser's own."""

from __future__ import annotations

from math import isfinite

import numpy as np

from symcnn import optim
from symcnn.errors import InputError
from symcnn.keywords import meant, nearest


class Rate:
    """The optimiser's rate, which a schedule multiplies before each step and which is as before at the end.

    Attributes
    ----------
    base : float
        The optimiser's rate as the run found it.
    """

    def __init__(self, optimizer, schedule=None):
        if schedule is not None and not callable(schedule):
            raise InputError(
                "fit: the schedule is not callable", expected="a schedule such as sc.optim.cosine_decay(epochs)",
                found=repr(schedule), hint=meant(schedule, optim.__all__) if isinstance(schedule, str) else None,
            )  # fmt: skip
        if (name := getattr(schedule, "__name__", None)) in optim.__all__:
            raise InputError(
                f"fit: {name} makes schedules and is none", expected=f"sc.optim.{name}(...)", found=f"sc.optim.{name}"
            )
        self.optimizer, self.schedule = optimizer, schedule
        self.base = optimizer.learning_rate

    def set(self, epoch: float) -> None:
        """Set the rate for a step at this place, such as 0.5 in the middle of the first epoch."""
        if self.schedule is None:
            return
        factor = self.schedule(epoch)
        if not isinstance(factor, (int, float, np.number)) or not (isfinite(factor) and factor >= 0):
            raise InputError(
                f"the schedule gave no factor of the learning rate for epoch {epoch:g}",
                expected="a finite number, at least 0",
                found=repr(factor),
            )
        self.optimizer.learning_rate = self.base * float(factor)

    def observe(self, metrics: dict[str, float]) -> None:
        """Tell the schedule how the epoch went, if it wants to know."""
        observe = getattr(self.schedule, "observe", None)
        if observe is None:
            return
        monitor = getattr(self.schedule, "monitor", None) or ("val_loss" if "val_loss" in metrics else "loss")
        if monitor not in metrics:
            raise InputError(f"the schedule watches {monitor!r}, which is not measured", hint=nearest(monitor, metrics))
        observe(metrics[monitor])

    def reset(self) -> None:
        """Let the schedule forget what it saw of another run, if it remembers anything."""
        reset = getattr(self.schedule, "reset", None)
        if reset is not None:
            reset()

    def give_back(self) -> None:
        """Set the rate as it was before the run."""
        self.optimizer.learning_rate = self.base

    def state(self) -> dict:
        """What the schedule remembers, if anything."""
        state = getattr(self.schedule, "state", None)
        return {} if state is None else state()

    def restore(self, state: dict) -> None:
        """Take back what `state` returned."""
        restore = getattr(self.schedule, "restore", None)
        if restore is not None:
            restore(state)
