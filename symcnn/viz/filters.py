"""The filters of a convolution as pictures, by default of the first one; at will beside those before training."""

from __future__ import annotations

from html import escape
from math import isqrt

import numpy as np

from symcnn.errors import InputError, ShapeError
from symcnn.keywords import checked_keywords, nearest
from symcnn.nn import Module
from symcnn.viz.figure import Figure, Live
from symcnn.viz.palette import live_style, still_style
from symcnn.viz.png import stretched
from symcnn.viz.tiles import STYLE, Tile, facts, framed

MOST = 256  # pictures
GAP = 5
WIDTH = 860  # of all panels, at most


@checked_keywords
def filters(model, layer: str | None = None, before=None) -> Figure:
    """Show what a convolution looks for.

    Filters of three input channels are shown in colour, those of one in grey. Of other filters, which look at maps and not
    at an image, every channel is a picture of its own: a row for each filter. After training, those of a first layer
    are edges, blobs and textures; what still looks like noise has not learnt, or was not needed.

    Parameters
    ----------
    model : symcnn.nn.Module or array_like
        A network, or the weights (filters, channels, height, width) of a convolution.
    layer : str, optional
        Path of the convolution in the network; by default the first.
    before : Module or array_like, optional
        The same before training: weights, for example ``model.parameters()["conv1.weight"].get_value()``, which is a
        copy, or a network.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such convolution, or the weights are no finite numbers.
    ShapeError
        If the weights have not four axes, or those before have another shape.

    Examples
    --------
    >>> import symcnn as sc
    >>> filters(sc.models.alexnet(init="zeros"))
    conv1: 96 filters of 3×11×11, 0 everywhere
    """
    name, after = _weights(model, layer)
    panels = {"after training": after}
    if before is not None:
        _, earlier = _weights(before, layer)
        if earlier.shape != after.shape:
            raise ShapeError("filters: before and after differ", expected=after.shape, found=earlier.shape)
        panels = {"before training": earlier, "after training": after}
    title = f"{len(after)} filters of {name}" if name else f"{len(after)} filters"
    content, width, height = [], 0.0, 0.0
    for heading, weights in panels.items():
        drawn, wide, high = _panel(weights, heading if len(panels) > 1 else "", width, WIDTH / len(panels))
        content.append(drawn)
        width, height = width + wide + 28, max(height, high)
    svg = framed("".join(content), width - 28, height, title, still_style(STYLE))
    lines = [f"{heading}: {_words(weights)}" for heading, weights in panels.items()]
    text = "\n".join([title, *lines]) if len(panels) > 1 else f"{name or 'weights'}: {_words(after)}"
    return Figure(title, svg, text, Live("tiles", {"style": live_style(STYLE), "start": 0}, ("tiles",)))


def _weights(model, layer) -> tuple[str, np.ndarray]:
    """The name of the convolution, and its weights."""
    if isinstance(model, Module):
        known = {path: module for path, module in model.modules().items() if _convolves(module)}
        if layer is None and not known:
            raise InputError("filters: the network has no convolution", found=type(model).__name__)
        if layer is not None and layer not in known:
            raise InputError(f"filters: no convolution {layer!r}", hint=nearest(layer, known))
        path = next(iter(known)) if layer is None else layer
        return path or type(model).__name__, known[path].weight.get_value()
    if layer is not None:
        raise InputError("filters: layer is the path of a layer in a network", found=f"{layer!r} of an array")
    try:
        weights = np.asarray(model)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError("filters: these are no weights", expected="an array", found=str(error)) from None
    if weights.dtype.kind not in "biuf":
        raise InputError(
            "filters: these are no weights", expected="a Module or an array of numbers",
            found=type(model).__name__ if weights.ndim == 0 else weights.dtype,
        )  # fmt: skip
    if weights.ndim != 4 or not weights.size:
        raise ShapeError(
            "filters: these are no weights of a convolution", expected="(filters, channels, height, width)",
            found=weights.shape,
        )  # fmt: skip
    return "", weights


def _convolves(module) -> bool:
    weight = getattr(module, "weight", None) if "weight" in vars(module) else None
    return weight is not None and hasattr(weight, "get_value") and weight.ndim == 4


def _panel(weights, heading: str, left: float, room: float) -> tuple[str, float, float]:
    """The grid of pictures, below its heading, in a room of this width; with width and height."""
    if not np.isfinite(weights).all():
        raise InputError("filters: the weights are not finite", hint="training has diverged: lower the learning rate")
    suffix = f", {heading}" if heading else ""
    channels = weights.shape[1]
    if channels in (1, 3):
        count = min(len(weights), MOST)
        columns = _columns(count)
        tiles = [_whole(weights[k], f"filter {k + 1}{suffix}") for k in range(count)]
    else:
        columns = min(channels, 16)
        shown = enumerate(weights[: MOST // columns], start=1)
        tiles = [tile for k, w in shown for tile in _channels(w, f"filter {k}{suffix}", columns)]
    size = max(14.0, min(56.0, (room - 28) / columns - GAP))
    top = 24.0 if heading else 0.0
    content = [f'<text class="name start" x="{left:.1f}" y="14">{escape(heading)}</text>'] if heading else []
    for across in range(columns):
        x = left + across * (size + GAP)
        column = (tile.svg(x, top + down * (size + GAP), size) for down, tile in enumerate(tiles[across::columns]))
        content.append(f'<g class="column">{"".join(column)}</g>')
    lines = -(-len(tiles) // columns)
    return "".join(content), columns * (size + GAP) - GAP, top + lines * (size + GAP) - GAP


def _columns(count: int) -> int:
    """Of a grid that is somewhat wider than high, if possible without a last line that is not full."""
    full = [n for n in range(2, 17) if count % n == 0 and n / 3 <= count / n <= n]
    return min(full, key=lambda n: abs(n * n - 1.5 * count), default=isqrt(max(count - 1, 0)) + 1)


def _whole(weights, name: str) -> Tile:
    """A filter of one channel in grey, of three in colour."""
    picture = stretched(weights[0] if len(weights) == 1 else weights.transpose(1, 2, 0))
    return Tile(picture, name, facts(weights))


def _channels(weights, name: str, count: int) -> list[Tile]:
    """A picture for each of the first `count` channels of a filter, on one scale."""
    low, high = weights.min(), weights.max()
    return [
        Tile(stretched(channel, low, high), f"{name}, channel {k} of {len(weights)}", facts(channel))
        for k, channel in enumerate(weights[:count], start=1)
    ]


def _words(weights) -> str:
    """``96 filters of 3×11×11, from -0.1 to 0.1, mean 0``."""
    _, _, about = facts(weights).partition(", ")
    return f"{len(weights)} filters of {'×'.join(map(str, weights.shape[1:]))}, {about}"
