"""A still page: headings, paragraphs, tables and pictures, one below another, in one SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap

from symcnn.viz.palette import still_style

WIDTH, MARGIN = 900, 16
LETTERS = 122  # of a line of text
# Every page has the class "still": its style does not reach into another figure beside it.
STYLE = """
.still .page { fill: var(--paper) }
.still text { font: 14px system-ui, sans-serif; fill: var(--ink) }
.still .heading { font-size: 18px; font-weight: 600 }
.still .soft, .still .head, .still .small { fill: var(--soft) }
.still .small, .still .count { font-size: 12px }
.still .rule { stroke: var(--rule) }
"""


class StillPage:
    """Filled from above; `svg` is the picture.

    Examples
    --------
    >>> page = StillPage("A page")
    >>> page.heading("Results")
    >>> page.table(("class", "recall"), [("cat", "0.9")])
    >>> page.svg()[:38]
    '<svg xmlns="http://www.w3.org/2000/svg'
    """

    def __init__(self, title: str):
        self.title = title
        self.height = float(MARGIN)
        self._parts: list[str] = []

    def heading(self, text: str) -> None:
        self.height += 34
        self._parts.append(f'<text class="heading" x="{MARGIN}" y="{self.height - 6:g}">{escape(text)}</text>')
        self.height += 8

    def paragraph(self, text: str, kind: str = "") -> None:
        """Text, broken into lines; of the class `kind`."""
        for line in wrap(text, LETTERS) or [""]:
            self.height += 20
            self._parts.append(f'<text class="{kind}" x="{MARGIN}" y="{self.height - 6:g}">{escape(line)}</text>')
        self.height += 4

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], x: float = MARGIN) -> None:
        """Columns as wide as their texts; the first and what is no number begin at the left."""
        self.height += self.put_table(header, rows, x, self.height)

    def put_table(self, header, rows, x: float, y: float) -> float:
        """A table at (x, y) that moves nothing; returns its height."""
        widths = [7.6 * max(map(len, column)) + 22 for column in zip(header, *rows, strict=True)]
        for k, row in enumerate((header, *rows)):
            left = x
            for text, width in zip(row, widths, strict=True):
                kind = ' class="head"' if k == 0 else ""
                self._parts.append(f'<text{kind} x="{left:.1f}" y="{y + 22 * k + 16:g}">{escape(text)}</text>')
                left += width
            self._parts.append(
                f'<line class="rule" x1="{x:g}" x2="{x + sum(widths) - 14:.1f}" y1="{y + 22 * k + 22.5:g}" y2="{y + 22 * k + 22.5:g}"/>'
            )
        return 22 * (1 + len(rows)) + 6

    def place(self, elements: str, height: float) -> None:
        """SVG elements that were made to lie at ``page.height``, and take so much of it."""
        self._parts.append(elements)
        self.height += height

    def grid(self, pictures, width: float, height: float) -> None:
        """Pictures side by side, as many as fit into a row; each is a function of the attributes that place it."""
        per_row = int((WIDTH - 2 * MARGIN + MARGIN) // (width + MARGIN))
        for k, picture in enumerate(pictures):
            x, y = MARGIN + (k % per_row) * (width + MARGIN), self.height + (k // per_row) * (height + MARGIN)
            self._parts.append(picture(f' x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'))
        self.height += -(-len(pictures) // per_row) * (height + MARGIN)

    def svg(self, css: str = "") -> str:
        """The page as one ``<svg>`` element, with more `css` for what it shows."""
        height = self.height + MARGIN
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="still" role="img" aria-label="{escape(self.title)}" '
            f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"><title>{escape(self.title)}</title>'
            f"<style>{still_style(STYLE + css)}</style>"
            f'<rect class="page" width="{WIDTH}" height="{height:g}"/>{"".join(self._parts)}</svg>'
        )
