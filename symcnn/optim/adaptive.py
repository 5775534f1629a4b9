"""AdaGrad, RMSProp, AdaDelta: each weight's step is divided by the size of its past gradients."""

from __future__ import annotations

import symcnn as sc
from symcnn.keywords import checked_number
from symcnn.optim.optimizer import Optimizer


class AdaGrad(Optimizer):
    r"""Steps divided by the root of the sum of all squared gradients.

    .. math:: s \leftarrow s + g^2, \qquad w \leftarrow w - a \frac{g}{\sqrt s + \epsilon}

    Parameters
    ----------
    learning_rate : float
        The rate a.
    epsilon : float
        Keeps the quotient finite.
    start : float
        What s is at first.
    weight_decay, clip_value, clip_norm, rates
        As in `Optimizer`.

    Notes
    -----
    Duchi, Hazan and Singer, *Adaptive subgradient methods for online learning and stochastic optimization*, JMLR 12
    (2011).

    Examples
    --------
    The first step has the same size for all weights:

    >>> import numpy as np, symcnn as sc
    >>> w = sc.shared(np.array([1.0, -8.0]), name="w")
    >>> updates = AdaGrad(0.5).updates([w], [sc.grad(sc.sum(w * w), w)])
    >>> _ = sc.function([], [], updates=updates, device="reference")()
    >>> w.get_value().round(6)
    array([ 0.5, -7.5])
    """

    def __init__(
        self, learning_rate=0.01, epsilon=1e-10, start=0.0,
        *, weight_decay=0.0, clip_value=None, clip_norm=None, rates=None,
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clip_value, clip_norm, rates)
        self.epsilon, self.start = checked_number("epsilon", epsilon, 0), checked_number("start", start, 0)

    def direction(self, parameter, gradient):
        square = self.slot("square", parameter, self.start)
        moved = square + sc.square(gradient)
        return gradient / (sc.sqrt(moved) + self.epsilon), {square: moved}


class RMSProp(Optimizer):
    r"""Steps divided by the root of a running mean of squared gradients.

    .. math:: s \leftarrow \rho s + (1 - \rho) g^2, \qquad w \leftarrow w - a \frac{g}{\sqrt s + \epsilon}

    Centered, a running mean m of the gradients is kept as well, and :math:`s - m^2`, an estimate of their variance,
    takes the place of s. With momentum, the quotients go into a velocity as gradients do in `SGD`.

    Parameters
    ----------
    learning_rate : float
        The rate a.
    rho : float
        How much of the mean remains, at least 0 and below 1.
    epsilon : float
        Keeps the quotient finite.
    momentum : float
        At least 0 and below 1.
    centered : bool
    weight_decay, clip_value, clip_norm, rates
        As in `Optimizer`.

    Notes
    -----
    Tieleman and Hinton, *Neural networks for machine learning*, lecture 6.5, 2012; centered: Graves, *Generating
    sequences with recurrent neural networks* (arXiv:1308.0850). Where PyTorch takes the root of :math:`s - m^2` it
    may meet a negative number, by rounding; here that counts as 0.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> w = sc.shared(np.array([1.0, -8.0]), name="w")
    >>> updates = RMSProp(0.5, rho=0.75).updates([w], [sc.grad(sc.sum(w * w), w)])
    >>> _ = sc.function([], [], updates=updates, device="reference")()
    >>> w.get_value().round(6)
    array([ 0., -7.])
    """

    def __init__(
        self, learning_rate=0.01, rho=0.99, epsilon=1e-8, momentum=0.0, centered=False,
        *, weight_decay=0.0, clip_value=None, clip_norm=None, rates=None,
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clip_value, clip_norm, rates)
        self.rho, self.momentum = checked_number("rho", rho, 0, 1), checked_number("momentum", momentum, 0, 1)
        self.epsilon, self.centered = checked_number("epsilon", epsilon, 0), centered

    def direction(self, parameter, gradient):
        square = self.slot("square", parameter)
        spread = self.rho * square + (1 - self.rho) * sc.square(gradient)
        slots = {square: spread}
        if self.centered:
            mean = self.slot("mean", parameter)
            slots[mean] = self.rho * mean + (1 - self.rho) * gradient
            spread = sc.maximum(spread - sc.square(slots[mean]), 0.0)
        direction = gradient / (sc.sqrt(spread) + self.epsilon)
        if self.momentum:
            velocity = self.slot("velocity", parameter)
            direction = slots[velocity] = self.momentum * velocity + direction
        return direction, slots


class AdaDelta(Optimizer):
    r"""Steps in the units of the weights: the size of past steps over the size of past gradients.

    .. math::

        s \leftarrow \rho s + (1 - \rho) g^2, \qquad
        d = \frac{\sqrt{u + \epsilon}}{\sqrt{s + \epsilon}}\, g, \qquad
        u \leftarrow \rho u + (1 - \rho) d^2, \qquad
        w \leftarrow w - a d

    Parameters
    ----------
    learning_rate : float
        The rate a; the paper has none, that is 1.
    rho : float
        How much of the means remains, at least 0 and below 1.
    epsilon : float
        Starts the motion, and keeps the quotient finite.
    weight_decay, clip_value, clip_norm, rates
        As in `Optimizer`.

    Notes
    -----
    Zeiler, *ADADELTA: an adaptive learning rate method* (arXiv:1212.5701).

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> w = sc.shared(np.array([1.0, -8.0]), name="w")
    >>> updates = AdaDelta(rho=0.75, epsilon=1e-4).updates([w], [sc.grad(sc.sum(w * w), w)])
    >>> _ = sc.function([], [], updates=updates, device="reference")()
    >>> w.get_value().round(3)
    array([ 0.98, -7.98])
    """

    def __init__(
        self, learning_rate=1.0, rho=0.9, epsilon=1e-6,
        *, weight_decay=0.0, clip_value=None, clip_norm=None, rates=None,
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clip_value, clip_norm, rates)
        # At 0 nothing would ever move.
        self.rho, self.epsilon = checked_number("rho", rho, 0, 1), checked_number("epsilon", epsilon, 0, strict=True)

    def direction(self, parameter, gradient):
        square, moves = self.slot("square", parameter), self.slot("moves", parameter)
        spread = self.rho * square + (1 - self.rho) * sc.square(gradient)
        direction = sc.sqrt(moves + self.epsilon) / sc.sqrt(spread + self.epsilon) * gradient
        return direction, {square: spread, moves: self.rho * moves + (1 - self.rho) * sc.square(direction)}
