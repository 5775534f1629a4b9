"""Callbacks: what is done around the steps of a training run, and what they see of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from symcnn.data import Dataset
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.train.history import History
from symcnn.train.rate import Rate
from symcnn.train.running_loss import RunningLoss
from symcnn.train.step import Step


class Callback:
    """Base of all callbacks; a new one overrides what it needs.

    `fit` calls `on_start`, `on_step` and `on_epoch` in the order in which it was given the callbacks, `on_end` in the
    reverse. An error in any of them ends the training, without `on_end`.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> class Announce(Callback):
    ...     def on_epoch(self, run):
    ...         print(f"epoch {run.epoch + 1} of {run.epochs}, after {run.steps_done} steps")
    >>> data = np.eye(4), np.arange(4)
    >>> history = sc.train.fit(sc.models.mlp([4, 4]), data, epochs=2, batch_size=2, callbacks=[Announce()],
    ...                        device="reference", progress=False)
    epoch 1 of 2, after 2 steps
    epoch 2 of 2, after 4 steps
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.__init__ = checked_keywords(cls.__init__)

    def on_start(self, run: Run) -> None:
        """Before the first step; a resumed run (``run.resumed``) has its position, history and states back by then."""

    def on_step(self, run: Run) -> None:
        """After each step."""

    def on_epoch(self, run: Run) -> None:
        """After each epoch, when it has been validated and its row stands in ``run.history``."""

    def on_end(self, run: Run) -> None:
        """After the last epoch, however that became the last: by number, by ``run.stop`` or by Ctrl-C."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold so that a resumed run goes on as this one would have.

        Numbers, texts, lists and arrays by name, also in dicts inside it.
        """
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned; called before `on_start`, when a run is resumed."""


@dataclass(eq=False)
class Run:
    """A training run in progress.

    Attributes
    ----------
    model, step, train, validation, batch_size, epochs, steps, seed, prefetch
        As `fit` has them; ``step.optimizer`` is the optimiser, and what is not limited is infinite.
    rate : Rate
        The learning rate without and with the schedule.
    callbacks : list of Callback
        All of them, in order.
    epoch : int
        The current one, counted from 0.
    batch : int
        How many batches of this epoch are done.
    batches : int
        How many batches an epoch has.
    steps_done : int
        How many steps are done since the very first, also those before a resume.
    loss : float
        Of the latest step. A GPU is still computing it when `on_step` is called: asking waits for it.
    losses : RunningLoss
        Those of this epoch.
    images, labels : numpy.ndarray
        The latest batch.
    mean_loss : float
        Over the examples of this epoch so far.
    metrics : dict
        The latest row of the history: ``loss``, ``val_loss``, ...
    history : History
    stopped : str or None
        Why the run ends before its time, once `stop` was called or Ctrl-C pressed.
    interrupted : bool
        Whether that was Ctrl-C.
    resumed : bool
        Whether the run goes on from a checkpoint.
    epoch_is_over : bool
        Whether this epoch is complete and in the history.
    exact : bool
        Whether the weights are those of this position; a callback that sets others says ``False``, and no checkpoint is
        written any more.
    """

    model: Any
    step: Step
    train: Dataset
    validation: Dataset | None
    batch_size: int
    epochs: float
    steps: float
    seed: int
    rate: Rate
    callbacks: list[Callback]
    say: Any  # tells the user one line, where progress is shown
    batches: int
    epoch: int = 0
    batch: int = 0
    steps_done: int = 0
    losses: RunningLoss = field(default_factory=RunningLoss)
    images: np.ndarray | None = None
    labels: np.ndarray | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    history: History = field(default_factory=History)
    stopped: str | None = None
    interrupted: bool = False
    resumed: bool = False
    resumed_from: Path | None = None  # also where that folder was empty
    epoch_is_over: bool = False
    exact: bool = True
    prefetch: int = 2
    epoch_start: float = 0.0  # as perf_counter has it

    def batches_of(self, epoch: int, start: int = 0):
        """(images, labels) of an epoch, from its batch number `start` on: the same ones whenever it is asked."""
        return self.train.batches(self.batch_size, shuffle=True, seed=(self.seed, epoch), start=start)

    def rows_of(self, epoch: int, batch: int) -> np.ndarray:
        """Which of the stored training examples are in a batch of an epoch, as `Dataset.take` counts them."""
        numbered = replace(self.train, images=np.arange(len(self.train.images)), steps=())
        return next(numbered.batches(self.batch_size, shuffle=True, seed=(self.seed, epoch), start=batch))[0]

    def stop(self, reason: str) -> None:
        """End the training after this step; the epoch so far is still validated and written down."""
        self.stopped = self.stopped or reason

    @property
    def loss(self) -> float:
        return self.losses.latest

    @property
    def mean_loss(self) -> float:
        return self.losses.mean

    @property
    def position(self) -> str:
        """Where the run is, in words."""
        if self.batch:
            return f"in epoch {self.epoch + 1}, after batch {self.batch} of {self.batches}"
        return f"after epoch {self.epoch}" if self.epoch else "before the first step"


def checked_callbacks(callbacks) -> list[Callback]:
    """`callbacks` as a list; one alone need not stand in a list.

    Raises
    ------
    InputError
        If one of them is no Callback.
    """
    if isinstance(callbacks, (Callback, type)) or not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    found: list[Callback] = []
    for callback in callbacks:
        if isinstance(callback, type) and issubclass(callback, Callback):
            raise InputError(
                "fit: this callback is a class, not an object", found=callback.__name__, hint=f"{callback.__name__}()"
            )
        if not isinstance(callback, Callback):
            raise InputError(
                "fit: this is no callback",
                expected="objects of a class derived from sc.train.Callback",
                found=repr(callback),
                hint="a function goes to on_epoch=, called as on_epoch(epoch, history)" if callable(callback) else None,
            )
        found.append(callback)
    return found
