"""The confusion matrix as a table, with precision and recall per class: for pages, and as a part of a still picture."""

from __future__ import annotations

from html import escape

import numpy as np

from symcnn import metrics

MOST_CLASSES = 20  # in one picture
CELL = 30  # pixels of a cell in a still picture


def busiest(counts, classes) -> tuple[np.ndarray, list[str]]:
    """The matrix of at most `MOST_CLASSES` classes, those that mistakes concern most, and their names.

    Examples
    --------
    >>> matrix, names = busiest(np.diag(range(100)) + np.eye(100, k=1, dtype=int) * (np.arange(100) < 5)[:, None], range(100))
    >>> names[:6], len(matrix)
    (['0', '1', '2', '3', '4', '5'], 20)
    """
    counts, names = np.asarray(counts), [str(name) for name in classes]
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")
    chosen = np.sort(order[:MOST_CLASSES])
    return counts[np.ix_(chosen, chosen)], [names[k] for k in chosen]


def confusion_table(counts, classes) -> str:
    """An HTML table: a row per true class, a column per answer, each cell shaded by its share of the row."""
    top = "".join(f'<th class="top" scope="col">{escape(name)}</th>' for name in classes)
    rows = []
    for i, (name, line, shares) in enumerate(zip(classes, counts, _shares(counts), strict=True)):
        cells = "".join(
            f'<td{" class=right" if i == j else ""} style="background:color-mix(in srgb,var(--{"c0" if i == j else "c1"}) '
            f'{70 * share:.0f}%,transparent)">{count or ""}</td>'
            for j, (count, share) in enumerate(zip(line, shares, strict=True))
        )
        rows.append(f'<tr><th class="name" scope="row">{escape(name)}</th>{cells}</tr>')
    return f'<div class="scroll"><table class="confusion"><tr><td></td>{top}</tr>{"".join(rows)}</table></div>'


def confusion_svg(counts, classes, x: float, y: float) -> tuple[str, float, float]:
    """The same as SVG elements with their upper left corner at (x, y), and the width and the height that they take."""
    side = 6.6 * max(map(len, classes), default=0) + 12
    parts = []
    for i, (name, line, shares) in enumerate(zip(classes, counts, _shares(counts), strict=True)):
        left, top = x + side + CELL * i, y + side + CELL * i
        parts.append(
            f'<text class="small" text-anchor="end" x="{x + side - 8:.1f}" y="{top + 19:.1f}">{escape(name)}</text>'
            f'<text class="small" transform="translate({left + 19:.1f} {y + side - 8:.1f}) rotate(-90)">{escape(name)}</text>'
        )
        for j, (count, share) in enumerate(zip(line, shares, strict=True)):
            kind = "right" if i == j else "wrong"
            parts.append(
                f'<rect class="{kind}" x="{x + side + CELL * j:.1f}" y="{top:.1f}" width="{CELL - 2}" height="{CELL - 2}" rx="4" '
                f'fill-opacity="{0.7 * share:.2f}"/>'
            )
            if count:
                parts.append(
                    f'<text class="count" text-anchor="middle" x="{x + side + CELL * j + CELL / 2 - 1:.1f}" y="{top + 18:.1f}">'
                    f"{count}</text>"
                )
    size = side + CELL * len(classes)
    return "".join(parts), size, size


def class_rows(counts, classes) -> list[tuple[str, ...]]:
    """(class, precision, recall, examples) in texts; "-" where there is nothing to divide."""
    rates = metrics.precision(counts), metrics.recall(counts), np.asarray(counts).sum(axis=1)
    return [
        (str(name), *("-" if np.isnan(share) else f"{share:.3f}" for share in (p, r)), str(support))
        for name, p, r, support in zip(classes, *rates, strict=True)
    ]


def _shares(counts) -> np.ndarray:
    """Every count as a share of its row."""
    return np.asarray(counts) / np.asarray(counts).sum(axis=1, keepdims=True).clip(min=1)
