"""The charts of a training run: its curves, and what a monitor measured of every layer."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, nan
from numbers import Real

from symcnn.errors import InputError
from symcnn.train import History
from symcnn.viz.chart import LineChart

MOST_LINES = 12  # in one chart; more cannot be told apart
MOST_POINTS = 200  # of one line; a page of a long run stays small
HEALTHY = (3e-4, 3e-3)  # updates as a share of the weights: about 1e-3
# Number of a layer -> title of its chart, and how that is drawn.
OF_LAYERS = {
    "weight_norm": ("Weights: norm |w|", {"log": True}),
    "gradient_norm": ("Gradients: norm |g|", {"log": True}),
    "update_ratio": ("Update ratio |dw|/|w|", {"log": True, "band": HEALTHY}),
    "dead": ("Dead units", {"percent": True}),
    "saturated": ("Saturated values", {"percent": True}),
    "norm": ("Activations: norm per example", {"log": True}),
}
SETTINGS = ("learning_rate", "seconds")  # of a history: nothing that was measured on examples


def checked_history(history) -> History:
    """`history` as a History.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(history, Mapping):
        raise InputError("this is no history", expected="what sc.train.fit returns", found=type(history).__name__)
    for name, values in history.items():
        if not hasattr(values, "__len__") or isinstance(values, str) or not all(isinstance(v, Real) for v in values):
            raise InputError(f"the history of {name} is no list of numbers", found=repr(values)[:60])
    return History({str(name): [float(v) for v in values] for name, values in history.items()})


def history_charts(history) -> list[LineChart]:
    """Loss first, then every metric, training and validation in one chart; the learning rate if it changes.

    Examples
    --------
    >>> charts = history_charts({"loss": [2.0, 1.0], "val_loss": [2.1, 1.2], "val_accuracy": [0.5, 0.7], "seconds": [3, 3]})
    >>> [(chart.title, list(chart.series)) for chart in charts]
    [('Loss', ['training', 'validation']), ('Accuracy', ['validation'])]
    """
    names = dict.fromkeys(name.removeprefix("val_") for name in history if name not in SETTINGS)
    charts = []
    for name in names:
        both = {"training": history.get(name), "validation": history.get(f"val_{name}")}
        series = {which: list(values) for which, values in both.items() if values is not None}
        charts.append(_curves(name, series, looks=[list(both).index(which) for which in series]))
    rates = list(history.get("learning_rate", ()))
    if len(set(rates)) > 1:
        charts.append(_curves("learning rate", {"rate": rates}, looks=(2,)))
    return charts


def _curves(name, series, looks) -> LineChart:
    at = list(range(1, max(map(len, series.values())) + 1))
    return LineChart(name[:1].upper() + name[1:], *thinned(series, at), looks=looks)


def layer_charts(records) -> list[LineChart]:
    """A chart per number of the layers, against the steps; what no layer has is left out.

    Parameters
    ----------
    records : list of dict
        As `symcnn.train.Monitor.records` has them.
    """
    steps = list(dict.fromkeys(record["step"] for record in records))
    layers = list(dict.fromkeys(record["layer"] for record in records))
    found = {(record["layer"], record["step"]): record for record in records}
    charts, looks = [], {}
    for number, (title, options) in OF_LAYERS.items():
        series = {layer: [found.get((layer, s), {}).get(number, nan) for s in steps] for layer in layers}
        series = {layer: values for layer, values in series.items() if any(map(isfinite, values))}
        if series:
            shown = _shown(series, by_size=options.get("percent", False))
            of_shown = [looks.setdefault(layer, len(looks)) for layer in shown]
            charts.append(LineChart(title, *thinned(shown, steps), x_label="step", looks=of_shown, **options))
    return charts


def _shown(series, by_size: bool) -> dict[str, list[float]]:
    """At most `MOST_LINES` of the series: the largest at the end, or every so many from the first layer to the last."""
    names = list(series)
    if by_size:
        largest = sorted(names, key=lambda name: -series[name][-1] if isfinite(series[name][-1]) else 0)[:MOST_LINES]
        return {name: series[name] for name in names if name in largest}
    count = min(MOST_LINES, len(names))
    chosen = {names[k * (len(names) - 1) // max(count - 1, 1)] for k in range(count)}
    return {name: series[name] for name in names if name in chosen}


def thinned(series, at) -> tuple[dict[str, list[float]], list[float]]:
    """The series at no more than some `MOST_POINTS` of the positions: every so many, the last, and all extremes.

    Examples
    --------
    >>> loss = [1 / (k + 1) for k in range(1000)]
    >>> loss[777] = 50.0
    >>> series, at = thinned({"loss": loss}, list(range(1000)))
    >>> len(at), at[-1], max(series["loss"])
    (202, 999, 50.0)
    """
    if len(at) <= MOST_POINTS:
        return series, at
    kept = {*range(0, len(at), -(-len(at) // MOST_POINTS)), len(at) - 1}
    for values in series.values():
        finite = [k for k, v in enumerate(values) if isfinite(v)]
        kept |= {choose(finite, key=values.__getitem__) for choose in (min, max) if finite}
    rows = sorted(kept)
    return {name: [values[k] for k in rows if k < len(values)] for name, values in series.items()}, [
        at[k] for k in rows
    ]
