"""Batch normalisation: by the statistics of the batch in training, by their running averages afterwards."""

from __future__ import annotations

import symcnn as sc
from symcnn.keywords import checked_number
from symcnn.nn.arguments import check_positive, drawn, scale_and_shift
from symcnn.nn.inputs import check_channels
from symcnn.nn.module import Module
from symcnn.nn.outline import described
from symcnn.nn.state import State
from symcnn.nn.trace import record_update


class BatchNorm(Module):
    r"""Each channel with mean 0 and variance 1, then scaled and shifted as learnt.

    .. math:: y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

    In training :math:`\mu` and :math:`\sigma^2` are those of the batch, over all axes but the channels', and the step
    moves the running averages towards them:

    .. math:: \text{running} \leftarrow (1 - \text{momentum}) \, \text{running} + \text{momentum} \, \text{batch}

    Otherwise, and when frozen, they are the running averages, which then stay.

    Parameters
    ----------
    channels : int
        Size of axis 1.
    momentum : float
        How far one batch moves the running averages, from 0 to 1; Keras calls 1 minus this number momentum.
    epsilon : float
    affine : bool
        Whether there are gamma and beta.
    dtype : str

    Attributes
    ----------
    gamma, beta : Shared or None
        (channels,): 1 and 0 at first.
    mean, variance : State
        (channels,): 0 and 1 at first.

    Raises
    ------
    ShapeError
        If the input is not (n, channels, ...), of any rank from 2.

    Notes
    -----
    Ioffe and Szegedy, *Batch normalization*, ICML 2015 (arXiv:1502.03167). The batch is normalised by its biased
    variance (divided by n) while the running average is of the unbiased one (n - 1), as in the paper and in PyTorch. A
    batch with one value per channel says nothing about a variance: its output is beta, and the running variance
    stays; an empty batch leaves both averages as they are.

    A convolution before it needs no bias, since the mean is subtracted: ``Conv2d(..., bias=False)``.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = sc.nn.Sequential(norm=BatchNorm(2), dense=sc.nn.Dense(2, 2))
    >>> model.parameters().keys(), model.states().keys()
    (['norm.gamma', 'norm.beta', 'dense.weight', 'dense.bias'], ['norm.mean', 'norm.variance'])
    >>> step = sc.train.compile_step(model, device="reference")
    >>> loss = step([[1, 2], [3, 6]], [0, 1])
    >>> model["norm"].mean.get_value()  # a tenth of the way from 0 to [2, 4]
    array([0.2, 0.4], dtype=float32)
    """

    def __init__(self, channels, momentum=0.1, epsilon=1e-5, affine=True, dtype="float32"):
        check_positive(self, channels=channels)
        if momentum != 1:  # which keeps the statistics of the last batch alone
            checked_number("BatchNorm: momentum", momentum, 0, 1)
        checked_number("BatchNorm: epsilon", epsilon, 0)
        self.channels, self.momentum, self.epsilon = channels, momentum, epsilon
        self.gamma, self.beta = scale_and_shift(channels, affine, dtype)
        self.mean = State(drawn("zeros", (channels,), None, dtype), "mean")
        self.variance = State(drawn("ones", (channels,), None, dtype), "variance")

    def forward(self, x, training):
        check_channels(self, x, self.channels)
        by_batch = training and "mean" not in self.frozen
        if by_batch:
            record_averages(x, self.mean, self.variance, self.momentum)
        statistics = () if by_batch else (self.mean, self.variance)
        gamma, beta = (1, 0) if self.gamma is None else (self.gamma, self.beta)
        return sc.batch_norm(x, gamma, beta, *statistics, epsilon=self.epsilon)

    def __repr__(self):
        options = {"momentum": self.momentum, "epsilon": self.epsilon, "affine": self.gamma is not None}
        return described(self, self.channels, **options)


def record_averages(x, mean: State, variance: State, momentum: float) -> None:
    """Have the step move the running averages towards mean and variance of `x`, so far as it has any."""

    def moved(old, new):
        return (1 - momentum) * old + momentum * new.astype(old.dtype)

    of_batch, biased = sc.batch_statistics(x)
    count = sc.count(x, axis=(0, *range(2, x.ndim)))
    unbiased = biased * (count / sc.maximum(count - 1, 1))
    record_update(mean, lambda old: sc.where(count > 0, moved(old, of_batch), old))
    record_update(variance, lambda old: sc.where(count > 1, moved(old, unbiased), old))
