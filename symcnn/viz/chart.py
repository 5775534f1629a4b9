"""A line chart as inline SVG: axes with round ticks, one line per series, told apart by dash and label too."""

from __future__ import annotations

from html import escape
from math import floor, isfinite, log10

WIDTH, HEIGHT = 420, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 84, 38, 34
DASHES = ("", "6 4", "2 3")


def line_chart(title: str, series: dict[str, list[float]], x_label: str = "epoch") -> str:
    """Draw each series against 1, 2, ...

    Parameters
    ----------
    title : str
        What the chart shows; read out by screen readers.
    series : dict
        Name -> values. Values that are not finite leave a gap at their place.

    Returns
    -------
    str
        One ``<svg>`` element, styled by the page's ``.line0``, ``.line1``, ...
    """
    finite = [v for values in series.values() for v in values if isfinite(v)]
    ticks = round_ticks(min(finite, default=0.0), max(finite, default=1.0))
    low, high = ticks[0], ticks[-1]
    count = max(map(len, series.values()), default=1)

    def x(i):
        return LEFT + (WIDTH - LEFT - RIGHT) * (i / max(count - 1, 1))

    def y(v):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (v - low) / (high - low)

    parts = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(t):.1f}" y2="{y(t):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y(t) + 4:.1f}" text-anchor="end">{t:g}</text>'
        for t in ticks
    ]
    parts += [
        f'<text x="{x(i):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{i + 1}</text>'
        for i in range(0, count, max(1, count // 10))
    ]
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 2}" text-anchor="middle">{escape(x_label)}</text>'
    )
    ends = _spread([y(values[-1]) for values in series.values() if values and isfinite(values[-1])])
    for i, (name, values) in enumerate(series.items()):
        points = " ".join(f"{x(k):.1f},{y(v):.1f}" for k, v in enumerate(values) if isfinite(v))
        dash = f' stroke-dasharray="{DASHES[i % len(DASHES)]}"' if i % len(DASHES) else ""
        parts.append(f'<polyline class="line{i}" points="{points}"{dash}/>')
        parts += [
            f'<circle class="dot{i}" cx="{x(k):.1f}" cy="{y(v):.1f}" r="3"><title>{escape(name)}, {x_label} {k + 1}: {v:.4f}'
            "</title></circle>"
            for k, v in enumerate(values)
            if isfinite(v)
        ]
        if values and isfinite(values[-1]):
            parts.append(
                f'<text class="name{i}" x="{WIDTH - RIGHT + 10}" y="{ends.pop(0) + 4:.1f}">{escape(name)}</text>'
            )
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" aria-label="{escape(title)}">'
        f'<title>{escape(title)}</title><text class="title" x="{LEFT}" y="20">{escape(title)}</text>{"".join(parts)}</svg>'
    )


def round_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that cover [low, high], about so many.

    Examples
    --------
    >>> round_ticks(0.13, 0.88)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = (high - low) or abs(high) or 1.0
    magnitude = 10.0 ** floor(log10(span / about))
    step = next(m * magnitude for m in (1, 2, 5, 10) if span / (m * magnitude) <= about)
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    last = max(last, first + 1)
    return [float(f"{k * step:.10g}") for k in range(first, last + 1)]


def _spread(heights: list[float], apart: float = 14) -> list[float]:
    """Labels beside the ends of their lines, moved down where they would overlap; in the given order."""
    placed = list(heights)
    for above, below in zip(order := sorted(range(len(heights)), key=heights.__getitem__), order[1:], strict=False):
        placed[below] = max(placed[below], placed[above] + apart)
    return placed
