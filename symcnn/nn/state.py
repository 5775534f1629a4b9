"""State: what a module remembers from batch to batch and training does not change by gradient."""

from __future__ import annotations

import symcnn as sc


class State(sc.Shared):
    """An array of a module that is saved with it but is no parameter, such as the running mean of a batch norm.

    A layer hands its next value to the training step with `record_update`.

    Parameters
    ----------
    value : array_like
        Copied; shape and dtype are fixed from then on.
    name : str

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> class RunningMean(sc.nn.Module):
    ...     def __init__(self, size):
    ...         self.mean = sc.nn.State(np.zeros(size, "float32"), "mean")
    ...
    ...     def forward(self, x, training):
    ...         if training:
    ...             sc.nn.record_update(self.mean, lambda old: 0.9 * old + 0.1 * sc.mean(x, axis=0))
    ...         return x - self.mean
    >>> layer = RunningMean(3)
    >>> layer.parameters().keys(), layer.states().keys()
    ([], ['mean'])
    """

    __slots__ = ()

    def __init__(self, value, name: str):
        super().__init__(sc.shared(value).storage, name)
