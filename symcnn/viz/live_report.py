"""LiveReport: the training report in a notebook while the training goes on, one picture that is drawn anew in its place."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from symcnn.keywords import checked_number
from symcnn.train import Callback, Monitor
from symcnn.viz.chart import LineChart
from symcnn.viz.run_report import RunReport

SHARE = 0.02  # of the time goes into drawing, at most
LEAST = 1.0  # seconds from one update to the next


class LiveReport(Callback):
    """Show the curves so far in a notebook, and of a `Monitor` among the callbacks the layers, with advice.

    One output is updated in its place: after an epoch or a step if the last update is `every` seconds ago, and longer ago
    if drawing takes long, so that it costs less than 2 % of the time. When the training ends, the live view of
    `symcnn.viz.training_report` takes the place of the picture. Where there is no notebook nothing is shown, and one
    line says so.

    Parameters
    ----------
    every : float
        Seconds from one update to the next, at least 1.

    Attributes
    ----------
    updates : int
        How often it was drawn.
    seconds : float
        How long that took.

    Raises
    ------
    InputError
        If `every` is less than 1.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> live = LiveReport(every=2)
    >>> data = np.eye(4), np.arange(4)
    >>> history = sc.train.fit(sc.models.mlp([4, 4]), data, epochs=2, callbacks=[sc.train.Monitor(), live],
    ...                        device="reference", progress=False)
    >>> live.updates  # this is no notebook
    0
    """

    def __init__(self, every: float = LEAST):
        self.every = checked_number("LiveReport: every", every, LEAST)
        self.updates, self.seconds = 0, 0.0
        self._display: Any = None  # the output in the notebook
        self._batches = BatchLosses()
        self._due = 0.0

    def on_start(self, run):
        self.updates, self.seconds, self._batches = 0, 0.0, BatchLosses()
        self._display = _new_display()
        if self._display is None:
            run.say("LiveReport shows nothing outside of notebooks; sc.viz.training_report(history) makes a page")
        self._due = perf_counter() + self.every

    def on_step(self, run):
        if self._display is None:
            return
        self._batches.add(run.epoch + run.batch / run.batches, run.loss)
        self._update_if_due(run)

    def on_epoch(self, run):
        if self._display is not None:
            self._update_if_due(run)

    def on_end(self, run):
        if self._display is not None:
            self._draw(run, live=True)

    def _update_if_due(self, run):
        if perf_counter() >= self._due:
            self._draw(run, live=False)

    def _draw(self, run, live):
        start = perf_counter()
        monitor = next((callback for callback in run.callbacks if isinstance(callback, Monitor)), None)
        report = RunReport(f"Training, {run.position}", run.history, monitor, more_curves=self._batches.charts())
        self._display.update(report.figure(live=live))
        now = perf_counter()
        self.updates, self.seconds = self.updates + 1, self.seconds + now - start
        self._due = now + max(self.every, (now - start) / SHARE)


class BatchLosses:
    """The loss of each batch, in less than `size` points, an even number: there, neighbours are averaged.

    Examples
    --------
    >>> losses = BatchLosses(size=4)
    >>> for k in range(6):
    ...     losses.add(k / 6, k)
    >>> losses.values
    [0.5, 2.5, 4.5]
    """

    def __init__(self, size: int = 200):
        self.size = size
        self.values: list[float] = []
        self.epochs: list[float] = []
        self._per_point = 1
        self._pending: list[float] = []

    def add(self, epoch: float, loss: float) -> None:
        """One batch more, after so many epochs."""
        self._pending.append(loss)
        if len(self._pending) < self._per_point:
            return
        self.values.append(sum(self._pending) / len(self._pending))
        self.epochs.append(epoch)
        self._pending = []
        if len(self.values) == self.size:
            self.values = [(a + b) / 2 for a, b in zip(self.values[::2], self.values[1::2], strict=True)]
            self.epochs = self.epochs[1::2]
            self._per_point *= 2

    def charts(self) -> list[LineChart]:
        """The chart of them, once there is something to draw."""
        series = {"training": self.values}
        return [LineChart("Loss of each batch", series, self.epochs)] if len(self.values) > 1 else []


def _new_display():
    """An output of this notebook that can be updated; ``None`` where no notebook runs this."""
    try:
        from IPython import get_ipython
        from IPython.display import HTML, display
    except ImportError:
        return None
    if not hasattr(get_ipython(), "kernel"):  # a plain interpreter, or IPython in a terminal
        return None
    return display(HTML("<p>Training has begun.</p>"), display_id=True)
