"""Optimisers: from parameters and gradients to the updates of one training step.

An optimiser is symbolic. It returns ``{shared: new value}`` for ``sc.function(..., updates=)``, so that its
arithmetic fuses with the rest of the step. Its learning rate and its slots (one array per parameter, such as the
velocity) are Shared: the rate can change without compiling anything again.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords


class Optimizer:
    """Base of all optimisers. A new one defines ``update(parameter, gradient) -> dict``.

    Attributes
    ----------
    learning_rate : float
        May be set at any time, also between the calls of a compiled step.
    slots : dict
        ``(slot name, parameter) -> Shared``: what the optimiser remembers.
    """

    def __init__(self, learning_rate: float):
        _check("learning_rate", learning_rate, 0, float("inf"))
        # float64, so that the rate is rounded once, to the dtype of each parameter.
        self._rate = sc.shared(np.array(learning_rate, "float64"), name="learning_rate")
        self.slots: dict = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.__init__ = checked_keywords(cls.__init__)

    @property
    def learning_rate(self) -> float:
        return float(self._rate.get_value())

    @learning_rate.setter
    def learning_rate(self, value: float):
        _check("learning_rate", value, 0, float("inf"))
        self._rate.set_value(np.float64(value))

    def updates(self, parameters, gradients) -> dict:
        """The new value of every parameter and slot, as one dict for ``sc.function(..., updates=)``.

        Parameters
        ----------
        parameters : sequence of Shared
        gradients : sequence of Variable
            One per parameter, in the same order.
        """
        parameters, gradients = list(parameters), list(gradients)
        if len(parameters) != len(gradients):
            raise InputError(
                "updates: one gradient per parameter", expected=f"{len(parameters)} gradients", found=len(gradients)
            )
        updates = {}
        for parameter, gradient in zip(parameters, gradients, strict=True):
            updates |= self.update(parameter, gradient)
        return updates

    def update(self, parameter, gradient) -> dict:
        """The new values of `parameter` and its slots."""
        raise NotImplementedError

    def slot(self, name: str, parameter):
        """The Shared called `name` that belongs to `parameter`; zeros at first."""
        key = name, parameter
        if key not in self.slots:
            zeros = np.zeros(parameter.shape, parameter.dtype)
            self.slots[key] = sc.shared(zeros, name=f"{parameter.name or 'parameter'}.{name}")
        return self.slots[key]

    def rate(self, parameter):
        """The learning rate as a scalar of the parameter's dtype."""
        return self._rate.astype(parameter.dtype)


class SGD(Optimizer):
    r"""Stochastic gradient descent with momentum.

    .. math:: v \leftarrow m v + (g + \lambda w), \qquad w \leftarrow w - a v

    Nesterov's variant steps along :math:`g + \lambda w + m v` with the new v.

    Parameters
    ----------
    learning_rate : float
        The rate a.
    momentum : float
        The factor m, at least 0 and below 1.
    nesterov : bool
        Look ahead along the velocity; needs momentum.
    weight_decay : float
        The factor :math:`\lambda` of the penalty :math:`\lambda |w|^2 / 2`.

    Raises
    ------
    InputError
        If a value lies outside its range, or a keyword is unknown.

    Notes
    -----
    Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum in deep learning*,
    ICML 2013; the velocity as in PyTorch, without the rate.

    Examples
    --------
    >>> import symcnn as sc
    >>> w = sc.shared(np.array([1.0, 2.0]), name="w")
    >>> sgd = SGD(0.1)
    >>> step = sc.function([], [], updates=sgd.updates([w], [sc.grad(sc.sum(w * w), w)]), device="reference")
    >>> _ = step()
    >>> w.get_value()
    array([0.8, 1.6])
    >>> sgd.learning_rate = 0.5
    >>> _ = step()
    >>> w.get_value()
    array([0., 0.])
    """

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ):
        super().__init__(learning_rate)
        _check("momentum", momentum, 0, 1)
        _check("weight_decay", weight_decay, 0, float("inf"))
        if nesterov and not momentum:
            raise InputError("SGD: nesterov needs momentum", hint="SGD(rate, momentum=0.9, nesterov=True)")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay

    def update(self, parameter, gradient):
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        if not self.momentum:
            return {parameter: parameter - self.rate(parameter) * gradient}
        velocity = self.slot("velocity", parameter)
        moved = self.momentum * velocity + gradient
        direction = gradient + self.momentum * moved if self.nesterov else moved
        return {velocity: moved, parameter: parameter - self.rate(parameter) * direction}


def cosine_decay(epochs: int) -> Callable[[int], float]:
    r"""A schedule: the factor :math:`\frac12(1 + \cos(\pi e / E))` of the learning rate in epoch e, counted from 0.

    Notes
    -----
    Loshchilov and Hutter, *SGDR*, ICLR 2017 (arXiv:1608.03983), without restarts.

    Examples
    --------
    >>> [round(cosine_decay(4)(epoch), 2) for epoch in range(4)]
    [1.0, 0.85, 0.5, 0.15]
    """
    return lambda epoch: 0.5 * (1 + cos(pi * min(epoch, epochs) / epochs))


def _check(name, value, low, high):
    if not low <= value < high:
        raise InputError(f"{name} is out of range", expected=f"{low} <= {name} < {high}", found=value)
