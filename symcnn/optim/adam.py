"""Adam and its relatives: running means of the gradients and of their sizes, corrected for having started at zero."""

from __future__ import annotations

import symcnn as sc
from symcnn.keywords import checked_number
from symcnn.optim.optimizer import Optimizer


class Adam(Optimizer):
    r"""The running mean of the gradient over the root of the running mean of its square.

    .. math::

        m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
        s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \qquad
        w \leftarrow w - a \frac{m / (1 - \beta_1^t)}{\sqrt{s / (1 - \beta_2^t)} + \epsilon}

    in step t = 1, 2, ... AMSGrad divides by the largest s so far.

    Parameters
    ----------
    learning_rate : float
        The rate a.
    beta1, beta2 : float
        How much of the means remains, at least 0 and below 1.
    epsilon : float
        Keeps the quotient finite.
    amsgrad : bool
    weight_decay, clip_value, clip_norm, rates
        As in `Optimizer`; to shrink the weights themselves see `AdamW`.

    Notes
    -----
    Kingma and Ba, *Adam: a method for stochastic optimization*, ICLR 2015 (arXiv:1412.6980); AMSGrad: Reddi, Kale and
    Kumar, *On the convergence of Adam and beyond*, ICLR 2018 (arXiv:1904.09237).

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> w = sc.shared(np.array([1.0, -8.0]), name="w")
    >>> adam = Adam(0.5)
    >>> updates = adam.updates([w], [sc.grad(sc.sum(w * w), w)])
    >>> _ = sc.function([], [], updates=updates, device="reference")()
    >>> w.get_value().round(6), int(adam.steps.get_value())
    (array([ 0.5, -7.5]), 1)
    """

    counts_steps = True

    def __init__(
        self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, amsgrad=False, weight_decay=0.0,
        *, clip_value=None, clip_norm=None, rates=None,
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clip_value, clip_norm, rates)
        self.beta1, self.beta2 = checked_number("beta1", beta1, 0, 1), checked_number("beta2", beta2, 0, 1)
        self.epsilon, self.amsgrad = checked_number("epsilon", epsilon, 0), amsgrad

    def direction(self, parameter, gradient):
        mean, square = self.slot("mean", parameter), self.slot("square", parameter)
        average = self.beta1 * mean + (1 - self.beta1) * gradient
        spread = self.beta2 * square + (1 - self.beta2) * sc.square(gradient)
        slots = {mean: average, square: spread}
        if self.amsgrad:
            largest = self.slot("largest", parameter)
            spread = slots[largest] = sc.maximum(largest, spread)
        of_mean, of_spread = self._correction(self.beta1), sc.sqrt(self._correction(self.beta2))
        deviation = sc.sqrt(spread) / of_spread.astype(parameter.dtype) + self.epsilon
        return average / of_mean.astype(parameter.dtype) / deviation, slots

    def _correction(self, beta):
        """The weight of all gradients in a running mean; the rest is that of the zero it started from."""
        return 1 - beta ** (self.steps + 1).astype("float64")


class AdamW(Adam):
    r"""`Adam` whose weight decay shrinks the weights themselves, :math:`w \leftarrow (1 - a \lambda) w`, beside the step.

    Added to the gradient, as in `Adam`, it would be divided by the gradient's size: where gradients are large it would
    do least.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon, amsgrad
        As in `Adam`.
    weight_decay : float
        The factor :math:`\lambda`.
    clip_value, clip_norm, rates
        As in `Optimizer`.

    Notes
    -----
    Loshchilov and Hutter, *Decoupled weight decay regularization*, ICLR 2019 (arXiv:1711.05101).

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> w = sc.shared(np.array([1.0, -8.0]), name="w")
    >>> updates = AdamW(0.5, weight_decay=0.1).updates([w], [sc.grad(sc.sum(w * w), w)])
    >>> _ = sc.function([], [], updates=updates, device="reference")()
    >>> w.get_value().round(6)
    array([ 0.45, -7.1 ])
    """

    decoupled_decay = True

    def __init__(
        self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, amsgrad=False, weight_decay=0.01,
        *, clip_value=None, clip_norm=None, rates=None,
    ):  # fmt: skip
        super().__init__(
            learning_rate, beta1, beta2, epsilon, amsgrad, weight_decay,
            clip_value=clip_value, clip_norm=clip_norm, rates=rates,
        )  # fmt: skip


class Adamax(Adam):
    r"""`Adam` with a decaying maximum of the gradient's size in place of its root mean square.

    .. math::

        m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
        u \leftarrow \max(\beta_2 u, |g| + \epsilon), \qquad
        w \leftarrow w - \frac{a}{1 - \beta_1^t} \frac mu

    Parameters
    ----------
    learning_rate : float
        The rate a.
    beta1, beta2 : float
        How much of the mean and of the maximum remains, at least 0 and below 1.
    epsilon : float
        Keeps the quotient finite.
    weight_decay, clip_value, clip_norm, rates
        As in `Optimizer`.

    Notes
    -----
    Kingma and Ba, *Adam: a method for stochastic optimization*, section 7.1 (arXiv:1412.6980); the small number as in
    PyTorch.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> w = sc.shared(np.array([1.0, -8.0]), name="w")
    >>> updates = Adamax(0.5).updates([w], [sc.grad(sc.sum(w * w), w)])
    >>> _ = sc.function([], [], updates=updates, device="reference")()
    >>> w.get_value().round(6)
    array([ 0.5, -7.5])
    """

    def __init__(
        self, learning_rate=0.002, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0,
        *, clip_value=None, clip_norm=None, rates=None,
    ):  # fmt: skip
        super().__init__(
            learning_rate, beta1, beta2, epsilon, weight_decay=weight_decay,
            clip_value=clip_value, clip_norm=clip_norm, rates=rates,
        )  # fmt: skip

    def direction(self, parameter, gradient):
        mean, largest = self.slot("mean", parameter), self.slot("largest", parameter)
        average = self.beta1 * mean + (1 - self.beta1) * gradient
        size = sc.maximum(self.beta2 * largest, sc.abs(gradient) + self.epsilon)
        of_mean = self._correction(self.beta1)
        return average / of_mean.astype(parameter.dtype) / size, {mean: average, largest: size}
