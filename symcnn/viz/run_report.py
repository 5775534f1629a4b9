"""What a report on a training run consists of, as text, as a still picture and as the data of its live view."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape
from math import isfinite
from textwrap import fill
from typing import Any

from symcnn.metrics import ConfusionMatrix, classification_report
from symcnn.train import GradientCheck, History, Monitor, diagnose_history
from symcnn.train.diagnosis import Finding
from symcnn.train.gradient_check import COLUMNS
from symcnn.viz.chart import LineChart
from symcnn.viz.confusion import busiest, class_rows, confusion_svg, confusion_table
from symcnn.viz.figure import Figure, Live, asset
from symcnn.viz.mistakes import Mistake, mistake_tiles
from symcnn.viz.png import data_uri
from symcnn.viz.still_page import MARGIN, WIDTH, StillPage
from symcnn.viz.training_charts import SETTINGS, history_charts, layer_charts

STYLE = """
.still .right { fill: var(--c0) } .still .wrong { fill: var(--c1) } .still image { image-rendering: pixelated }
"""
CHART = 426, 264  # width and height of a chart in the still picture
TILE, TILES = 92, 16  # side of a mistake in the still picture, and how many are in it
LAST_EPOCHS = 10  # in the text
MOST_FINDINGS = 8
CLASS_COLUMNS = ("class", "precision", "recall", "examples")
COOLED = 1e-2  # of the largest learning rate: a schedule has all but ended the training, and small updates are meant
NOTHING = "Nothing looks wrong."
READING = "Values under the pointer, or at a focused chart by arrow keys, stand below it."
LOG_SWITCH = ' <label><input type="checkbox" class="log"> logarithmic scale</label>'
LAYERS = "One line per layer, measured on a batch. A layer's name, pressed, brings its line to the fore."
CONFUSION = "Rows: the true class; columns: what the network said. The diagonal is right."
GRADIENTS = "The worst of the entries of each parameter that were compared: what grad says against finite differences."


@dataclass
class RunReport:
    """All that a report may show; made into a figure by its parts.

    Attributes
    ----------
    title, history, monitor, gradient_check
        As `symcnn.viz.training_report` has them.
    confusion, mistakes
        What the model says of a data set, as `symcnn.viz.mistakes.judged` tells.
    more_curves : list of LineChart
        Shown before those of the history.
    """

    title: str
    history: History
    monitor: Monitor | None = None
    confusion: ConfusionMatrix | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    gradient_check: GradientCheck | None = None
    more_curves: list[LineChart] = field(default_factory=list)

    def figure(self, live: bool = True) -> Figure:
        """The report; `live`: with a view that answers to pointer and keys."""
        view = Live("trainingReport", self._live_data(), ("chart", "training_report")) if live else None
        return Figure(self.title, self.svg(), self.text(), view)

    # ---- what there is to say

    def facts(self) -> dict[str, str]:
        """Headline numbers: label -> text."""
        facts = {"epochs": str(self.history.epochs)}
        facts |= {name: f"{values[-1]:.4g}" for name, values in self.history.items() if values and name not in SETTINGS}
        if seconds := sum(self.history.get("seconds", ())):
            facts["seconds"] = f"{seconds:.3g}"
        return facts

    def findings(self) -> list[Finding]:
        """What looks wrong, in the curves and in the layers."""
        found = diagnose_history(self.history) + (self.monitor.findings() if self.monitor else [])
        rates = self.history.get("learning_rate", [1.0]) or [1.0]
        cooled = rates[-1] < COOLED * max(rates)
        found = [finding for finding in found if not (cooled and finding.sign == "low ratio")]
        if len(found) <= MOST_FINDINGS:
            return found
        rest = len(found) - MOST_FINDINGS
        more = Finding("", "more", rest, f"and {rest} more; monitor.findings() has all of them")
        return [*found[:MOST_FINDINGS], more]

    def curves(self) -> list[LineChart]:
        return self.more_curves + history_charts(self.history)

    def layers(self) -> list[LineChart]:
        return layer_charts(self.monitor.records) if self.monitor else []

    # ---- as text

    def text(self) -> str:
        """For the terminal."""
        parts = [f"{self.title}\n{self._facts_line()}"]
        if self.history.epochs:
            parts.append(_last_epochs(self.history))
        if self.monitor:
            parts.append(_last_measurement(self.monitor))
        advice = [fill(f"- {finding}", 100, subsequent_indent="  ") for finding in self.findings()]
        parts.append("\n".join(advice) or NOTHING)
        if self.confusion:
            parts.append(classification_report(self.confusion))
        if self.gradient_check:
            parts.append(str(self.gradient_check))
        return "\n\n".join(parts)

    def _facts_line(self) -> str:
        epochs, *others = self.facts().items()
        return "; ".join([" ".join(reversed(epochs)), *map(" ".join, others)])

    # ---- as a still picture

    def svg(self) -> str:
        """The still picture."""
        page = StillPage(self.title)
        page.heading(self.title)
        page.paragraph(self._facts_line(), "soft")
        page.heading("Advice")
        for finding in self.findings():
            page.paragraph(f"\N{BULLET} {finding}")
        if not self.findings():
            page.paragraph(NOTHING)
        for heading, charts in (("Curves", self.curves()), ("Layers", self.layers())):
            if charts:
                page.heading(heading)
                page.grid([chart.svg for chart in charts], *CHART)
        if self.confusion:
            _place_confusion(page, self.confusion)
            if self.mistakes:
                page.heading("Where it is wrong, and most certain")
                tiles = [_tile(mistake, self.confusion.names) for mistake in self.mistakes[:TILES]]
                page.grid(tiles, TILE, TILE + 40)
        if self.gradient_check:
            page.heading("Gradient check")
            page.table(COLUMNS, [entry.cells() for entry in self.gradient_check.worst()])
        return page.svg(asset("chart.css") + STYLE)

    # ---- as a live view

    def _live_data(self) -> dict[str, Any]:
        curves, layers = self.curves(), self.layers()
        facts = "".join(
            f"<div><b>{escape(text)}</b><span>{escape(label)}</span></div>" for label, text in self.facts().items()
        )
        advice = "".join(f"<li>{_said(finding)}</li>" for finding in self.findings())
        parts = [
            f'<div class="facts">{facts}</div>',
            _section("Advice", "", f'<ul class="advice">{advice}</ul>' if advice else f"<p>{NOTHING}</p>"),
        ]
        if curves:
            parts.append(_section("Curves", READING + LOG_SWITCH, _places(0, len(curves))))
        if layers:
            parts.append(_section("Layers", LAYERS, _places(len(curves), len(layers))))
        if self.monitor and self.monitor.records:
            table = escape(_last_measurement(self.monitor))
            parts.append(f"<details><summary>The last measurement of every layer</summary><pre>{table}</pre></details>")
        if self.confusion:
            counts, names = busiest(self.confusion, self.confusion.names)
            tables = confusion_table(counts, names) + _table(CLASS_COLUMNS, _class_rows(self.confusion, names))
            parts.append(_section("Confusion matrix", CONFUSION, f'<div class="row">{tables}</div>'))
            if self.mistakes:
                tiles = mistake_tiles(self.mistakes, self.confusion.names)
                parts.append(
                    _section("Where it is wrong, and most certain", "The most confident mistakes first.", tiles)
                )
        if self.gradient_check:
            rows = [entry.cells() for entry in self.gradient_check.worst()]
            parts.append(_section("Gradient check", GRADIENTS, _table(COLUMNS, rows)))
        return {"html": "".join(parts), "charts": [_live_chart(chart) for chart in curves + layers]}


def _last_epochs(history) -> str:
    """The table of a history, without the middle of a long one."""
    header, *lines = str(History({n: v for n, v in history.items() if len(v) == history.epochs})).splitlines()
    left_out = len(lines) - LAST_EPOCHS
    return "\n".join([header, *(["..."] if left_out > 0 else []), *lines[-LAST_EPOCHS:]])


def _last_measurement(monitor) -> str:
    """The table of a monitor's report, without its advice."""
    return str(monitor.report()).partition("\n\n")[0]


def _place_confusion(page: StillPage, confusion: ConfusionMatrix) -> None:
    """The matrix, and beside or below it what it says of each class."""
    page.heading("Confusion matrix")
    page.paragraph(CONFUSION, "soft")
    counts, names = busiest(confusion, confusion.names)
    elements, width, height = confusion_svg(counts, names, MARGIN, page.height)
    beside = MARGIN + width + 36
    if beside < WIDTH - 330:
        taken = page.put_table(CLASS_COLUMNS, _class_rows(confusion, names), beside, page.height)
        page.place(elements, max(height, taken) + 12)
    else:
        page.place(elements, height + 12)
        page.table(CLASS_COLUMNS, _class_rows(confusion, names))


def _class_rows(confusion, names):
    """Precision and recall of these classes, measured on all."""
    return [row for row in class_rows(confusion, confusion.names) if row[0] in names]


def _tile(mistake, names):
    """A function that places a mistake in a still picture."""
    truth, answer = escape(names[mistake.truth]), escape(names[mistake.answer])
    image = "" if mistake.picture is None else data_uri(mistake.picture)
    shown = f'<image width="{TILE}" height="{TILE}" href="{image}"/>' if image else ""
    texts = (
        f'<text class="count" y="{TILE + 15}">{answer} {mistake.certainty:.0%}</text>'
        f'<text class="small" y="{TILE + 31}">is: {truth}</text>'
    )
    return lambda attributes: (
        f'<svg viewBox="0 0 {TILE} {TILE + 40}" overflow="visible"{attributes}>{shown}{texts}</svg>'
    )


def _said(finding) -> str:
    name = f"<b>{escape(finding.layer)}</b> " if finding.layer else ""
    return f"{name}{escape(finding.text)}"


def _section(heading, note, content) -> str:
    return f"<section><h2>{escape(heading)}</h2>{f'<p>{note}</p>' if note else ''}{content}</section>"


def _places(first, count) -> str:
    """Where the script puts charts number `first`, `first` + 1, ..."""
    return f'<div class="plots">{"".join(f"<div data-chart={k}></div>" for k in range(first, first + count))}</div>'


def _table(header, rows) -> str:
    head = "".join(f'<th scope="col"{_of_number(k)}>{escape(text)}</th>' for k, text in enumerate(header))
    body = "".join(
        f"<tr>{''.join(f'<td{_of_number(k)}>{escape(text)}</td>' for k, text in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _of_number(column) -> str:
    return " class=n" if column else ""


def _live_chart(chart: LineChart) -> dict[str, Any]:
    """What the script needs of a chart: its values, and how it is drawn, on a logarithmic scale too if it can be."""
    forms = [chart]
    values = [v for values in chart.series.values() for v in values if isfinite(v)]
    if chart.x_label != "step" and values and min(values) > 0:
        forms.append(replace(chart, log=True))
    return {
        "title": chart.title,
        "axis": chart.x_label,
        "at": chart.positions,
        "names": list(chart.series),
        "looks": [chart.look(i) for i in range(len(chart.series))],
        "values": [[float(f"{v:.5g}") if isfinite(v) else None for v in values] for values in chart.series.values()],
        "percent": chart.percent,
        "forms": [{"svg": form.svg(), "scale": form.scale()} for form in forms],
    }
