"""Grids of numbers as SVG: one cell per entry, with the few marks that the views of windows need; `assets/cells.js` is its twin."""

from __future__ import annotations

from html import escape
from math import floor
from operator import gt

import numpy as np

from symcnn.errors import InputError, ShapeError
from symcnn.viz.figure import asset
from symcnn.viz.palette import still_style

CHARACTER = 8.5  # width of a digit in a cell, and in text of class "mono"
SMALLEST = 30


def sheet(width: float, height: float, label: str, parts: list[str]) -> str:
    """The whole picture; `label` is its accessible name."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cells" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"><title>{escape(label)}</title>'
        f"<style>{still_style(asset('cells.css'))}</style>{''.join(parts)}</svg>"
    )


def number(value: float) -> str:
    """At most two decimals, and a true minus sign.

    Examples
    --------
    >>> number(3.0), number(-0.128), number(-0.001)
    ('3', '−0.13', '0')
    """
    if not np.isfinite(value):
        return str(value).replace("inf", "∞").replace("-", "−")
    size = floor(abs(value) * 100 + 0.5) / 100  # as the twin rounds
    return f"{'−' if value < 0 < size else ''}{size:.14g}"


def factor(value: float) -> str:
    """A number within a sum or a product: in brackets if it is negative."""
    text = number(value)
    return f"({text})" if text.startswith("−") else text


def cell_size(*arrays: np.ndarray) -> float:
    """The side of a cell that the longest of all these numbers fits into."""
    longest = max((len(number(v)) for a in arrays for v in a.ravel().tolist() if v == v), default=1)
    return max(SMALLEST, CHARACTER * longest + 10)


def grid(name: str, x: float, y: float, size: float, values: np.ndarray, marks=None, pad: int = 0) -> str:
    """Cells of `values` (rows, columns) with the upper left corner at (x, y).

    Parameters
    ----------
    name : str
        What they are, as ``data-name``.
    size : float
        Side of a cell.
    values : (rows, columns)
        NaN for an empty cell.
    marks : callable, optional
        (row, column) -> classes for the cell: ``seen``, ``now``, ``back``, ``best`` (with a ring), ``soft``.
    pad : int
        Rows and columns at each side that are padding, drawn dashed.
    """
    rows, columns = values.shape
    parts = []
    for r, c in np.ndindex(rows, columns):
        inside = pad <= r < rows - pad and pad <= c < columns - pad
        classes = f"cell{'' if inside else ' pad'} {marks(r, c) if marks else ''}".rstrip()
        value = float(values[r, c])
        shown = "" if np.isnan(value) else number(value)
        ring = f'<circle cx="{size / 2:g}" cy="{size / 2:g}" r="{size * 0.4:g}"/>' if "best" in classes else ""
        parts.append(
            f'<g class="{classes}" transform="translate({x + c * size:g} {y + r * size:g})">'
            f'<rect width="{size:g}" height="{size:g}"/>{ring}<text x="{size / 2:g}" y="{size / 2 + 5:g}">{shown}</text></g>'
        )
    # Marked cells come last, so that their thick borders lie on top.
    parts.sort(key=lambda part: any(mark in part for mark in ("seen", "now", "back")))
    return f'<g data-name="{name}">{"".join(parts)}</g>'


def rounded(*arrays: np.ndarray) -> str:
    """A remark for a sum whose numbers are not all shown in full; empty if they are."""
    exact = all(v == round(v, 2) for a in arrays for v in a.ravel().tolist())
    return "" if exact else "; numbers are rounded to two decimals"


def words(x: float, y: float, text: str, classes: str = "") -> str:
    """A line of text."""
    return f'<text class="{classes}" x="{x:g}" y="{y:g}">{text}</text>'


def size_lines(rows: str, columns: str, left: tuple[int, int]) -> list[str]:
    """The formulas of both axes, as one line where they agree, and how many rows and columns are `left` over."""
    lines = [f"rows and columns: {rows}"] if rows == columns else [f"rows: {rows}", f"columns: {columns}"]
    return [*lines, f"left over at the end, in no window: rows {left[0]}, columns {left[1]}"] if any(left) else lines


def checked_numbers(name: str, value, layout: str, largest: tuple[int, ...]) -> np.ndarray:
    """`value` as a float64 array with axes as in `layout`, none of them longer than in `largest`.

    Raises
    ------
    InputError, ShapeError
    """
    try:
        array = np.asarray(value, "float64")
    except (TypeError, ValueError):
        raise InputError(f"{name} is no array of numbers", expected=layout, found=repr(value)[:80]) from None
    if array.ndim != len(largest) or not array.size or any(map(gt, array.shape, largest)):
        expected, hint = f"{layout}, at most {largest}", "a small part of it will do, such as x[..., :8, :8]"
        raise ShapeError(f"{name} cannot be drawn as numbers", expected=expected, found=array.shape, hint=hint)
    if not np.isfinite(array).all():
        raise InputError(f"{name} has entries that are not finite")
    return array


def checked_whole(name: str, value, low: int, high: int) -> int:
    """`value`, if it is an integer from `low` to `high`.

    Raises
    ------
    InputError
    """
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{name} is out of range", expected=f"an integer from {low} to {high}", found=repr(value))
    return int(value)


def route(x1: float, y1: float, x2: float, y2: float, classes: str = "") -> str:
    """A curve from left to right that ends in an arrow."""
    bend = (x2 - x1) / 2
    return (
        f'<path class="route {classes}" d="M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2 - 9:g} {y2:g}"/>'
        f'<path class="tip {classes}" d="M{x2:g} {y2:g}l-10 -5v10z"/>'
    )
