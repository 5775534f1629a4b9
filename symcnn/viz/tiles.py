"""Small pictures side by side, as SVG: each knows what it shows, and a script enlarges the one that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from symcnn.viz.png import data_uri

MARGIN = 8
# Every figure of tiles has the class "pictures": the style of one does not reach into another on the same page.
STYLE = """
.pictures .ground { fill: var(--paper) }
.pictures text { font: 11px system-ui, sans-serif; fill: var(--soft); text-anchor: middle }
.pictures .name { fill: var(--ink); font-weight: 600 } .pictures .start { text-anchor: start } .pictures .end { text-anchor: end }
.pictures image { image-rendering: pixelated } .pictures .frame { fill: none; stroke: var(--rule) }
"""


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture, and what is to be said about it.

    Attributes
    ----------
    picture : numpy.ndarray
        uint8 (height, width), or (height, width, 3).
    name : str
        ``"conv1, channel 3"``.
    facts : str
        ``"24×24, from -0.31 to 1.2, mean 0.2"``.
    """

    picture: np.ndarray
    name: str
    facts: str

    def svg(self, x: float, y: float, size: float) -> str:
        """An element that fits into a square of this size, in its middle."""
        height, width = self.picture.shape[:2]
        wide, high = size * width / max(height, width), size * height / max(height, width)
        place = (
            f'x="{x + (size - wide) / 2:.1f}" y="{y + (size - high) / 2:.1f}" width="{wide:.1f}" height="{high:.1f}"'
        )
        return (
            f'<g class="tile" data-name="{escape(self.name)}" data-facts="{escape(self.facts)}">'
            f"<title>{escape(f'{self.name}: {self.facts}')}</title>"
            f'<image {place} preserveAspectRatio="none" href="{data_uri(self.picture)}"/><rect class="frame" {place}/></g>'
        )


def facts(values) -> str:
    """Size, range and mean of an array, in words.

    Examples
    --------
    >>> facts(np.array([[0.0, 1.0], [2.0, 5.0]]))
    '2×2, from 0 to 5, mean 2'
    >>> facts(np.zeros(3))
    '3, 0 everywhere'
    """
    values = np.asarray(values)
    size = "×".join(map(str, values.shape))
    low, high, mean = values.min(), values.max(), values.mean(dtype="float64")
    if low == high:
        return f"{size}, {low:.4g} everywhere"
    return f"{size}, from {low:.4g} to {high:.4g}, mean {mean:.4g}"


def framed(content: str, width: float, height: float, title: str, style: str) -> str:
    """The whole picture; `style` as `still_style` gives it."""
    width, height = width + 2 * MARGIN, height + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pictures" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{-MARGIN} {-MARGIN} {width:.0f} {height:.0f}" aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f'<style>{style}</style><rect class="ground" x="{-MARGIN}" y="{-MARGIN}" width="100%" height="100%"/>{content}</svg>'
    )
