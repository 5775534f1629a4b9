"""The training loop: shuffle, batch, step, validate, write down; callbacks do the rest."""

from __future__ import annotations

from contextlib import closing
from math import ceil, inf
from os import PathLike
from time import perf_counter

import numpy as np

from symcnn import data
from symcnn.data import as_dataset
from symcnn.errors import InputError
from symcnn.keywords import checked_count, checked_keywords, takes
from symcnn.train.callback import Callback, Run, checked_callbacks
from symcnn.train.checkpoints import Checkpoints
from symcnn.train.checkpoints import resume as resume_from
from symcnn.train.evaluate import compile_evaluation
from symcnn.train.history import History
from symcnn.train.interrupt import Interrupts
from symcnn.train.nan_guard import NaNGuard
from symcnn.train.progress import Progress
from symcnn.train.rate import Rate
from symcnn.train.step import Step, check_model, compile_step


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
    penalty=None,
    constraint=None,
    schedule=None,
    step=None,
    evaluation=None,
    metrics=None,
    seed: int = 0,
    device: str = "cpu",
    progress: bool | str = True,
    callbacks=(),
    on_epoch=None,
    nan_guard: bool = True,
    prefetch: int = 2,
    resume=None,
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
    loss, optimizer, penalty, constraint, device
        As in `compile_step`.
    schedule : callable, optional
        Factor of the optimiser's learning rate, from the epoch as a fraction counted from 0, asked before every step;
        see `symcnn.optim.cosine_decay`. One that has a method ``observe`` is told the value to watch after each epoch.
    step : Step, optional
        A step compiled before, instead of what makes one: it has its own loss, optimiser, rules and device.
    evaluation : Evaluation, optional
        Compiled before, for the validation; by default of the step's loss and device, with the `metrics`.
    metrics : callable, sequence of them or dict of them by name, optional
        More to measure in the validation; see `evaluate`.
    seed : int
        Of the shuffling.
    progress : bool or {"bar", "lines"}
        A bar per epoch in a terminal or a notebook, a line per epoch if the output is piped; ``False`` for nothing.
    callbacks : Callback or sequence of them
        Called around the steps: `EarlyStopping`, `Checkpoints`, your own.
    on_epoch : callable, optional
        Called as ``on_epoch(epoch, history)`` after each epoch.
    nan_guard : bool
        Stop with the last finite weights when the loss or a weight becomes NaN or infinite, and say where that began; see
        `NaNGuard`.
    prefetch : int
        How many batches a background thread makes ahead; with 0 each is made when its step is due.
    resume : str or pathlib.Path, optional
        Folder of `Checkpoints`: continue from the newest, to the same bits as a run that was never broken off. Begins at
        the start if there is none yet, so that one command starts a run and continues it. More epochs or steps than
        before may be asked for; all else must be as it was.

    Returns
    -------
    History
        Per epoch: ``loss`` (mean over the training examples, as they were met), with a validation set ``val_loss``,
        ``val_accuracy`` and the metrics, ``learning_rate`` (of the last step) and ``seconds``.

    Raises
    ------
    InputError
        If there is nothing to train on, the validation set does not fit the model, or a keyword is unknown.
    FileError
        If no checkpoint in the folder can be read, or it is of another run.

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
    check_model("fit", model)
    train, validation = as_dataset(train), None if validation is None else as_dataset(validation)
    _check_counts(train, prefetch, epochs=epochs, steps=steps, batch_size=batch_size)
    if epochs is None:
        epochs = 10 if steps is None else None
    if step is not None and not isinstance(step, Step):
        raise InputError("fit: this is no step", found=repr(step), hint="sc.train.compile_step(model, ...)")
    for name, compiled in {"step": step, "evaluation": evaluation}.items():
        other = getattr(compiled, "model", model)  # an evaluation may be any function of the data
        if other is not model:
            raise InputError(
                f"fit: the {name} is of another model", found=f"{name}.model is another {type(other).__name__}",
                hint=f"compile the {name} for this model",
            )  # fmt: skip
    if resume is not None and not isinstance(resume, (str, PathLike)):
        raise InputError(
            "fit: resume names the folder of Checkpoints", found=repr(resume),
            hint="callbacks=[sc.train.Checkpoints(folder)], resume=folder",
        )  # fmt: skip
    made_of = {"loss": loss, "optimizer": optimizer, "penalty": penalty, "constraint": constraint}
    for owner, compiled, options in (("step", step, made_of), ("evaluation", evaluation, {"metrics": metrics})):
        for name, given in options.items():
            if given is not None and compiled is not None:
                raise InputError(
                    f"fit: the {owner} has a {name} of its own", hint=f"give {name}= or {owner}=, not both"
                )
    if metrics is not None and validation is None:
        raise InputError(
            "fit: metrics are measured in the validation, and there is none",
            hint="sc.train.fit(model, train, validation, ...); train.split(0.1) sets one aside",
        )
    step = step or compile_step(model, loss, optimizer, device, penalty=penalty, constraint=constraint)
    evaluation = evaluation or compile_evaluation(model, step.loss, step.device, metrics)
    callbacks = checked_callbacks(callbacks) + ([] if on_epoch is None else [_EveryEpoch(on_epoch)])
    if nan_guard and not any(isinstance(callback, NaNGuard) for callback in callbacks):
        callbacks.insert(0, NaNGuard())  # the first: what the others then see and write down is finite
    callbacks.sort(key=lambda callback: isinstance(callback, Checkpoints))  # they hold the states of the others
    shown = Progress(progress)
    run = Run(
        model, step, train, validation, batch_size, epochs or inf, steps or inf, seed, Rate(step.optimizer, schedule),
        callbacks, shown.say, ceil(len(train) / batch_size), prefetch=prefetch,
    )  # fmt: skip
    if validation is not None:
        _try(evaluation, validation)
    run.rate.reset()
    if resume is not None:
        resume_from(run, resume)
    try:
        for callback in callbacks:
            callback.on_start(run)
        with Interrupts(run) as interrupts:
            try:
                while not _is_over(run):
                    _epoch(run, evaluation, shown, interrupts)
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
        run.rate.give_back()
    return run.history


def _is_over(run) -> bool:
    return run.stopped is not None or run.epoch >= run.epochs or (run.steps_done >= run.steps and not run.batch)


def _epoch(run, evaluation, shown, interrupts) -> None:
    """One pass over the training set, or what is left of it, then the validation."""
    if not run.batch:
        run.epoch_start = perf_counter()
    shown.start(run.epoch, run.epochs, len(run.train), run.losses.examples)
    _steps(run, shown)
    if run.interrupted:
        return
    metrics = {"loss": run.mean_loss}
    if run.validation is not None:
        with interrupts.at_once():
            metrics |= {f"val_{name}": value for name, value in evaluation(run.validation).items()}
    shown.finish(metrics)
    seconds = perf_counter() - run.epoch_start
    run.metrics = metrics | {"learning_rate": run.step.optimizer.learning_rate, "seconds": seconds}
    run.history.add(**run.metrics)
    run.rate.observe(run.metrics)
    run.epoch_is_over = run.batch == run.batches
    for callback in run.callbacks:
        callback.on_epoch(run)
    if run.epoch_is_over:
        run.epoch, run.batch, run.epoch_is_over = run.epoch + 1, 0, False
        run.losses.start()


def _steps(run, shown) -> None:
    _stop_at_limit(run)  # a resumed run may have done all its steps
    batches = _uploaded(run.step, run.batches_of(run.epoch, run.batch))
    with data.prefetch(batches, run.prefetch) if run.prefetch else closing(batches) as ready:
        while not run.stopped and (batch := next(ready, None)):
            run.images, run.labels, on_device = batch
            run.rate.set(run.epoch + run.batch / run.batches)
            run.exact = False  # until the step is counted
            loss = run.step.begin(*on_device)
            run.steps_done, run.batch = run.steps_done + 1, run.batch + 1
            run.losses.add(loss, len(run.images))
            run.exact = True
            _stop_at_limit(run)
            for callback in run.callbacks:
                callback.on_step(run)
            shown.advance(len(run.images), run.losses.known_mean)


def _uploaded(step, batches):
    """(images, labels, both as the step takes them): a GPU is sent them while it computes."""
    with closing(batches):
        for images, labels in batches:
            yield images, labels, step.upload(images, labels)


def _stop_at_limit(run) -> None:
    if run.steps_done >= run.steps:
        run.stop(f"{run.steps} steps are done")


class _EveryEpoch(Callback):
    """A function as a callback."""

    def __init__(self, function):
        if not callable(function) or not takes(function, 2):
            raise InputError(
                "fit: on_epoch is a function of two", expected="on_epoch(epoch, history)", found=repr(function)
            )
        self.function = function

    def on_epoch(self, run):
        self.function(run.epoch, run.history)


def _check_counts(train, prefetch, **counts) -> None:
    for name, value in counts.items():
        if value is not None:
            checked_count(f"fit: {name}", value)
    if not isinstance(prefetch, (int, np.integer)) or prefetch < 0:
        raise InputError("fit: prefetch is a number of batches, 0 for none", found=repr(prefetch))
    if not len(train):
        raise InputError("fit: nothing to train on", found="0 examples")


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
