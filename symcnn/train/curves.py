"""Curves: what the losses of a history, epoch by epoch, are symptoms of, and what a lecture on CNNs advises."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

from symcnn.train.diagnosis import Finding

EPOCHS = 5  # a curve of fewer says little
FLAT = 0.05  # a loss that never lost this share of its first value has learnt next to nothing
STEEP = (
    0.2  # a curve that falls by this share of its whole fall in its last third goes on falling; a straight one by 1/3
)
RESTLESS = 0.2  # rises that add up to this share of the first value, and to more than the whole fall
OVERFIT = 0.1  # a validation loss that ends this share above its smallest value, while the training loss falls on


def diagnose_history(history) -> list[Finding]:
    """Findings on the curves of a `History`, the gravest first; none of fewer than 5 epochs, unless the loss blew up.

    What they look for, by `Finding.sign`:

    ``"not finite"``, ``"diverging"``
        The training loss became NaN or infinite, or ends above its first value.
    ``"overfitting"``
        The validation loss has fallen, and ends more than 10 % above its smallest value; the training loss fell on.
    ``"restless"``
        The training loss goes up and down, and its rises add up to more than it fell in all.
    ``"flat"``
        The training loss never fell by more than 5 % of its first value.
    ``"slow"``
        The last third of the epochs brought at least a fifth of the whole fall: the curve is far from level.

    Parameters
    ----------
    history : History or mapping
        With ``"loss"``, and perhaps ``"val_loss"``: one number per epoch.

    Examples
    --------
    >>> print(*diagnose_history({"loss": [2.3, 1.1, 0.6, 0.3, 0.1], "val_loss": [2.2, 1.2, 1.0, 1.1, 1.4]}))
    overfitting since epoch 3: the validation loss rose from 1.00 to 1.40 ...
    >>> diagnose_history({"loss": [2.3, 1.1, 0.8, 0.7, 0.69, 0.68], "val_loss": [2.2, 1.2, 1.0, 0.91, 0.9, 0.9]})
    []
    """
    loss, validation = list(history.get("loss", ())), list(history.get("val_loss", ()))
    grave = _blown_up(loss)
    if grave or len(loss) < EPOCHS:
        return grave
    return [*_overfitting(loss, validation), *(_restless(loss) or _flat(loss) or _slow(loss))]


def _blown_up(loss) -> list[Finding]:
    broken = next((epoch for epoch, value in enumerate(loss, start=1) if not isfinite(value)), None)
    if broken is not None:
        text = f"the training loss is not finite in epoch {broken}: lower the learning rate, or clip the gradients"
        return [Finding("", "not finite", float("nan"), text)]
    if len(loss) > 1 and loss[-1] > loss[0]:
        text = f"the training loss rose from {loss[0]:.2f} to {loss[-1]:.2f}: lower the learning rate, by a factor of 3 to 10"
        return [Finding("", "diverging", loss[-1] / loss[0] if loss[0] else float("inf"), text)]
    return []


def _overfitting(loss, validation) -> list[Finding]:
    if len(validation) != len(loss) or not all(map(isfinite, validation)):
        return []
    best = min(range(len(validation)), key=validation.__getitem__)
    rise = validation[-1] - validation[best]
    if not best or rise <= OVERFIT * abs(validation[best]) or loss[-1] >= loss[best]:
        return []
    text = (
        f"overfitting since epoch {best + 1}: the validation loss rose from {validation[best]:.2f} to {validation[-1]:.2f} while "
        "the training loss fell: stop there (EarlyStopping), train on more or augmented images, add weight decay or "
        "dropout, or take a smaller network"
    )
    return [Finding("", "overfitting", rise, text)]


def _restless(loss) -> list[Finding]:
    rises = sum(max(after - before, 0.0) for before, after in pairwise(loss))
    if rises <= RESTLESS * abs(loss[0]) or rises < loss[0] - loss[-1]:
        return []
    text = (
        f"the training loss goes up and down, by {rises:.2f} upwards in all: lower the learning rate, by a factor of 3 to 10, or "
        "take larger batches"
    )
    return [Finding("", "restless", rises, text)]


def _flat(loss) -> list[Finding]:
    fall = (loss[0] - min(loss)) / (abs(loss[0]) or 1.0)
    if fall > FLAT:
        return []
    text = (
        f"the training loss fell by only {fall:.1%}: look for a better learning rate (lr_find), for dead units, and whether "
        "images and labels belong together; the network should at least overfit a few of them (overfit_check)"
    )
    return [Finding("", "flat", fall, text)]


def _slow(loss) -> list[Finding]:
    share = (loss[-1 - len(loss) // 3] - loss[-1]) / ((loss[0] - loss[-1]) or 1.0)
    if share < STEEP:
        return []
    text = (
        f"the training loss still falls, {share:.0%} of its whole fall came in the last third: raise the learning rate, or "
        "train for more epochs"
    )
    return [Finding("", "slow", share, text)]
