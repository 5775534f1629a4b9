"""Evaluation: loss and accuracy over a data set, with nothing trained."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.data import as_dataset
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.train.step import checked_batch, symbolic_batch


class Evaluation:
    """A compiled evaluation; made by `compile_evaluation` and called once per epoch.

    Attributes
    ----------
    model, loss, device
        As given.
    function : symcnn.Function or None
        From (images, labels) to [loss, output]; ``None`` before the first call or `compile`.
    """

    def __init__(self, model, loss, device="cpu"):
        self.model, self.loss, self.device = model, loss, device
        self.function: sc.Function | None = None

    def __call__(self, data, batch_size: int = 128) -> dict[str, float]:
        """The mean loss over the examples of `data`, and for class labels the accuracy."""
        data = as_dataset(data)
        if not len(data):
            raise InputError("evaluate: the data set is empty")
        total, right, labelled = 0.0, 0, 0
        for batch in data.batches(batch_size):
            X, labels = checked_batch(self.model, *batch)
            loss, output = self._built(X, labels)(X, labels)
            total += float(loss) * len(X)
            if labels.dtype.kind == "i" and output.ndim == labels.ndim + 1:
                right += int(np.count_nonzero(output.argmax(axis=1) == labels))
                # What is no class, such as 255, is a label that the loss ignores: else it had raised.
                labelled += int(np.count_nonzero((labels >= 0) & (labels < output.shape[1])))
        found = {"loss": total / len(data)}
        return {**found, "accuracy": right / labelled} if labelled else found

    def compile(self, X, labels):
        """Build and plan the function for batches like (X, labels), and return it."""
        X, labels = checked_batch(self.model, X, labels)
        return self._built(X, labels).bind(x=X.shape, labels=labels.shape)

    def _built(self, X, labels):
        if self.function is None:
            x, t = symbolic_batch(X, labels, self.model.in_shape)
            output = self.model(x, training=False)
            self.function = sc.function([x, t], [self.loss(output, t), output], device=self.device)
        return self.function


@checked_keywords
def compile_evaluation(model, loss=None, device: str = "cpu") -> Evaluation:
    """An evaluation of `model` to be called many times: ``evaluation(data) -> {"loss": ..., "accuracy": ...}``."""
    return Evaluation(model, sc.losses.cross_entropy if loss is None else loss, device)


@checked_keywords
def evaluate(model, data, loss=None, batch_size: int = 128, device: str = "cpu") -> dict[str, float]:
    """Loss and accuracy of `model` over `data`.

    Parameters
    ----------
    model : Module
    data : Dataset or pair (images, labels)
    loss : callable, optional
        A mean over examples; `symcnn.losses.cross_entropy` by default.
    batch_size : int
    device : str

    Returns
    -------
    dict
        ``"loss"`` (mean over the examples) and, for class labels, ``"accuracy"``, over those that are classes: what the
        loss ignores, such as 255, does not count.

    Raises
    ------
    InputError
        If there is no example.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = sc.models.mlp([2, 2])
    >>> model.parameters()["dense1.weight"].set_value(np.eye(2))
    >>> found = evaluate(model, (np.eye(2), np.array([0, 1])), device="reference")
    >>> round(found["loss"], 3), found["accuracy"]
    (0.313, 1.0)
    """
    return compile_evaluation(model, loss, device)(data, batch_size)
