"""The training report: curves, layers, advice, the confusion matrix with the worst mistakes, and the gradient check."""

from __future__ import annotations

from symcnn.data import as_dataset
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.train import GradientCheck, Monitor
from symcnn.train.step import check_model
from symcnn.viz.figure import Figure
from symcnn.viz.mistakes import judged
from symcnn.viz.run_report import RunReport
from symcnn.viz.training_charts import checked_history


@checked_keywords
def training_report(
    history, *, model=None, monitor=None, data=None, classes=None, gradient_check=None, title: str = "Training report"
) -> Figure:
    """What a training run has to tell, on one page.

    Curves of the loss and every metric; of a `monitor` the norms of weights, gradients and activations, the ratio of
    updates to weights with the healthy range around 1e-3, dead units and saturated values of each layer; advice on what
    looks wrong. The live view reads out the values under the pointer or, with arrow keys, Home and End, at the
    focused chart, and draws curves on a logarithmic scale.

    Parameters
    ----------
    history : History or mapping
        As `sc.train.fit` returns it.
    model : Module, optional
        With `data`: the confusion matrix, precision and recall of each class, and the most confident mistakes.
    monitor : Monitor, optional
        That watched the training.
    data : Dataset or pair (images, labels), optional
        That the model is judged on, best one that it never saw.
    classes : sequence of str, optional
        Names of the classes; by default those of `data`, or numbers.
    gradient_check : GradientCheck, optional
        As `sc.train.check_gradients` returns it: a table of analytic and numeric gradients.
    title : str

    Returns
    -------
    Figure
        ``figure.save("report.html")`` writes a page that needs nothing else.

    Raises
    ------
    InputError
        For an argument that is something else, a model without data or data without a model, or labels that are no
        classes.

    Examples
    --------
    >>> history = dict(loss=[2.0, 1.0, 0.5], val_loss=[2.1, 1.3, 1.1], val_accuracy=[0.3, 0.6, 0.7])
    >>> print(training_report(history))
    Training report
    3 epochs; loss 0.5; val_loss 1.1; val_accuracy 0.7
    <BLANKLINE>
    epoch    loss  val_loss  val_accuracy
        1  2.0000    2.1000        0.3000
        2  1.0000    1.3000        0.6000
        3  0.5000    1.1000        0.7000
    <BLANKLINE>
    Nothing looks wrong.
    """
    report = RunReport(title, checked_history(history), _checked("monitor", monitor, Monitor))
    report.gradient_check = _checked("gradient_check", gradient_check, GradientCheck)
    if (model is None) != (data is None):
        given, missing = ("data", "model") if model is None else ("model", "data")
        raise InputError(f"training_report: {given} without {missing}", hint="a model is judged on data: give both")
    if model is not None:
        check_model("training_report", model)
        dataset = as_dataset(data)
        names = dataset.classes if classes is None else tuple(map(str, classes))
        report.confusion, report.mistakes = judged(model, dataset, names)
    return report.figure()


def _checked(name, value, kind):
    if value is not None and not isinstance(value, kind):
        raise InputError(
            f"training_report: {name} is no {kind.__name__}", found=repr(value)[:60],
            hint="sc.train.check_gradients makes one" if kind is GradientCheck else "callbacks=[monitor] of sc.train.fit fills one",
        )  # fmt: skip
    return value
