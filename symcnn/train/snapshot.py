"""Snapshot: everything that a training step changes, kept in memory, to go back to."""

from __future__ import annotations

import numpy as np


class Snapshot:
    """The weights and states of a model, and with a `Step` also its optimiser and the counter of its random numbers.

    Costs one copy of these arrays, in memory and, when taken or restored, in time.

    Parameters
    ----------
    step : Step
        Compiled, so that its optimiser has all its slots.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = sc.models.mlp([3, 2])
    >>> step = sc.train.compile_step(model, device="reference")
    >>> batch = np.ones((4, 3)), np.array([0, 1, 0, 1])
    >>> _ = step.compile(*batch)
    >>> before = Snapshot(step)
    >>> first = step(*batch), step(*batch)
    >>> before.restore()
    >>> (step(*batch), step(*batch)) == first
    True
    """

    def __init__(self, step):
        self._step = step
        held = [*step.model.variables(), *step.optimizer.variables().values()]
        self._values = {variable: variable.get_value() for variable in held}
        self._calls = 0 if step.function is None else step.function.calls

    def restore(self) -> None:
        """Make everything as it was."""
        for variable, value in self._values.items():
            variable.set_value(value)
        if self._step.function is not None:
            self._step.function.calls = self._calls


def all_finite(variables) -> bool:
    """Whether no value of these Shareds is NaN or infinite."""
    return all(v.dtype.kind != "f" or bool(np.isfinite(v.storage).all()) for v in variables)
