"""A line chart as inline SVG: axes with round ticks, one line per series, told apart by dash and label too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import log10
from typing import Any

from symcnn.viz.ticks import log_ticks, round_ticks, short, x_ticks

WIDTH, HEIGHT = 420, 260
LEFT, TOP, BOTTOM = 50, 38, 38
COLOURS, DASHES = 4, ("", "6 4", "2 3")  # 12 combinations, of which neighbours differ in both
MARKED = 80  # charts of at most so many values have a dot at each
LEAST_SPAN = 0.25  # of an axis, as a share of its largest value: else the noise of a flat curve looks like learning
HUGE = 1e100  # beyond any float32; what is larger, or infinite, would leave the arithmetic of an axis no room
LETTER = 6.2  # width of a letter beside a line, on average
LABEL = 18  # letters of a name beside a line


@dataclass(frozen=True, eq=False)
class LineChart:
    """Values of several series against one axis.

    Attributes
    ----------
    title : str
        What the chart shows; read out by screen readers.
    series : dict
        Name -> values. One that is not finite, or not positive on a logarithmic scale, has no point.
    at : sequence of float or None
        Where on the axis they are; 1, 2, ... by default.
    x_label : str
        What the axis counts.
    log : bool
        Whether the values are drawn on a logarithmic scale.
    percent : bool
        Whether the values are shares.
    band : tuple of float or None
        (low, high): the values that are healthy, shaded.
    looks : sequence of int
        The look (colour and dash) of each series, so that one that is drawn in several charts looks alike in all; by
        default 0, 1, ...

    Examples
    --------
    >>> chart = LineChart("loss", {"training": [2.3, 1.1, 0.6], "validation": [2.2, 1.3, 1.0]})
    >>> chart.svg()[:53]
    '<svg class="chart" role="img" viewBox="0 0 420 260" a'
    """

    title: str
    series: dict[str, list[float]]
    at: list[float] | None = None
    x_label: str = "epoch"
    log: bool = False
    percent: bool = False
    band: tuple[float, float] | None = None
    looks: Sequence[int] = ()

    @property
    def positions(self) -> list[float]:
        longest = max(map(len, self.series.values()), default=0)
        return list(range(1, longest + 1)) if self.at is None else list(self.at)

    def look(self, i: int) -> int:
        """The look of series number `i`."""
        return self.looks[i] if self.looks else i

    def scale(self) -> dict[str, Any]:
        """How values become places: the frame in pixels, the range of either axis, whether the upright one is logarithmic."""
        ticks, positions = self.ticks(), self.positions or [1]
        first, last = positions[0], positions[-1]
        return {
            "left": LEFT,
            "right": WIDTH - self._margin(),
            "top": TOP,
            "bottom": HEIGHT - BOTTOM,
            "x": [first, last if last > first else first + 1],
            "y": [ticks[0], ticks[-1]],
            "log": self.log,
        }

    def svg(self, attributes: str = "") -> str:
        """One ``<svg>`` element, styled by `symcnn/viz/assets/chart.css`; with more `attributes`, such as where it lies."""
        scale = self.scale()
        parts = [*self._frame(scale), *self._lines(scale), *self._labels(scale)]
        title = escape(self.title)
        return (
            f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" aria-label="{title}"{attributes}>'
            f'<title>{title}</title><text class="title" x="{LEFT}" y="20">{title}</text>{"".join(parts)}</svg>'
        )

    def _drawn(self, values) -> list[tuple[float, float]]:
        """(position, value) of what has a place on the scale."""
        return [
            (x, v)
            for x, v in zip(self.positions, values, strict=False)
            if abs(v) < HUGE and (v > 1 / HUGE or not self.log)
        ]  # fmt: skip

    def tick_text(self, tick: float) -> str:
        return f"{tick:.0%}" if self.percent else short(tick)

    def ticks(self) -> list[float]:
        """Of the values: round numbers that cover them, and the band."""
        values = [v for values in self.series.values() for _, v in self._drawn(values)] + list(self.band or ())
        if self.log:
            return log_ticks(min(values, default=0.1), max(values, default=1.0))
        low, high = min(values, default=0.0), max(values, default=1.0)
        return round_ticks(min(low, high - LEAST_SPAN * abs(high)), high)

    def _margin(self) -> float:
        """Room for the names beside the lines."""
        return 22 + LETTER * min(LABEL, max(map(len, self.series), default=0))

    def _frame(self, scale) -> list[str]:
        left, right, bottom = scale["left"], scale["right"], scale["bottom"]
        parts = []
        if self.band:
            low, high = (place_y(v, scale) for v in self.band)
            parts.append(
                f'<rect class="band" x="{left}" width="{right - left:g}" y="{high:.1f}" height="{low - high:.1f}"/>'
                f'<text class="banded" x="{left + 6}" y="{(low + high) / 2 + 4:.1f}">healthy</text>'
            )
        for tick in self.ticks():
            y, text = place_y(tick, scale), self.tick_text(tick)
            parts.append(
                f'<line class="grid" x1="{left}" x2="{right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
            )
        parts += [
            f'<text x="{place_x(tick, scale):.1f}" y="{bottom + 18}" text-anchor="middle">{short(tick)}</text>'
            for tick in x_ticks(*scale["x"])
        ]
        middle = (left + right) / 2
        parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(self.x_label)}</text>')
        return parts

    def _lines(self, scale) -> list[str]:
        parts = []
        marked = sum(map(len, self.series.values())) <= MARKED
        for i, (name, values) in enumerate(self.series.items()):
            drawn, look = self._drawn(values), self.look(i)
            points = " ".join(f"{place_x(x, scale):.1f},{place_y(v, scale):.1f}" for x, v in drawn)
            parts.append(f'<polyline class="line{look % COLOURS}" points="{points}"{_dash(look)}/>')
            if marked:
                parts += [
                    f'<circle class="dot{look % COLOURS}" cx="{place_x(x, scale):.1f}" cy="{place_y(v, scale):.1f}" r="3">'
                    f"<title>{escape(name)}, {escape(self.x_label)} {x:g}: {self.text(v)}</title></circle>"
                    for x, v in drawn
                ]
        return parts

    def _labels(self, scale) -> list[str]:
        """The name of each series where its line ends."""
        ends = {}
        for i, (name, values) in enumerate(self.series.items()):
            if drawn := self._drawn(values):
                ends[self.look(i), name] = place_y(drawn[-1][1], scale)
        heights = spread(list(ends.values()), scale["top"], scale["bottom"])
        return [
            f'<text class="name{look % COLOURS}" x="{scale["right"] + 10:g}" y="{y + 4:.1f}">{escape(abridged(name))}</text>'
            for (look, name), y in zip(ends, heights, strict=True)
        ]

    def text(self, value: float) -> str:
        """A value, as it is read out."""
        return f"{value:.1%}" if self.percent else f"{value:.4g}"


def _dash(look: int) -> str:
    """The attribute that dashes a line; the first look is solid."""
    pattern = DASHES[look % len(DASHES)]
    return f' stroke-dasharray="{pattern}"' if pattern else ""


def place_x(x: float, scale) -> float:
    low, high = scale["x"]
    return scale["left"] + (scale["right"] - scale["left"]) * (x - low) / (high - low)


def place_y(v: float, scale) -> float:
    low, high = scale["y"]
    if scale["log"]:
        v, low, high = log10(v), log10(low), log10(high)
    share = (v - low) / (high - low)
    return scale["bottom"] - (scale["bottom"] - scale["top"]) * share


def abridged(name: str) -> str:
    """`name`, without its beginning where it is long: the end of a path tells layers apart."""
    return name if len(name) <= LABEL else "…" + name[1 - LABEL :]


def spread(heights: list[float], top: float, bottom: float, apart: float = 13) -> list[float]:
    """Labels beside the ends of their lines, moved apart where they would overlap, within the frame if they fit in it.

    Examples
    --------
    >>> spread([100, 50, 98], 0, 105)
    [105, 50, 92]
    """
    order = sorted(range(len(heights)), key=heights.__getitem__)
    placed = list(heights)
    for above, below in pairwise(order):
        placed[below] = max(placed[below], placed[above] + apart)
    limit = max(bottom, top + apart * (len(heights) - 1))
    for k in reversed(order):
        placed[k] = min(placed[k], limit)
        limit = placed[k] - apart
    return placed
