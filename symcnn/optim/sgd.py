"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from symcnn.errors import InputError
from symcnn.keywords import checked_number
from symcnn.optim.optimizer import Optimizer


class SGD(Optimizer):
    r"""Stochastic gradient descent with momentum.

    .. math:: v \leftarrow m v + g, \qquad w \leftarrow w - a v

    Nesterov's variant steps along :math:`g + m v` with the new v.

    Parameters
    ----------
    learning_rate : float
        The rate a.
    momentum : float
        The factor m, at least 0 and below 1.
    nesterov : bool
        Look ahead along the velocity; needs momentum.
    weight_decay, clip_value, clip_norm, rates
        As in `Optimizer`.

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
    >>> import numpy as np, symcnn as sc
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
        self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=0.0,
        *, clip_value=None, clip_norm=None, rates=None,
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clip_value, clip_norm, rates)
        self.momentum, self.nesterov = checked_number("momentum", momentum, 0, 1), nesterov
        if nesterov and not momentum:
            raise InputError("SGD: nesterov needs momentum", hint="SGD(rate, momentum=0.9, nesterov=True)")

    def direction(self, parameter, gradient):
        if not self.momentum:
            return gradient, {}
        velocity = self.slot("velocity", parameter)
        moved = self.momentum * velocity + gradient
        return gradient + self.momentum * moved if self.nesterov else moved, {velocity: moved}
