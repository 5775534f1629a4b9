"""The page that `symcnn demo` leaves behind: one HTML file with everything inside, no script, no network."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from symcnn import metrics
from symcnn.nn.summary import TEXTS
from symcnn.viz.chart import LineChart
from symcnn.viz.png import img, stretched

STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1d2433, #e6e9f0); --paper: light-dark(#fbfbf9, #14171d);
  --card: light-dark(#fff, #1c2028); --rule: light-dark(#e3e5ea, #323845); --soft: light-dark(#667085, #98a1b3);
  --c0: light-dark(#2457c5, #7aa5ff); --c1: light-dark(#c2500a, #ffa25c); }
body { margin: 0 auto; max-width: 980px; padding: 40px 24px 64px; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 30px; margin: 0; letter-spacing: -.01em } h2 { font-size: 19px; margin: 44px 0 6px }
p { margin: 6px 0 14px; color: var(--soft); max-width: 70ch }
.figures { display: flex; flex-wrap: wrap; gap: 12px; margin: 24px 0 0 }
.figures div { flex: 1 1 130px; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 16px }
.figures b { display: block; font-size: 25px; font-variant-numeric: tabular-nums }
.figures span { color: var(--soft); font-size: 13.5px }
.row { display: flex; flex-wrap: wrap; gap: 20px }
.row > * { flex: 1 1 380px; min-width: 0 }
.scroll { overflow-x: auto } .row > .scroll { flex: 2 1 530px }
.row > :not(.scroll):not(.chart):not(.filters) { flex: 1 1 300px }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14.5px }
td, th { padding: 4px 12px; text-align: left; border-bottom: 1px solid var(--rule); font-weight: 400 }
th { color: var(--soft) } td.n, th.n { text-align: right } tr.total td { font-weight: 600; border-bottom: 0 }
code { font: 13.5px ui-monospace, monospace }
.bar { fill: var(--c0); opacity: .75 }
.chart { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; width: 100%; height: auto }
.chart text { font-size: 11.5px; fill: var(--soft) } .chart text.title { font-size: 13px; fill: var(--ink) } .chart .grid { stroke: var(--rule) }
.chart polyline { fill: none; stroke-width: 2.2; stroke-linejoin: round }
.line0 { stroke: var(--c0) } .dot0 { fill: var(--c0) } .chart .name0 { fill: var(--c0) }
.line1 { stroke: var(--c1) } .dot1 { fill: var(--c1) } .chart .name1 { fill: var(--c1) }
.pixels { image-rendering: pixelated; border-radius: 3px; display: block }
.tiles { display: flex; flex-wrap: wrap; gap: 8px } .tiles figure { margin: 0 6px 10px 0; width: 112px }
figcaption { font-size: 12.5px; line-height: 1.35; padding-top: 4px; overflow-wrap: anywhere }
.filters { margin: 0 } .filters div { display: grid; grid-template-columns: repeat(10, max-content); gap: 5px }
figcaption span { color: var(--soft) }
table.confusion td, table.confusion th { border: 0; padding: 5px 3px; text-align: center; min-width: 32px }
table.confusion th.name { text-align: right; padding-right: 10px; white-space: nowrap }
table.confusion th.top { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; white-space: nowrap }
table.confusion td { border-radius: 4px } table.confusion td.right { outline: 1.5px solid var(--c0); outline-offset: -2px }
footer { margin-top: 48px; color: var(--soft); font-size: 14px }
"""


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
    summary: object
    node_counts: dict[str, int]
    history: dict
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
                _filters(self.filters_before, self.filters_after),
            ),
            _section(
                "Confusion matrix",
                "Rows: the true class; columns: what the network said. The diagonal is right.",
                f'<div class="row">{_confusion(confusion, self.classes)}{_per_class(confusion, self.classes)}</div>',
            ),
            _section(
                "Where it is wrong, and most certain",
                "Test images, the most confident mistakes first.",
                self._mistakes(),
            ),
        )
        figures = "".join(f"<div><b>{escape(v)}</b><span>{escape(k)}</span></div>" for k, v in self.figures.items())
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{STYLE}</style></head><body>"
            f"<h1>{escape(self.title)}</h1><p>{escape(self.subtitle)}</p>"
            f'<div class="figures">{figures}</div>{"".join(sections)}'
            "<footer>Images: Fashion-MNIST, © 2017 Zalando SE, MIT licence. Made by <code>symcnn demo</code>.</footer>"
            "</body></html>\n"
        )

    def _mistakes(self, count: int = 24) -> str:
        probability = softmax(self.logits)
        said = probability.argmax(axis=1)
        wrong = np.flatnonzero(said != self.labels)
        wrong = wrong[np.argsort(-probability[wrong, said[wrong]], kind="stable")][:count]
        tiles = []
        for i in wrong:
            truth, answer = self.classes[self.labels[i]], self.classes[said[i]]
            picture = img(self.images[i, 0], f"{escape(truth)}, taken for {escape(answer)}", scale=4)
            share = f"{probability[i, said[i]]:.0%}"
            tiles.append(
                f"<figure>{picture}<figcaption>{escape(answer)} {share}<br><span>is: {escape(truth)}</span></figcaption></figure>"
            )
        return f'<div class="tiles">{"".join(tiles) or "<p>None: every test image is classified rightly.</p>"}</div>'


def softmax(logits) -> np.ndarray:
    """Probabilities (n, classes) of logits."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _section(title, text, content) -> str:
    return f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p>{content}</section>"


def _network(summary) -> str:
    header, *rows, total = summary.cells()

    def line(cells, tag, attributes=""):
        texts = "".join(
            f"<{tag}{' class=n' if i >= TEXTS else ''}>{escape(text)}</{tag}>" for i, text in enumerate(cells)
        )
        return f"<tr{attributes}>{texts}</tr>"

    body = line(header, "th") + "".join(line(r, "td") for r in rows) + line(total, "td", ' class="total"')
    return f'<div class="scroll"><table>{body}</table></div>'


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


def _filters(before, after) -> str:
    def tiles(weights):
        """The first input channel of each filter, stretched to full contrast."""
        return "".join(img(stretched(w[0]), f"filter {i}", scale=7) for i, w in enumerate(weights, start=1))

    figures = "".join(
        f'<figure class="filters"><div>{tiles(weights)}</div><figcaption>{name} training</figcaption></figure>'
        for name, weights in (("before", before), ("after", after))
    )
    return f'<div class="row">{figures}</div>'


def _confusion(confusion, classes) -> str:
    top = "".join(f'<th class="top">{escape(name)}</th>' for name in classes)
    per_row = confusion.sum(axis=1, keepdims=True).clip(min=1)
    rows = []
    for i, (name, counts) in enumerate(zip(classes, confusion, strict=True)):
        cells = "".join(
            f'<td{" class=right" if i == j else ""} style="background:color-mix(in srgb,var(--{"c0" if i == j else "c1"}) '
            f'{70 * share:.0f}%,transparent)">{count or ""}</td>'
            for j, (count, share) in enumerate(zip(counts, counts / per_row[i], strict=True))
        )
        rows.append(f'<tr><th class="name">{escape(name)}</th>{cells}</tr>')
    return f'<div class="scroll"><table class="confusion"><tr><th></th>{top}</tr>{"".join(rows)}</table></div>'


def _per_class(confusion, classes) -> str:
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{p:.3f}</td><td class="n">{r:.3f}</td></tr>'
        for name, p, r in zip(classes, metrics.precision(confusion), metrics.recall(confusion), strict=True)
    )
    return (
        f'<div><table><tr><th>class</th><th class="n">precision</th><th class="n">recall</th></tr>{rows}</table></div>'
    )
