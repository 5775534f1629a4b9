"""Over-fitting a handful of examples: the test that every network, loss and data pipeline must pass before training."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

import symcnn as sc
from symcnn.data import as_dataset
from symcnn.errors import InputError
from symcnn.keywords import checked_count, checked_keywords, checked_number
from symcnn.nn import Trace
from symcnn.nn.ownership import applications
from symcnn.ops.random import CALL
from symcnn.train.probe import Probe
from symcnn.train.snapshot import Snapshot
from symcnn.train.step import checked_batch, compile_step, symbolic_batch


@dataclass(frozen=True)
class OverfitCheck:
    """How over-fitting went; true if it worked, and prints what to do if not.

    Attributes
    ----------
    ok : bool
        Whether the loss fell below the target.
    losses : tuple of float
        Before each step.
    target : float
    text : str
        The outcome in a sentence and, if it failed, what may be wrong, one line each.
    """

    ok: bool
    losses: tuple[float, ...]
    target: float
    text: str

    @property
    def steps(self) -> int:
        """How many steps were made."""
        return len(self.losses) - self.ok

    def __bool__(self):
        return self.ok

    def __str__(self):
        return self.text

    __repr__ = __str__


@checked_keywords
def overfit_check(
    model, data, examples: int = 32, *, steps: int = 500, target: float = 0.05,
    loss=None, optimizer=None, seed: int = 0, device: str = "cpu",
) -> OverfitCheck:  # fmt: skip
    """Train on a few examples until the loss is nearly zero; a network that cannot do this has a bug.

    The model gets its weights and states back afterwards, whatever happens. Dropout and noise layers are left out while
    the step is built, since they keep the loss from zero; all else is as in training, so batch norms normalise by the
    batch. The examples are drawn once, so random augmentation gives each of them one fixed form.

    Parameters
    ----------
    model : Module
    data : Dataset or pair (images, labels)
    examples : int
        How many of them to learn, chosen at random.
    steps : int
        Steps at most; it stops when the loss falls below `target`.
    target : float
        In the units of the loss.
    loss, device
        As in `compile_step`.
    optimizer : Optimizer, optional
        ``Adam(1e-3)`` by default, whose steps hardly depend on the scale of the gradients.
    seed : int
        Of the choice of examples.

    Returns
    -------
    OverfitCheck
        True in an ``if`` or ``assert``; prints advice if the check failed.

    Raises
    ------
    InputError
        If there is nothing to train on.

    Examples
    --------
    >>> import symcnn as sc
    >>> X = np.random.default_rng(0).normal(size=(32, 4))
    >>> model = sc.models.mlp([4, 32, 2], seed=0)
    >>> check = overfit_check(model, (X, (X[:, 0] > 0).astype(int)), device="reference")
    >>> bool(check), check.losses[0] > 0.3 > 0.05 > check.losses[-1]
    (True, True)

    With labels that contradict each other it cannot work, and the result says so:

    >>> print(overfit_check(model, (np.ones((4, 4)), np.array([0, 1, 0, 1])), steps=50, device="reference"))
    The loss did not fall below 0.05 in 50 steps: it went from ... to 0.69...
    - 4 of the 4 examples are the same image with another label than its copy: no network can learn both.
    """
    data = as_dataset(data)
    checked_count("overfit_check: examples", examples)
    checked_count("overfit_check: steps", steps)
    checked_number("overfit_check: target", target)
    if not len(data):
        raise InputError("overfit_check: nothing to train on", found="0 examples")
    X, labels = next(data.batches(examples, shuffle=True, seed=seed))
    step = compile_step(model, loss, sc.optim.Adam(1e-3) if optimizer is None else optimizer, device)
    with _without_noise(model, X, labels):
        step.compile(X, labels)
        before, losses = Snapshot(step), []
        try:
            with np.errstate(all="ignore"):  # the outcome says so
                while len(losses) <= steps and np.isfinite(losses[-1:]).all():
                    losses.append(step(X, labels))
                    if losses[-1] < target:
                        return OverfitCheck(True, tuple(losses), target, _success(losses, target, len(X)))
                causes = _causes(step, X, labels, losses)
        finally:
            before.restore()
    return OverfitCheck(False, tuple(losses), target, "\n- ".join([_failure(losses, target, steps), *causes]))


@contextmanager
def _without_noise(model, X, labels):
    """Layers that draw random numbers (dropout, noise) behave as in evaluation while the step is built."""
    x, _ = symbolic_batch(*checked_batch(model, X, labels))
    with Trace() as trace:
        model(x, training=True)
    noisy = {id(a.module): a.module for a in applications(model, trace) if a.is_layer and _draws(a.own)}
    for layer in noisy.values():
        layer.forward = lambda x, training, layer=layer: type(layer).forward(layer, x, False)
    try:
        yield
    finally:
        for layer in noisy.values():
            del layer.forward  # the one of its class is back


def _draws(ops) -> bool:
    return any(x is CALL for v in ops for x in v.inputs)


def _success(losses, target, count) -> str:
    return (
        f"The loss fell below {target:g} after {len(losses) - 1} steps on {count} examples: the network, the loss and "
        "the gradients work together."
    )


def _failure(losses, target, steps) -> str:
    if not np.isfinite(losses[-1]):
        return f"The loss became {losses[-1]} after {len(losses) - 1} steps; it began at {losses[0]:.4g}."
    return f"The loss did not fall below {target:g} in {steps} steps: it went from {losses[0]:.4g} to {losses[-1]:.4g}."


def _causes(step, X, labels, losses) -> list[str]:
    """What may be wrong, the surest first."""
    X, labels = checked_batch(step.model, X, labels)
    if not np.isfinite(X.astype("float64", copy=False)).all():
        return ["The images hold NaN or infinity: clean the data."]
    found = []
    clash = _contradictions(X, labels)
    if clash:
        return [
            f"{clash} of the {len(X)} examples are the same image with another label than its copy: "
            "no network can learn both."
        ]
    if np.abs(X).max() > 20:
        found.append(
            f"The inputs reach {np.abs(X).max():.3g}: normalise them, as with sc.data.Normalize.fit(train.images)."
        )
    rate = step.optimizer.learning_rate
    if not np.isfinite(losses[-1]):
        return [*found, f"The learning rate {rate:g} is too high: try a tenth of it, or clip the gradients."]
    first, last, best = losses[0], losses[-1], min(losses)
    found += [str(finding) for finding in Probe(step)(X, labels).findings()]
    if last > 1.5 * first:
        found.append(f"The loss grew: the learning rate {rate:g} is too high, try a tenth of it.")
    elif best > 0.98 * first:
        found += [
            f"The loss hardly moved: the learning rate {rate:g} may be too low or too high (train.lr_find shows which).",
            "Or the labels do not belong to these images: look at some, and check that both were shuffled together.",
        ]
    elif last > 1.2 * best:
        found.append(
            f"The loss jumps up and down (its smallest value was {best:.4g}): lower the learning rate {rate:g}."
        )
    else:
        found.append(
            "The loss was still falling: give it more steps or a higher learning rate, or make the network wider."
        )
    return found


def _contradictions(X, labels) -> int:
    """How many examples have a copy with another label."""
    _, group = np.unique(X.reshape(len(X), -1), axis=0, return_inverse=True)
    group = group.ravel()
    targets = labels.reshape(len(X), -1)
    return sum(
        len(rows) for rows in (np.flatnonzero(group == k) for k in range(group.max() + 1))
        if len(np.unique(targets[rows], axis=0)) > 1
    )  # fmt: skip
