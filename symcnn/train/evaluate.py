"""Evaluation: loss, accuracy and other metrics over a data set, batch by batch, with nothing trained."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import numpy as np

import symcnn as sc
from symcnn.data import as_dataset
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, meant
from symcnn.metrics import confusion_matrix
from symcnn.train.step import check_loss, check_model, checked_batch, symbolic_batch


class Evaluation:
    """A compiled evaluation; made by `compile_evaluation` and called once per epoch.

    Attributes
    ----------
    model, loss, device
        As given.
    metrics : dict
        Name -> function.
    confusion : numpy.ndarray or None
        Of the latest call with class labels, int64 (classes, classes): row = true class, column = predicted class.
    function : symcnn.Function or None
        From (images, labels) to [loss, output]; ``None`` before the first call or `compile`.
    """

    def __init__(self, model, loss, device="cpu", metrics=None):
        self.model, self.loss, self.device = model, loss, device
        self.metrics = _named(metrics)
        self.confusion: np.ndarray | None = None
        self.function: sc.Function | None = None
        self._of_confusion = {name: _takes_a_confusion_matrix(name, metric) for name, metric in self.metrics.items()}

    def __call__(self, data, batch_size: int = 128) -> dict[str, float]:
        """The mean loss over the examples of `data`, for class labels the accuracy, and the metrics."""
        data = as_dataset(data)
        if not len(data):
            raise InputError("evaluate: the data set is empty")
        total, sums, self.confusion = 0.0, dict.fromkeys(self.metrics, 0.0), None
        for batch in data.batches(batch_size):
            X, labels = checked_batch(self.model, *batch)
            loss, output = self._built(X, labels)(X, labels)
            total += float(loss) * len(X)
            self._count(output, labels)
            for name, metric in self.metrics.items():
                if not self._of_confusion[name]:
                    sums[name] += _number(name, metric(output, labels)) * len(X)
        found = {"loss": total / len(data)}
        if self.confusion is not None and self.confusion.any():
            found["accuracy"] = float(self.confusion.trace() / self.confusion.sum())
        return found | {name: self._measured(name, sums[name] / len(data)) for name in self.metrics}

    def _count(self, output, labels):
        if labels.dtype.kind != "i" or output.ndim != labels.ndim + 1:
            return
        classes = output.shape[1]
        # What is no class, such as 255, is a label that the loss ignores: else it had raised.
        kept = (labels >= 0) & (labels < classes)
        counts = confusion_matrix(output.argmax(axis=1)[kept], labels[kept], classes)
        self.confusion = counts if self.confusion is None else self.confusion + counts

    def _measured(self, name, mean) -> float:
        if not self._of_confusion[name]:
            return mean
        if self.confusion is None:
            raise InputError(
                f"{name} is a metric of a confusion matrix, and these labels are no classes",
                hint="a metric of two arguments is given the outputs and labels of each batch",
            )
        return _number(name, self.metrics[name](self.confusion))

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
def compile_evaluation(model, loss=None, device: str = "cpu", metrics=None) -> Evaluation:
    """An evaluation of `model` to be called many times: ``evaluation(data) -> {"loss": ..., "accuracy": ...}``.

    Takes what `evaluate` takes.
    """
    loss = sc.losses.cross_entropy if loss is None else loss
    check_model("evaluate", model)
    check_loss("evaluate", loss)
    return Evaluation(model, loss, device, metrics)


@checked_keywords
def evaluate(model, data, loss=None, batch_size: int = 128, device: str = "cpu", metrics=None) -> dict[str, float]:
    """Loss, accuracy and other metrics of `model` over `data`.

    Parameters
    ----------
    model : Module
    data : Dataset or pair (images, labels)
        Read batch by batch, so it may be larger than memory.
    loss : callable, optional
        A mean over examples; `symcnn.losses.cross_entropy` by default.
    batch_size : int
    device : str
    metrics : callable, sequence of them or dict of them by name, optional
        A function of one argument is given the confusion matrix of all examples: `symcnn.metrics.mean_iou`,
        ``partial(sc.metrics.f1, average="macro")``. A function of two is given the outputs and labels of each batch, as
        arrays, and its values are averaged with the numbers of examples as weights, which is right for means over
        examples: `symcnn.metrics.top_k_accuracy`.

    Returns
    -------
    dict
        ``"loss"``, for class labels ``"accuracy"``, over those that are classes (what the loss ignores, such as 255, does
        not count), and each metric by its name.

    Raises
    ------
    InputError
        If there is no example, or a metric gives no number.

    Notes
    -----
    The loss is the mean over batches weighted by their examples. That is the mean over the examples, whatever the batch
    size; but with class weights or ignored labels, where a loss divides by what counts in its batch, only nearly.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = sc.models.mlp([2, 2])
    >>> model.parameters()["dense1.weight"].set_value(np.eye(2))
    >>> found = evaluate(model, (np.eye(2), np.array([0, 1])), device="reference", metrics=sc.metrics.mean_iou)
    >>> round(found["loss"], 3), found["accuracy"], found["mean_iou"]
    (0.313, 1.0, 1.0)
    """
    return compile_evaluation(model, loss, device, metrics)(data, batch_size)


def _named(metrics) -> dict[str, Callable]:
    if metrics is None:
        return {}
    if isinstance(metrics, Mapping):
        found = dict(metrics)
    else:
        listed = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
        found = {_name(metric): metric for metric in listed}
        if len(found) < len(listed):
            raise InputError("evaluate: two metrics have one name", hint='name them: metrics={"f1": ..., "top5": ...}')
    for name, metric in found.items():
        if not callable(metric):
            raise InputError(
                f"evaluate: the metric {name} is not callable", expected="a function such as sc.metrics.mean_iou",
                found=repr(metric), hint=_metric_hint(metric) if isinstance(metric, str) else None,
            )  # fmt: skip
    taken = {"loss", "accuracy"} & found.keys()
    if taken:
        raise InputError(f"evaluate: {taken.pop()} is measured anyway", hint="give the metric another name")
    return found


def _metric_hint(name: str) -> str:
    hint = meant(name, sc.metrics.__all__)
    return "the accuracy is measured anyway" if "'accuracy'" in hint else hint


def _name(metric) -> str:
    return getattr(getattr(metric, "func", metric), "__name__", repr(metric))  # also of a functools.partial


def _takes_a_confusion_matrix(name, metric) -> bool:
    try:
        parameters = inspect.signature(metric).parameters.values()
    except ValueError:  # a function of C, such as a NumPy ufunc
        return False
    needed = sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    if needed not in (1, 2):
        raise InputError(
            f"evaluate: the metric {name} takes {needed} arguments",
            expected="one (a confusion matrix) or two (outputs and labels of a batch)",
        )
    return needed == 1


def _number(name, value) -> float:
    if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iufb":
        return float(value)
    raise InputError(
        f"evaluate: the metric {name} gave no number",
        found=f"an array of shape {np.shape(value)}" if np.ndim(value) else repr(value),
        hint='per class is looked at with evaluation.confusion; the mean is partial(metric, average="macro")',
    )
