"""The page that `symcnn demo` leaves behind: one HTML file with everything inside, no script, no network."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from symcnn import metrics
from symcnn.nn.summary import TEXTS, Summary
from symcnn.train import History
from symcnn.viz.chart import LineChart
from symcnn.viz.confusion import class_rows, confusion_table
from symcnn.viz.figure import asset, page
from symcnn.viz.filters import filters
from symcnn.viz.mistakes import mistake_tiles, worst_mistakes


@dataclass(frozen=True)
class Report:
    """What a training run has to tell.

    Attributes
    ----------
    title, subtitle : str
    figures : dict
        Headline numbers, label -> text.
    summary : symcnn.nn.summary.Summary
        Of the network.
    node_counts : dict
        Stage of the compiler -> how many nodes the graph has after it.
    history : symcnn.train.History
    filters_before, filters_after : numpy.ndarray
        Weights of the first convolution, (out, in, height, width).
    images : numpy.ndarray
        Test images, uint8 (n, channels, height, width).
    labels, logits : numpy.ndarray
        Their classes (n,), and what the network said (n, classes).
    classes : tuple of str
    """

    title: str
    subtitle: str
    figures: dict[str, str]
    summary: Summary
    node_counts: dict[str, int]
    history: History
    filters_before: np.ndarray
    filters_after: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    logits: np.ndarray
    classes: tuple[str, ...]

    def html(self) -> str:
        """The whole page."""
        confusion = metrics.confusion_matrix(self.logits, self.labels, len(self.classes))
        sections = (
            _section("The network", "Layer by layer; n is the size of the batch.", _network(self.summary)),
            _section(
                "What the compiler did with it",
                "Nodes in the graph of one training step: as written, with its gradients and updates, and after each "
                "phase of rewriting.",
                _stages(self.node_counts),
            ),
            _section("Training", "Loss and accuracy per epoch.", _curves(self.history)),
            _section(
                "First-layer filters",
                "What the first convolution looks for, before training (noise) and after (edges, blobs, textures).",
                filters(self.filters_after, before=self.filters_before).svg,
            ),
            _section(
                "Confusion matrix",
                "Rows: the true class; columns: what the network said. The diagonal is right.",
                f'<div class="row">{confusion_table(confusion, self.classes)}{_per_class(confusion, self.classes)}</div>',
            ),
            _section(
                "Where it is wrong, and most certain",
                "Test images, the most confident mistakes first.",
                mistake_tiles(worst_mistakes(self.images, self.logits, self.labels), self.classes),
            ),
        )
        figures = "".join(f"<div><b>{escape(v)}</b><span>{escape(k)}</span></div>" for k, v in self.figures.items())
        return page(
            self.title,
            f"<h1>{escape(self.title)}</h1><p>{escape(self.subtitle)}</p>"
            f'<div class="facts">{figures}</div>{"".join(sections)}'
            "<footer>Images: Fashion-MNIST, © 2017 Zalando SE, MIT licence. Made by <code>symcnn demo</code>.</footer>",
            "".join(map(asset, ("chart.css", "training_report.css", "report.css"))),
        )


def _section(title, text, content) -> str:
    return f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p>{content}</section>"


def _network(summary) -> str:
    header, *rows, total = summary.cells()
    body = "".join(_line(row, "td", TEXTS) for row in rows)
    whole = _line(total, "td", TEXTS, ' class="total"')
    return f'<div class="scroll"><table>{_line(header, "th", TEXTS)}{body}{whole}</table></div>'


def _stages(node_counts) -> str:
    largest = max(node_counts.values(), default=1) or 1
    rows = "".join(
        f'<tr><td>{escape(stage)}</td><td class="n">{count}</td><td><svg width="320" height="12" aria-hidden="true">'
        f'<rect class="bar" width="{320 * count / largest:.1f}" height="12" rx="3"/></svg></td></tr>'
        for stage, count in node_counts.items()
    )
    return f'<div class="scroll"><table><tr><th>stage</th><th class="n">nodes</th><th></th></tr>{rows}</table></div>'


def _curves(history) -> str:
    losses = {"training": history["loss"], "validation": history.get("val_loss", [])}
    accuracy = {"validation": history.get("val_accuracy", [])}
    return (
        f'<div class="row">{LineChart("Loss per epoch", losses).svg()}'
        f"{LineChart('Validation accuracy per epoch', accuracy).svg()}</div>"
    )


def _per_class(confusion, classes) -> str:
    lines = ((name, precision, recall) for name, precision, recall, _ in class_rows(confusion, classes))
    body = _line(("class", "precision", "recall"), "th", 1) + "".join(_line(line, "td", 1) for line in lines)
    return f"<div><table>{body}</table></div>"


def _line(cells, tag: str, texts: int, attributes="") -> str:
    """A row of a table whose first cells, so many, are texts and the others numbers."""
    row = "".join(f"<{tag}{' class=n' if k >= texts else ''}>{escape(text)}</{tag}>" for k, text in enumerate(cells))
    return f"<tr{attributes}>{row}</tr>"
