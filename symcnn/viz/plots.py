"""Figures for papers, by matplotlib: curves, norms of layers, a confusion matrix, as vector graphics of the width of a column."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symcnn.errors import InputError, PackageError, ShapeError
from symcnn.keywords import checked_keywords
from symcnn.train import Monitor
from symcnn.viz.chart import COLOURS as LOOKS
from symcnn.viz.chart import LineChart
from symcnn.viz.palette import COLOURS
from symcnn.viz.training_charts import checked_history, history_charts, layer_charts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL = 3.2, 2.3  # inches
STYLES = ("-", (0, (5, 2)), (0, (1.2, 1.2)))  # as the dashes of `symcnn.viz.chart`
SMALL, NORMAL = 7, 8  # points of type
PALE, DARK = "#eef2fb", "#12306f"  # of a confusion matrix: a share of 0 and of 1


@checked_keywords
def plot_history(history, *, log: bool = False) -> Figure:
    """Loss and metrics of a training run, a panel each, training and validation in one.

    Parameters
    ----------
    history : History or mapping
    log : bool
        Draw the loss on a logarithmic scale.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.savefig("history.pdf")``. It belongs to no window: pyplot does not know it.

    Raises
    ------
    InputError
        If it is no history, or empty.
    PackageError
        Without matplotlib.

    Examples
    --------
    >>> figure = plot_history({"loss": [2.0, 1.0], "val_loss": [2.1, 1.3], "val_accuracy": [0.4, 0.7]})
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['Loss', 'Accuracy']
    """
    charts = [chart for chart in history_charts(checked_history(history)) if chart.title != "Learning rate"]
    if not charts:
        raise InputError("plot_history: the history is empty")
    figure, panels = _figure(len(charts))
    for chart, axes in zip(charts, panels, strict=True):
        _plot(axes, replace(chart, log=log and chart.title == "Loss"))
        axes.legend(frameon=False, fontsize=SMALL)
    return figure


@checked_keywords
def plot_norms(monitor: Monitor) -> Figure:
    """What a monitor measured of every layer over the training: norms, update ratios, dead and saturated units.

    The healthy range of the update ratio, around 1e-3, is shaded.

    Parameters
    ----------
    monitor : Monitor

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If it is no monitor, or has measured nothing.
    PackageError
        Without matplotlib.

    Examples
    --------
    >>> import symcnn as sc
    >>> monitor = sc.train.Monitor(every=2)
    >>> history = sc.train.fit(sc.models.mlp([4, 4]), (np.eye(4), np.arange(4)), epochs=4, callbacks=monitor,
    ...                        device="reference", progress=False)
    >>> [axes.get_ylabel() for axes in plot_norms(monitor).axes][:2]
    ['Weights: norm |w|', 'Gradients: norm |g|']
    """
    if not isinstance(monitor, Monitor):
        raise InputError("plot_norms: this is no Monitor", found=type(monitor).__name__)
    charts = layer_charts(monitor.records)
    if not charts:
        raise InputError("plot_norms: the monitor has measured nothing", hint="fit(..., callbacks=[monitor])")
    figure, panels = _figure(len(charts))
    for chart, axes in zip(charts, panels, strict=True):
        _plot(axes, chart)
    looks = {line.get_label(): line for axes in panels for line in axes.get_lines()}
    figure.legend(looks.values(), looks, loc="outside lower center", ncols=6, frameon=False, fontsize=SMALL)
    return figure


@checked_keywords
def plot_confusion(matrix, classes=None) -> Figure:
    """A confusion matrix: rows are the true classes, columns the predicted ones, shaded by the share of the row.

    Parameters
    ----------
    matrix : array_like or ConfusionMatrix
        (classes, classes) counts.
    classes : sequence of str, optional
        Names; those of the ConfusionMatrix, or numbers.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If the matrix is not square.
    InputError
        If there is not one name per class.
    PackageError
        Without matplotlib.

    Examples
    --------
    >>> figure = plot_confusion([[8, 2], [1, 9]], ["cat", "dog"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['8', '2', '1', '9']
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ShapeError(
            "plot_confusion: this is no confusion matrix", expected="(classes, classes)", found=counts.shape
        )
    names = [str(name) for name in (getattr(matrix, "names", range(len(counts))) if classes is None else classes)]
    if len(names) != len(counts):
        raise InputError("plot_confusion: one name per class", expected=len(counts), found=len(names))
    side = max(2.6, 1.2 + 0.3 * len(names))
    figure = _new_figure((side, side))
    axes = figure.add_subplot()
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    # Cells are drawn one by one, not as an image: sharp at any size.
    axes.pcolormesh(shares, cmap=_colours(), vmin=0, vmax=1, edgecolors="white", linewidth=1)
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[i, j] > 0.5 else COLOURS["ink"][0]
            axes.text(j + 0.5, i + 0.5, f"{count:g}", ha="center", va="center", color=colour, fontsize=SMALL)
    places = np.arange(len(names)) + 0.5
    axes.set_xticks(places, names, rotation=90, fontsize=SMALL)
    axes.set_yticks(places, names, fontsize=SMALL)
    axes.set_xlabel("predicted", fontsize=NORMAL)
    axes.set_ylabel("true", fontsize=NORMAL)
    axes.set(aspect="equal", ylim=(len(names), 0))
    axes.tick_params(length=0)
    axes.grid(visible=False)  # which a user's matplotlibrc may have turned on
    axes.spines[:].set_visible(False)
    return figure


def _plot(axes, chart: LineChart) -> None:
    """Draw a chart into a panel."""
    if chart.band:
        axes.axhspan(*chart.band, color=COLOURS["added"][0], zorder=0)
        axes.annotate(
            "healthy", (0.02, chart.band[0]), xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points",
            color=COLOURS["value"][0], fontsize=SMALL,
        )  # fmt: skip
    for i, (name, values) in enumerate(chart.series.items()):
        look = chart.look(i)
        axes.plot(
            chart.positions[: len(values)], values, label=name, color=COLOURS[f"c{look % LOOKS}"][0],
            linestyle=STYLES[look % len(STYLES)], linewidth=1.2,
        )  # fmt: skip
    ticks = chart.ticks()
    axes.set_yscale("log" if chart.log else "linear")
    axes.set_yticks(ticks, map(chart.tick_text, ticks))
    axes.set_ylim(ticks[0], ticks[-1])
    axes.minorticks_off()
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(chart.x_label, fontsize=NORMAL)
    axes.set_ylabel(chart.title, fontsize=NORMAL)


def _figure(count: int) -> tuple[Figure, list[Any]]:
    """A figure with so many panels, two in a row."""
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = _new_figure((PANEL[0] * columns, PANEL[1] * rows))
    panels = [figure.add_subplot(rows, columns, k + 1) for k in range(count)]
    for axes in panels:
        axes.tick_params(labelsize=SMALL)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", linewidth=0.5, color=COLOURS["rule"][0])
        axes.set_axisbelow(True)
    return figure, panels


def _new_figure(size) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise PackageError("figures for papers need the package matplotlib", hint="pip install 'symcnn[viz]'") from None
    return Figure(figsize=size, layout="constrained")


def _colours():
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shares", [PALE, DARK])
