"""What every layer makes of one image: its maps as small pictures, a column for each layer, and the scores at the end."""

from __future__ import annotations

from html import escape

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, nearest
from symcnn.nn import Module
from symcnn.nn.ownership import applications
from symcnn.nn.summary import shape_text
from symcnn.nn.trace import Trace
from symcnn.viz.boxes import boxes
from symcnn.viz.figure import Figure, Live
from symcnn.viz.images import one_example, reduced, square, visible
from symcnn.viz.palette import live_style, still_style
from symcnn.viz.png import stretched
from symcnn.viz.tiles import STYLE, Tile, facts, framed

SIZE, GAP, TOP = 46, 6, 36  # of a picture, between two, and above the first
LARGEST = 56  # pixels along a side that are kept of a larger map
BARS = 10  # scores that are drawn
SCORES = ".pictures .bar { fill: var(--c0); opacity: .8 } .pictures .zero { stroke: var(--soft) }"


@checked_keywords
def activations(
    model: Module, image, layers: list[str] | None = None, count: int = 16, classes=None, device: str = "cpu"
) -> Figure:
    """Show what the layers of a network give for one image.

    Dark is small and bright is large, on one scale for all the maps of a layer: a channel that is dark all over does not
    answer to this image. The live view enlarges a map, with its smallest, largest and mean value.

    Parameters
    ----------
    model : symcnn.nn.Module
    image : array_like
        (C, H, W) or (1, C, H, W), prepared as the network was trained on.
    layers : list of str, optional
        Paths of the layers to show, such as ``["conv1", "inception3a"]``; by default all, a block as one.
    count : int
        Channels to show of each layer, the first ones.
    classes : sequence of str, optional
        Names of the classes, for the scores.
    device : str

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such layer, `count` is no positive integer, or the classes are not as many as the scores.
    ShapeError
        If `image` is not one image, or does not fit the network.

    Examples
    --------
    >>> import symcnn as sc
    >>> image = np.linspace(0, 1, 28 * 28, dtype="float32").reshape(1, 28, 28)
    >>> activations(sc.models.lenet(), image, layers=["conv1", "relu1"], device="reference")
    layer  output           smallest    mean  largest  zero
    conv1  (n, 20, 24, 24)      -0.5  0.0616    0.606    0%
    relu1  (n, 20, 12, 12)         0   0.111    0.606   34%
    Largest scores: class 0 0.125, class 9 0.0889, class 3 -0.00421.
    """
    batch = one_example("activations", model, image)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise InputError("activations: count is a whole number, at least 1", found=repr(count))
    shown, scores = _computed(model, batch, layers, device)
    names = class_names("activations", classes, scores)
    tiles = {"input": [Tile(visible(batch[0]), "input", facts(batch[0]))]}
    tiles |= {name: _tiles(name, value, count) for name, value in shown.items()}
    content, width, height = _columns(tiles, shown)
    if scores is not None:
        bars, wide, high = _bars(scores, names, width + 18)
        content, width, height = content + bars, width + 18 + wide, max(height, high)
    title = f"What {len(shown)} layers make of an image" if len(shown) > 1 else "What a layer makes of an image"
    svg = framed(content, width, height, title, still_style(STYLE + SCORES))
    live = Live("tiles", {"style": live_style(STYLE + SCORES), "start": 1}, ("tiles",))  # after the input
    return Figure(title, svg, _text(shown, scores, names), live)


def class_names(what: str, classes, scores) -> list[str]:
    """A name for each of the scores (n,); their numbers, if no names were given."""
    count = 0 if scores is None else len(scores)
    if classes is None:
        return [f"class {k}" for k in range(count)]
    if isinstance(classes, str) or len(classes) != count:
        found = repr(classes) if isinstance(classes, str) else f"{len(classes)} names"
        raise InputError(f"{what}: classes names each of the scores", expected=f"{count} names", found=found)
    return [str(name) for name in classes]


def _computed(model, batch, layers, device) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """What each of these layers gives, by name; and the scores, if that is what the network gives in the end."""
    x = sc.input("x", batch.shape, batch.dtype)
    with Trace() as trace:
        answer = model(x)
    found = {use.name or type(model).__name__: use.output for use in applications(model, trace)}
    given = {name: output for name, output in found.items() if isinstance(output, sc.Variable)}
    ends = [answer] if isinstance(answer, sc.Variable) and answer.ndim == 2 else []
    if (
        layers is None
    ):  # without what is its input seen otherwise, as after a flattening, and the scores, which have bars
        last = [box.rows[-1] for box in boxes(model, batch.shape[1:])[1]]
        names = [row.name or type(model).__name__ for row in last if row.forward_bytes]
        layers = [name for name in names if not ends or given.get(name) is not answer]
    layers = [layers] if isinstance(layers, str) else list(layers)
    for name in layers:
        if name not in given:
            raise InputError(f"activations: no layer {name!r}", hint=nearest(name, given))
    names = list(dict.fromkeys(layers))
    values = sc.function([x], [*(given[name] for name in names), *ends], device=device)(batch)
    *maps, scores = [value[0] for value in values] if ends else [*(value[0] for value in values), None]
    return dict(zip(names, maps, strict=True)), scores


def _tiles(name: str, value, count: int) -> list[Tile]:
    """The pictures of one layer: of maps the first `count`, of a vector one."""
    if value.ndim != 3 or value[0].size == 1:
        return [Tile(stretched(reduced(square(value), LARGEST)), name, facts(value))]
    low, high = value.min(), value.max()
    return [
        Tile(stretched(reduced(channel, LARGEST), low, high), f"{name}, channel {k} of {len(value)}", facts(channel))
        for k, channel in enumerate(value[:count], start=1)
    ]


def _columns(tiles: dict[str, list[Tile]], shown) -> tuple[str, float, float]:
    """The pictures of each layer below its name; width and height."""
    content, x, height = [], 0.0, 0.0
    for name, column in tiles.items():
        wide = max(SIZE, 6.9 * len(name)) + 2 * GAP
        whole = len(shown[name]) if name in shown else 0
        count = f"{len(column)} of {whole}" if len(column) > 1 else str(whole or "")
        centre = f'x="{x + wide / 2:.1f}"'
        content.append(f'<text class="name" {centre} y="14">{escape(name)}</text><text {centre} y="28">{count}</text>')
        tops = [TOP + k * (SIZE + GAP) for k in range(len(column))]
        left = x + (wide - SIZE) / 2
        pictures = "".join(tile.svg(left, top, SIZE) for tile, top in zip(column, tops, strict=True))
        content.append(f'<g class="column" data-name="{escape(name)}">{pictures}</g>')
        x, height = x + wide, max(height, tops[-1] + SIZE + GAP)
    return "".join(content), x, height


def _bars(scores, names, left: float) -> tuple[str, float, float]:
    """The scores as bars; of many classes the largest. With width and height."""
    order = np.arange(len(scores)) if len(scores) <= BARS else np.argsort(-scores, kind="stable")[:BARS]
    low, high = min(scores[order].min(), 0.0), max(scores[order].max(), 0.0)
    label = 7.2 * max(len(names[k]) for k in order)
    start, length = left + label + 8, 110.0
    zero = start + length * (0 - low) / ((high - low) or 1.0)
    best = scores.argmax()
    title = "scores" if len(scores) <= BARS else f"the {BARS} largest of {len(scores)} scores"
    content = [f'<text class="name start" x="{left:.1f}" y="14">{title}</text>']
    for row, k in enumerate(order):
        end = start + length * (scores[k] - low) / ((high - low) or 1.0)
        y = TOP + row * 21
        style = "name end" if k == best else "end"
        content.append(
            f'<text class="{style}" x="{start - 8:.1f}" y="{y + 12}">{escape(names[k])}</text>'
            f'<rect class="bar" x="{min(zero, end):.1f}" y="{y}" width="{abs(end - zero):.1f}" height="15" rx="2"/>'
            f'<text class="start" x="{start + length + 8:.1f}" y="{y + 12}">{scores[k]:.3g}</text>'
        )
    bottom = TOP + 21 * len(order)
    content.append(f'<path class="zero" d="M{zero:.1f} {TOP - 3}V{bottom - 3}"/>')
    return "".join(content), label + 8 + length + 60, bottom


def _text(shown, scores, names) -> str:
    """A table: what is in the pictures as numbers."""
    lines: list[tuple[str, ...]] = [("layer", "output", "smallest", "mean", "largest", "zero")]
    for name, value in shown.items():
        numbers = [f"{number:.3g}" for number in (value.min(), value.mean(dtype="float64"), value.max())]
        lines.append((name, shape_text((None, *value.shape)), *numbers, f"{(value == 0).mean():.0%}"))
    table = _aligned(lines)
    if scores is None:
        return table
    best = np.argsort(-scores, kind="stable")[:3]
    return f"{table}\nLargest scores: {', '.join(f'{names[k]} {scores[k]:.3g}' for k in best)}."


def _aligned(lines: list[tuple[str, ...]]) -> str:
    """Columns of text, the first two to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(c.ljust(w) if k < 2 else c.rjust(w) for k, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )
