"""The receptive field: which pixels of the image one unit sees, layer by layer, as a table and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, nearest
from symcnn.nn.ownership import applications
from symcnn.nn.trace import Trace
from symcnn.viz.cells import checked_whole, sheet, words
from symcnn.viz.fields import Field, fields, is_window
from symcnn.viz.figure import Figure, Live

HEADER = ("layer", "what it is", "output", "size", "jump", "start")
LEGEND = (
    "size: pixels from the first to the last; jump: pixels from one unit to the next;",
    "start: the first pixel of unit 0, negative in the padding (rows, columns)",
)
WIDTH, IMAGE, MAP, MARGIN, TOP, LINE = 900, 400, 220, 70, 136, 24  # of the picture
COLUMNS_AT = (24, 210, 470, 600, 710, 790)  # where the columns of the table begin
SHOWN = 13  # rows of the table in the still picture


@checked_keywords
def receptive_field(model, layer=None, unit=None, *, in_shape=None) -> Figure:
    r"""Show which pixels of the image one unit of a network sees.

    Through a layer with k taps, stride s, dilation d and padding p the field of a unit becomes

    .. math:: size' = size + (k - 1)\,d \cdot jump, \qquad jump' = jump \cdot s, \qquad start' = start - p \cdot jump

    The table has these numbers for every layer with windows, and for every join of branches, which sees all that its
    branches see. The picture shows the pixels that one unit really rests on: within the image, and with the holes that
    dilation leaves. Both are read off the graph, so they are right for any module. In the live view the slider and the
    arrow keys choose the layer, a click in the map its unit.

    Parameters
    ----------
    model : sc.nn.Module
        Takes images (N, C, H, W).
    layer : str, optional
        Path of the layer to start with; unless given, the last whose units do not all see the same.
    unit : (row, column), optional
        In the output of that layer; the one in the middle unless given.
    in_shape : (channels, rows, columns), optional
        Of an image, where the model does not know it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shape of an image is unknown, or there is no such layer or unit.

    Examples
    --------
    >>> import symcnn as sc
    >>> print(receptive_field(sc.models.lenet(), "pool2", unit=(0, 0)))
    layer  what it is           output        size     jump   start
    conv1  Conv2d(1, 20, 5x5)   20 x 24 x 24  5 x 5    1 x 1  0, 0
    pool1  MaxPool2d(2)         20 x 12 x 12  6 x 6    2 x 2  0, 0
    conv2  Conv2d(20, 50, 5x5)  50 x 8 x 8    14 x 14  2 x 2  0, 0
    pool2  MaxPool2d(2)         50 x 4 x 4    16 x 16  4 x 4  0, 0
    unit (0, 0) of layer pool2 sees rows 0 to 15 and columns 0 to 15
    """
    shape = _image_shape(model, in_shape)
    rows = _rows(model, shape)
    names = [row.name for row in rows]
    if layer is None:
        spread = [k for k, row in enumerate(rows) if row.shape[1:] != (1, 1)]
        chosen = spread[-1] if spread else 0
    elif layer in names:
        chosen = names.index(layer)
    else:
        raise InputError(f"no layer {layer!r} has windows on an image", hint=nearest(str(layer), names))
    row = rows[chosen]
    unit = _unit(row, unit)
    text = "\n".join([*_table(rows), row.sentence(unit)])
    axes: dict[bytes, int] = {}
    spans: list = []
    for f in (f for r in rows for f in (r.rows, r.columns)):
        key = f.sees.tobytes()
        if key not in axes:
            axes[key] = len(spans)
            spans.append([_runs(line) for line in f.sees])
    data = {
        "image": shape[1:], "spans": spans, "header": HEADER, "legend": " ".join(LEGEND), "chosen": chosen, "unit": unit,
        "layers": [
            {
                "cells": r.cells(), "shape": r.shape,
                "axes": [
                    {"span": axes[f.sees.tobytes()], "size": float(f.size), "jump": float(f.jump), "start": float(f.start)}
                    for f in (r.rows, r.columns)
                ],
            }
            for r in rows
        ],
    }  # fmt: skip
    live = Live("receptiveFieldView", data, ("cells", "player", "controls", "receptive_field"))
    return Figure("receptive field, layer by layer", _picture(rows, chosen, unit, shape[1:]), text, live)


@dataclass(frozen=True)
class _Row:
    """A layer: its name, what it is, the shape of its output, and what its units see along both axes."""

    name: str
    kind: str
    shape: tuple[int, int, int]
    rows: Field
    columns: Field

    def cells(self) -> tuple[str, ...]:
        """As text, in the order of `HEADER`."""
        sizes = (f"{getattr(self.rows, name)} x {getattr(self.columns, name)}" for name in ("size", "jump"))
        starts = f"{self.rows.start}, {self.columns.start}".replace("-", "−")
        return (self.name, self.kind, " x ".join(map(str, self.shape)), *sizes, starts)

    def sentence(self, unit) -> str:
        rows, columns = (np.flatnonzero(f.sees[u]) for f, u in zip((self.rows, self.columns), unit, strict=True))
        seen = f"rows {rows[0]} to {rows[-1]} and columns {columns[0]} to {columns[-1]}"
        holes = len(rows) <= rows[-1] - rows[0] or len(columns) <= columns[-1] - columns[0]
        return f"unit ({unit[0]}, {unit[1]}) of layer {self.name} sees {seen}{', with holes' if holes else ''}"


def _image_shape(model, in_shape) -> tuple[int, int, int]:
    shape = getattr(model, "in_shape", None) if in_shape is None else in_shape
    if not isinstance(model, sc.nn.Module):
        raise InputError("receptive_field takes a network", expected="a sc.nn.Module", found=repr(model)[:80])
    if not isinstance(shape, (tuple, list)) or len(shape) != 3 or not all(isinstance(n, int) and n > 0 for n in shape):
        raise InputError(
            "the shape of an image is not known", expected="(channels, rows, columns)", found=shape,
            hint="receptive_field(model, in_shape=(3, 224, 224))",
        )  # fmt: skip
    channels, rows, columns = shape
    return channels, rows, columns


def _rows(model, shape) -> list[_Row]:
    """Every application of a layer that has windows on the image, or that joins what others see."""
    image = sc.input("x", (1, *shape), model.dtype)
    with Trace() as trace:
        model(image)
    used = applications(model, trace)
    found = fields([v for application in used for v in application.outputs], image)
    rows = []
    for application in used:
        output = next(iter(application.outputs), image)
        if output is image or output not in found or output.ndim != 4:
            continue
        if any(is_window(v) or _joins(v, found) for v in application.own):
            kind = (
                " ".join(repr(application.module).split())
                if application.is_layer
                else type(application.module).__name__
            )
            rows.append(_Row(application.name or "output", kind, output.shape[1:], *found[output]))
    if not rows:
        raise InputError("no layer of this network has windows on an image", hint="layers such as sc.nn.Conv2d have")
    return rows


def _joins(v, found) -> bool:
    """Whether branches meet here that see differently."""
    seen = [found[x] for x in v.inputs if x in found]
    return len({(f.size, f.start) for f, _ in seen}) > 1 or len({(f.size, f.start) for _, f in seen}) > 1


def _unit(row: _Row, unit) -> tuple[int, int]:
    _, height, width = row.shape
    if unit is None:
        return height // 2, width // 2
    if not isinstance(unit, (tuple, list)) or len(unit) != 2:
        raise InputError("unit is the place of a unit", expected="(row, column)", found=repr(unit))
    return checked_whole("row of the unit", unit[0], 0, height - 1), checked_whole(
        "column of the unit", unit[1], 0, width - 1
    )


def _runs(line: np.ndarray) -> list[list[int]]:
    """(first, end) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], line.astype(int), [0]))))
    return edges.reshape(-1, 2).tolist()


def _table(rows) -> list[str]:
    cells = [HEADER, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(text.ljust(w) for text, w in zip(line, widths, strict=True)).rstrip() for line in cells]


def _picture(rows, chosen, unit, image) -> str:
    """The image and the map of the layer; below them the table, as far as it is near to the layer."""
    parts, y = _scene(rows[chosen], unit, image)
    y += 20
    parts += [words(x, y, name, "faint") for x, name in zip(COLUMNS_AT, HEADER, strict=True)]
    first = max(0, min(chosen - SHOWN // 2, len(rows) - SHOWN))
    near = rows[first : first + SHOWN]
    for row in near:
        y += LINE
        if row is rows[chosen]:
            parts.append(_box("chosen", 12, y - 17, WIDTH - 24, LINE))
        for x, text, most in zip(COLUMNS_AT, row.cells(), (24, 32, 20, 20, 20, 20), strict=True):
            shown = text if len(text) <= most else f"{text[: most - 2]} …"
            parts.append(words(x, y, escape(shown), "strong" if row is rows[chosen] else ""))
    if len(near) < len(rows):
        parts.append(words(24, y + LINE, f"{len(rows)} layers in all", "faint"))
    parts += [words(24, y + LINE + 20 * k, line, "faint") for k, line in enumerate(LEGEND, start=1)]
    return sheet(WIDTH, y + 84, rows[chosen].sentence(unit), parts)


def _scene(row: _Row, unit, image) -> tuple[list[str], float]:
    """The image with the field of the unit, and the map with the unit, joined by two lines; and how high that is."""
    pixel, side = IMAGE / max(image), MAP / max(row.shape[1:])
    high = max(image[0] * pixel, row.shape[1] * side)
    map_x, map_y = MARGIN + IMAGE + 130, TOP + (high - row.shape[1] * side) / 2
    unit_x, unit_y = map_x + unit[1] * side, map_y + unit[0] * side
    (top, tall), (left, wide) = (
        (float(f.start + u * f.jump) * pixel, float(f.size) * pixel)
        for f, u in zip((row.rows, row.columns), unit, strict=True)
    )
    seen = [
        _box("seen", MARGIN + q * pixel, TOP + r * pixel, (q_end - q) * pixel, (r_end - r) * pixel)
        for r, r_end in _runs(row.rows.sees[unit[0]])
        for q, q_end in _runs(row.columns.sees[unit[1]])
    ]
    # A field may reach far beyond the image: what lies outside of the margin is cut off, and lines begin at the cut.
    end = min(MARGIN + left + wide, 2 * MARGIN + IMAGE)
    above, below = max(TOP + top, TOP - MARGIN), min(TOP + top + tall, TOP + high + MARGIN)
    parts = [
        words(24, 30, escape(row.sentence(unit)), "name"),
        words(MARGIN, 56, f"image, {image[0]} x {image[1]}"),
        _lattice(MARGIN, TOP, pixel, *image),
        *seen,
        f'<svg y="{TOP - MARGIN}" width="{2 * MARGIN + IMAGE}" height="{high + 2 * MARGIN:g}">'
        f"{_box('field', MARGIN + left, MARGIN + top, wide, tall)}</svg>",
        _lattice(map_x, map_y, side, *row.shape[1:]),
        f'<path class="ray" d="M{end:g} {above:g}L{unit_x:g} {unit_y:g}M{end:g} {below:g}L{unit_x:g} {unit_y + side:g}"/>',
        words(map_x, map_y - 12, f"output, {row.shape[1]} x {row.shape[2]}", "halo"),
        _box("unit", unit_x, unit_y, side, side),
    ]
    return parts, TOP + high + MARGIN


def _box(name: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{name}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>'


def _lattice(x: float, y: float, side: float, rows: int, columns: int) -> str:
    """A frame, with a line between any two pixels where there is room for that."""
    frame = f'<rect class="frame" x="{x:g}" y="{y:g}" width="{columns * side:g}" height="{rows * side:g}"/>'
    if side < 5:
        return frame
    lines = [f"M{x:g} {y + r * side:g}h{columns * side:g}" for r in range(1, rows)]
    lines += [f"M{x + c * side:g} {y:g}v{rows * side:g}" for c in range(1, columns)]
    return f'{frame}<path class="lattice" d="{"".join(lines)}"/>'
