"""Schedules: how the learning rate changes over time.

A schedule is a function from the time in epochs, such as 0.5 in the middle of the first, to a factor of the
optimiser's learning rate. `symcnn.train.fit` asks it before every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cos, floor, pi

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, checked_number

Schedule = Callable[[float], float]


@checked_keywords
def step_decay(every: float, factor: float = 0.1) -> Schedule:
    r"""Multiply the rate by `factor` every so many epochs: :math:`f^{\lfloor e / n \rfloor}` in epoch e.

    Parameters
    ----------
    every : float
        The number n of epochs.
    factor : float
        The factor f, above 0.

    Raises
    ------
    InputError
        If a value is no number or outside its range.

    Examples
    --------
    >>> schedule = step_decay(2, 0.5)
    >>> [schedule(epoch) for epoch in (0, 1.9, 2, 3, 4)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    every, factor = checked_number("every", every, 0, strict=True), checked_number("factor", factor, 0, strict=True)
    return lambda epoch: factor ** floor(epoch / every)


@checked_keywords
def multistep_decay(epochs: Sequence[float], factor: float = 0.1) -> Schedule:
    """Multiply the rate by `factor` at each of the `epochs`.

    Parameters
    ----------
    epochs : sequence of float
    factor : float
        Above 0.

    Raises
    ------
    InputError
        If a value is no number or outside its range.

    Examples
    --------
    >>> schedule = multistep_decay([30, 60], 0.5)
    >>> [schedule(epoch) for epoch in (0, 30, 59, 60)]
    [1.0, 0.5, 0.5, 0.25]
    """
    if not isinstance(epochs, Sequence) or isinstance(epochs, str):
        raise InputError("multistep_decay: epochs is a list", expected="such as [30, 60]", found=repr(epochs))
    milestones = [checked_number("an epoch", epoch, 0) for epoch in epochs]
    factor = checked_number("factor", factor, 0, strict=True)
    return lambda epoch: factor ** sum(epoch >= milestone for milestone in milestones)


@checked_keywords
def exponential_decay(factor: float) -> Schedule:
    r"""Multiply the rate by `factor` per epoch, a little at every step: :math:`f^e` in epoch e.

    Parameters
    ----------
    factor : float
        The factor f, above 0.

    Raises
    ------
    InputError
        If the factor is no number or outside its range.

    Examples
    --------
    >>> schedule = exponential_decay(0.25)
    >>> [schedule(epoch) for epoch in (0, 0.5, 1)]
    [1.0, 0.5, 0.25]
    """
    factor = checked_number("factor", factor, 0, strict=True)
    return lambda epoch: factor**epoch


@checked_keywords
def cosine_decay(epochs: float, floor: float = 0.0) -> Schedule:
    r"""Half a cosine from 1 down to `floor`: :math:`f + (1 - f)\,\frac12(1 + \cos(\pi e / E))` in epoch e.

    Parameters
    ----------
    epochs : float
        The epoch E in which the floor is reached, for good.
    floor : float
        The factor f that remains, at least 0.

    Raises
    ------
    InputError
        If a value is no number or outside its range.

    Notes
    -----
    Loshchilov and Hutter, *SGDR*, ICLR 2017 (arXiv:1608.03983), without restarts.

    Examples
    --------
    >>> [round(cosine_decay(4)(epoch), 2) for epoch in range(5)]
    [1.0, 0.85, 0.5, 0.15, 0.0]
    """
    epochs, floor = checked_number("epochs", epochs, 0, strict=True), checked_number("floor", floor, 0)
    return lambda epoch: floor + (1 - floor) * 0.5 * (1 + cos(pi * min(epoch / epochs, 1)))


@checked_keywords
def polynomial_decay(epochs: float, power: float = 1.0, floor: float = 0.0) -> Schedule:
    r"""A power of the time that is left, by default a straight line: :math:`f + (1 - f)(1 - e / E)^p` in epoch e.

    Parameters
    ----------
    epochs : float
        The epoch E in which the floor is reached, for good.
    power : float
        The power p, above 0.
    floor : float
        The factor f that remains, at least 0.

    Raises
    ------
    InputError
        If a value is no number or outside its range.

    Examples
    --------
    >>> schedule = polynomial_decay(4)
    >>> [schedule(epoch) for epoch in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    epochs, power = checked_number("epochs", epochs, 0, strict=True), checked_number("power", power, 0, strict=True)
    floor = checked_number("floor", floor, 0)
    return lambda epoch: floor + (1 - floor) * (1 - min(epoch / epochs, 1)) ** power


@checked_keywords
def warmup(epochs: float, then: Schedule | None = None, start: float = 0.1) -> Schedule:
    """Begin with small steps: the factor rises in a straight line from `start` to 1, then another schedule goes on.

    Parameters
    ----------
    epochs : float
        How long it rises.
    then : callable, optional
        The schedule that begins afterwards, with its epoch 0; by default the rate stays.
    start : float
        The factor at the beginning, at least 0.

    Raises
    ------
    InputError
        If a value is no number or outside its range, or `then` is no schedule.

    Notes
    -----
    Goyal et al., *Accurate, large minibatch SGD* (arXiv:1706.02677), section 2.2.

    Examples
    --------
    >>> schedule = warmup(2, then=cosine_decay(4), start=0.5)
    >>> [round(schedule(epoch), 2) for epoch in range(7)]
    [0.5, 0.75, 1.0, 0.85, 0.5, 0.15, 0.0]
    """
    epochs, start = checked_number("epochs", epochs, 0, strict=True), checked_number("start", start, 0)
    then = then or (lambda epoch: 1.0)
    if not callable(then):
        raise InputError("warmup: `then` is no schedule", expected="such as cosine_decay(10)", found=repr(then))
    if hasattr(then, "observe"):
        raise InputError("warmup: a Plateau watches the whole training", hint="Plateau(..., schedule=warmup(...))")

    def schedule(epoch):
        if epoch >= epochs:
            return then(epoch - epochs)
        return (start + (1 - start) * epoch / epochs) * then(0)

    return schedule
