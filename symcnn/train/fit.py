"""The training loop: shuffle, batch, step, validate, write down; callbacks do the rest."""

from __future__ import annotations

from math import ceil, inf, isfinite
from time import perf_counter

import numpy as np

from symcnn.data import as_dataset, prefetch
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, nearest
from symcnn.train.callback import Callback, Run, checked_callbacks
from symcnn.train.evaluate import compile_evaluation
from symcnn.train.history import History
from symcnn.train.interrupt import Interrupts
from symcnn.train.nan_guard import NaNGuard
from symcnn.train.progress import Progress
from symcnn.train.step import Step, compile_step


@checked_keywords
def fit(
    model,
    train,
    validation=None,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 64,
    loss=None,
    optimizer=None,
    schedule=None,
    step=None,
    evaluation=None,
    seed: int = 0,
    device: str = "cpu",
    progress: bool | str = True,
    callbacks=(),
    on_epoch=None,
    nan_guard: bool = True,
) -> History:
    """Train `model` on `train`.

    Ctrl-C ends the training after the step in progress and returns normally, with what was learnt and written down by
    then; a second one raises KeyboardInterrupt.

    Parameters
    ----------
    model : Module
    train : Dataset or pair (images, labels)
        Shuffled anew before every epoch, in an order drawn from `seed` and the epoch.
    validation : Dataset or pair, optional
        Evaluated after every epoch; never trained on.
    epochs : int, optional
        10 by default, or as many as `steps` need.
    steps : int, optional
        End after so many steps, even within an epoch.
    batch_size : int
    loss, optimizer, device
        As in `compile_step`.
    schedule : callable, optional
        Factor of the optimiser's learning rate, from the epoch as a fraction counted from 0, asked before every step;
        see `symcnn.optim.cosine_decay`. One that has a method ``observe`` is told the value to watch after each epoch.
    step : Step, optional
        A step compiled before; then `loss`, `optimizer` and `device` are its own.
    evaluation : Evaluation, optional
        Compiled before, for the validation; by default of the step's loss and device.
    seed : int
        Of the shuffling.
    progress : bool or {"bar", "lines"}
        A bar per epoch in a terminal or a notebook, a line per epoch if the output is piped; ``False`` for nothing.
    callbacks : Callback or sequence of them
        Called around the steps: `EarlyStopping`, your own.
    on_epoch : callable, optional
        Called as ``on_epoch(epoch, history)`` after each epoch.
    nan_guard : bool
        Stop with the last finite weights when the loss or a weight becomes NaN or infinite, and say where that began; see
        `NaNGuard`.

    Returns
    -------
    History
        Per epoch: ``loss`` (mean over the training examples, as they were met), with a validation set ``val_loss`` and
        ``val_accuracy``, ``learning_rate`` (of the last step) and ``seconds``.

    Raises
    ------
    InputError
        If there is nothing to train on, the validation set does not fit the model, or a keyword is unknown.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> X = np.random.default_rng(0).normal(size=(64, 2))
    >>> model = sc.models.mlp([2, 2])
    >>> history = fit(model, (X, (X[:, 0] > 0).astype(int)), epochs=3, batch_size=16,
    ...               device="reference", progress=False)
    >>> history["loss"][0] > history["loss"][-1]
    True
    """
    train, validation = as_dataset(train), None if validation is None else as_dataset(validation)
    last = _checked_size(train, batch_size, epochs, steps)
    callbacks = checked_callbacks(callbacks) + ([] if on_epoch is None else [_EveryEpoch(on_epoch)])
    if nan_guard and not any(isinstance(callback, NaNGuard) for callback in callbacks):
        callbacks = [NaNGuard(), *callbacks]  # the first: what the others then see and write down is finite
    if step is not None and not isinstance(step, Step):
        raise InputError("fit: this is no step", found=repr(step), hint="sc.train.compile_step(model, ...)")
    step = step or compile_step(model, loss, optimizer, device)
    evaluation = evaluation or compile_evaluation(model, step.loss, step.device)
    shown = Progress(progress)
    run = Run(model, step, train, validation, batch_size, last, seed, shown.say, ceil(len(train) / batch_size))
    rate = _Rate(step.optimizer, schedule)
    if validation is not None:
        _try(evaluation, validation)
    for callback in callbacks:
        callback.on_start(run)
    try:
        with Interrupts(run) as interrupts:
            try:
                while run.epoch < run.epochs and not run.stopped:
                    _epoch(run, rate, evaluation, callbacks, shown, interrupts, steps)
            except KeyboardInterrupt:
                if run.interrupted:
                    raise
                interrupts.note()
            shown.finish()
            if run.stopped:
                shown.say(f"stopped {run.position}: {run.stopped}")
            for callback in reversed(callbacks):
                callback.on_end(run)
    finally:
        shown.finish()
        rate.give_back()
    return run.history


def _epoch(run, rate, evaluation, callbacks, shown, interrupts, steps) -> None:
    """One pass over the training set, or what is left of it, then the validation."""
    start = perf_counter()
    shown.start(run.epoch, run.epochs, len(run.train), run.examples)
    _steps(run, rate, callbacks, shown, steps)
    if run.interrupted:
        return
    metrics = {"loss": run.mean_loss}
    if run.validation is not None:
        with interrupts.at_once():
            metrics |= {f"val_{name}": value for name, value in evaluation(run.validation).items()}
    shown.finish(metrics)
    run.metrics = metrics | {"learning_rate": run.step.optimizer.learning_rate, "seconds": perf_counter() - start}
    run.history.add(**run.metrics)
    rate.observe(run.metrics)
    for callback in callbacks:
        callback.on_epoch(run)
    if run.batch == run.batches:
        run.epoch, run.batch, run.total_loss, run.examples = run.epoch + 1, 0, 0.0, 0


def _steps(run, rate, callbacks, shown, limit) -> None:
    batches = run.train.batches(run.batch_size, shuffle=True, seed=(run.seed, run.epoch), start=run.batch)
    with prefetch(batches) as ready:
        for run.images, run.labels in ready:
            rate.set(run.epoch + run.batch / run.batches)
            run.loss = run.step(run.images, run.labels)
            run.steps_done, run.batch = run.steps_done + 1, run.batch + 1
            run.total_loss += run.loss * len(run.images)
            run.examples += len(run.images)
            if run.steps_done == limit:
                run.stop(f"{limit} steps are done")
            for callback in callbacks:
                callback.on_step(run)
            shown.advance(len(run.images), run.mean_loss)
            if run.stopped:
                return


class _Rate:
    """The optimiser's learning rate, as the schedule has it; as it was before, at the end."""

    def __init__(self, optimizer, schedule):
        if schedule is not None and not callable(schedule):
            raise InputError(
                "fit: the schedule is not callable", found=repr(schedule), hint="sc.optim.cosine_decay(epochs)"
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

    def give_back(self) -> None:
        self.optimizer.learning_rate = self.base


class _EveryEpoch(Callback):
    """A function as a callback."""

    def __init__(self, function):
        if not callable(function):
            raise InputError("fit: on_epoch is not callable", found=repr(function))
        self.function = function

    def on_epoch(self, run):
        self.function(run.epoch, run.history)


def _checked_size(train, batch_size, epochs, steps) -> float:
    """The number of epochs."""
    for name, value in {"epochs": epochs, "steps": steps, "batch_size": batch_size}.items():
        if value is not None and (not isinstance(value, (int, np.integer)) or value < 1):
            raise InputError(f"fit: {name} is a whole number, at least 1", found=repr(value))
    if not len(train):
        raise InputError("fit: nothing to train on", found="0 examples")
    if epochs is None:
        return 10 if steps is None else inf
    return epochs


def _try(evaluation, validation) -> None:
    """Evaluate two examples, so that a validation set that does not fit is noticed before an epoch is spent."""
    if not len(validation):
        raise InputError("fit: the validation set is empty", hint="leave it out, or split one off: train.split(0.1)")
    labels = validation.labels
    if labels.ndim == 1 and labels.dtype.kind in "iu":
        rows = np.array([labels.argmin(), labels.argmax()])  # one of these is out of range if any is
    else:
        rows = np.arange(min(2, len(labels)))
    evaluation(validation.take(rows))
