"""The training loop: shuffle, batch, step, validate, write down."""

from __future__ import annotations

from time import perf_counter

from symcnn.data import as_dataset
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.train.evaluate import compile_evaluation
from symcnn.train.history import History
from symcnn.train.step import compile_step


@checked_keywords
def fit(
    model,
    train,
    validation=None,
    *,
    epochs: int = 10,
    batch_size: int = 64,
    loss=None,
    optimizer=None,
    schedule=None,
    step=None,
    evaluation=None,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = True,
    on_epoch=None,
) -> History:
    """Train `model` on `train`.

    Parameters
    ----------
    model : Module
    train : Dataset or pair (images, labels)
        Shuffled anew before every epoch.
    validation : Dataset or pair, optional
        Evaluated after every epoch; never trained on.
    epochs, batch_size : int
    loss, optimizer, device
        As in `compile_step`.
    schedule : callable, optional
        Factor of the optimiser's learning rate, from the epoch counted from 0; see `symcnn.optim.cosine_decay`.
    step : Step, optional
        A step compiled before; then `loss`, `optimizer` and `device` are its own.
    evaluation : Evaluation, optional
        Compiled before, for the validation; by default of the step's loss and device.
    seed : int
        Of the shuffling.
    progress : bool
        Show a progress bar per epoch.
    on_epoch : callable, optional
        Called as ``on_epoch(epoch, history)`` after each epoch.

    Returns
    -------
    History
        Per epoch: ``loss`` (mean over the training examples, as they were met), ``learning_rate``, ``seconds``, and
        with a validation set ``val_loss`` and ``val_accuracy``.

    Raises
    ------
    InputError
        If there is nothing to train on, or a keyword is unknown.

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
    train = as_dataset(train)
    if not len(train) or epochs < 1:
        raise InputError("fit: nothing to train on", found=f"{len(train)} examples, {epochs} epochs")
    step = step or compile_step(model, loss, optimizer, device)
    evaluation = evaluation or compile_evaluation(model, step.loss, step.device)
    base_rate = step.optimizer.learning_rate
    history = History()
    try:
        for epoch in range(epochs):
            step.optimizer.learning_rate = base_rate * (schedule(epoch) if schedule else 1.0)
            title = f"epoch {epoch + 1:>{len(str(epochs))}}/{epochs}"
            start = perf_counter()
            with _bar(title, len(train), progress) as bar:
                batches = train.batches(batch_size, shuffle=True, seed=(seed, epoch))
                found = {"loss": _train_epoch(step, batches, bar)}
                if validation is not None:
                    measured = evaluation(validation)
                    found |= {f"val_{name}": value for name, value in measured.items()}
                bar.set_postfix_str("  ".join(f"{name} {value:.4f}" for name, value in found.items()))
            history.add(**found, learning_rate=step.optimizer.learning_rate, seconds=perf_counter() - start)
            if on_epoch:
                on_epoch(epoch, history)
    finally:
        step.optimizer.learning_rate = base_rate
    return history


def _train_epoch(step, batches, bar) -> float:
    """One pass over `batches`; the mean loss of its examples, each as it was when its batch came."""
    total, seen = 0.0, 0
    for X, labels in batches:
        total += step(X, labels) * len(X)
        seen += len(X)
        bar.set_postfix_str(f"loss {total / seen:.4f}", refresh=False)
        bar.update(len(X))
    return total / seen


def _bar(title: str, total: int, shown: bool):
    from tqdm.auto import tqdm

    layout = "{desc} {bar:24} {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
    return tqdm(desc=title, total=total, disable=not shown, bar_format=layout, mininterval=0.2)
