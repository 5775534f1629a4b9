"""Early stopping: train while it helps, keep the weights of the best epoch."""

from __future__ import annotations

from math import isnan

from symcnn.errors import InputError
from symcnn.keywords import checked_number, nearest
from symcnn.train.callback import Callback


class EarlyStopping(Callback):
    """End the training when a measured value no longer improves, and give the model its best weights back.

    Parameters
    ----------
    monitor : str
        A column of the history, such as ``"val_loss"`` or ``"val_accuracy"``.
    patience : int
        How many epochs in a row without a new best end the training; 0 means 1.
    min_delta : float
        By how much a value must beat the best to be a new best.
    mode : {"auto", "min", "max"}
        What is better; by "auto" less of what is called a loss or an error, more of all else.
    restore_best : bool
        Whether the model ends with the weights and states of the best epoch rather than the last.

    Attributes
    ----------
    best, best_epoch
        The best value and its epoch, counted from 0; ``None`` before the first.

    Raises
    ------
    InputError
        If an argument is out of range, or nothing of this name is measured.

    Notes
    -----
    Prechelt, *Early stopping -- but when?*, in Neural Networks: Tricks of the Trade, 1998. A value that is NaN is never
    the best.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> rng = np.random.default_rng(0)
    >>> train, validation = ((rng.normal(size=(16, 4)), rng.integers(0, 2, 16)) for _ in range(2))  # nothing to learn
    >>> stopping = EarlyStopping(patience=2)
    >>> history = sc.train.fit(sc.models.mlp([4, 32, 2]), train, validation, epochs=100, callbacks=[stopping],
    ...                        optimizer=sc.optim.SGD(0.5), device="reference", progress=False)
    >>> history.epochs == stopping.best_epoch + 3 < 100
    True
    >>> stopping.best == min(history["val_loss"])
    True
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 3,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
    ):
        if mode not in ("auto", "min", "max"):
            raise InputError("EarlyStopping: mode is 'auto', 'min' or 'max'", found=repr(mode))
        if not isinstance(monitor, str):
            raise InputError("EarlyStopping: monitor is a name", expected="such as 'val_loss'", found=repr(monitor))
        checked_number("EarlyStopping: patience", patience, 0)
        checked_number("EarlyStopping: min_delta", min_delta, 0)
        if mode == "auto":
            mode = "min" if "loss" in monitor or "error" in monitor else "max"
        self.monitor, self.patience, self.min_delta, self.mode = monitor, patience, min_delta, mode
        self.restore_best = restore_best
        self._forget()

    def _forget(self):
        self.best: float | None = None
        self.best_epoch: int | None = None
        self._waited = 0
        self._weights: dict = {}

    def on_start(self, run):
        if not run.resumed:
            self._forget()
        if self._weights and self._weights.keys() != set(run.model.variables().keys()):
            raise InputError(
                "EarlyStopping remembers the weights of another model", found=", ".join(self._weights)[:100]
            )
        if self.monitor.startswith("val_") and run.validation is None:
            raise InputError(
                f"EarlyStopping watches {self.monitor!r}, and there is no validation set",
                hint="sc.train.fit(model, train, validation, ...), or watch 'loss'",
            )
        self._stop_if_waited_out(run)  # a finished run that is resumed stays finished

    def on_epoch(self, run):
        if self.monitor not in run.metrics:
            raise InputError(
                f"EarlyStopping watches {self.monitor!r}, which is not measured",
                hint=nearest(self.monitor, run.metrics),
            )
        value = run.metrics[self.monitor]
        if self._is_better(value):
            self.best, self.best_epoch, self._waited = value, run.epoch, 0
            if self.restore_best:
                self._weights = {path: v.get_value() for path, v in run.model.variables().items()}
        else:
            self._waited += 1
            self._stop_if_waited_out(run)

    def on_end(self, run):
        if self.best_epoch is not None and self._weights and (self._waited or run.interrupted):
            for path, variable in run.model.variables().items():
                variable.set_value(self._weights[path])
            run.say(f"the model has the weights of epoch {self.best_epoch + 1} ({self.monitor} {self.best:.4f})")

    def _is_better(self, value) -> bool:
        if self.best is None:
            return not isnan(value)
        return value < self.best - self.min_delta if self.mode == "min" else value > self.best + self.min_delta

    def _stop_if_waited_out(self, run):
        if self._waited >= max(self.patience, 1):
            run.stop(f"{self.monitor} has not improved for {self._waited} epoch{'s' * (self._waited > 1)}")

    def state(self):
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self._waited, "weights": self._weights}

    def restore(self, state):
        best, best_epoch, waited, weights = (state[name] for name in ("best", "best_epoch", "waited", "weights"))
        fits = isinstance(best, int | float | None) and isinstance(best_epoch, int | None)
        if not (fits and isinstance(waited, int) and isinstance(weights, dict)):
            raise InputError(
                "EarlyStopping: this is no state of it", expected=list(self.state()), found=f"{state!r:.100}"
            )
        self.best, self.best_epoch, self._waited, self._weights = best, best_epoch, waited, weights
