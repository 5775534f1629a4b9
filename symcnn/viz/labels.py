"""Values and gradients beside the arrows of a drawing: green above, red below with a "d" before it."""

from __future__ import annotations

from collections import Counter, defaultdict
from html import escape

import numpy as np

from symcnn.viz.drawing import Drawing, Node
from symcnn.viz.png import data_uri, stretched
from symcnn.viz.run import Run

SIDE = 34  # of a thumbnail
BARS = 12  # of a histogram


class Labels:
    """What a `Run` found, written into a drawing.

    Parameters
    ----------
    run : Run
    outputs : sequence of Variables
        They have an arrow of their own that leads out of the picture.
    """

    def __init__(self, run: Run, outputs):
        self.run, self.outputs = run, set(outputs)
        self.has_arrays = any(a.ndim for a in run.values.values())
        self.downstream = {(p.variable, part.position): part.downstream for p in run.pulls for part in p.parts}
        readers = Counter(v.inputs[k] for v, k in self.downstream if v.inputs[k].op or v.inputs[k].name)
        self.has_forks = max(readers.values(), default=0) > 1

    def spacing(self) -> dict[str, float]:
        """What drawings must leave free for the labels, as arguments of `drawing_of`."""
        if self.has_arrays:
            return {"room": 226.0 if self.has_forks else 140.0, "gap": 2 * SIDE + 40, "straight": 112.0}
        return {"room": 140.0 if self.has_forks else 96.0, "gap": 30.0, "straight": 66.0}

    def overhang(self, direction: str) -> tuple[float, float, float]:
        """How far labels reach beyond the boxes: to the right, below, and both above and below."""
        if direction == "down":
            return 70, 34, 0
        return self.spacing()["straight"] + 10, 0, SIDE + 8 if self.has_arrays else 0

    def svg(self, drawing: Drawing) -> str:
        """All labels of one level of a drawing."""
        known = [n for n in drawing.nodes if n.box.variable in self.run.values and n.box.kind != "port"]
        parts = [self._of_node(node, drawing.direction) for node in known]
        carrying: dict[Node, list] = defaultdict(list)
        for arrow in drawing.arrows:
            carrying[arrow.source] += [
                (arrow, wire) for wire in arrow.wires if (wire.reader, wire.position) in self.downstream
            ]
        for found in carrying.values():
            if len(found) > 1:  # what comes back from several readers adds up
                parts += [self._of_wire(arrow, wire, drawing.direction) for arrow, wire in found]
        return "".join(parts)

    def _of_node(self, node: Node, direction: str) -> str:
        v, key = node.box.variable, escape(node.box.key)
        x, above, below = node.x + node.width / 2 + 7, node.y - 6, node.y + 16
        stub = ""
        if direction == "down":
            x, above, below = node.x + 7, node.y + node.height / 2 + 14, node.y + node.height / 2 + 29
        elif v in self.outputs:
            stub = f'<path class="arrow" marker-end="url(#head)" d="M{x - 7:.1f} {node.y:.1f}h{self.spacing()["straight"] + 8:.0f}"/>'
        if node.box.kind == "constant":  # its value is its title
            return stub
        parts = [
            stub,
            f'<text class="value" data-value="{key}" x="{x:.1f}" y="{above:.1f}">{summary(self.run.values[v])}</text>',
        ]
        gradient = self.run.gradients.get(v)
        if gradient is not None:
            text = f"d {summary(gradient)}"
            parts.append(f'<text class="gradient" data-gradient="{key}" x="{x:.1f}" y="{below:.1f}">{text}</text>')
        elif self.run.pulls:
            parts.append(f'<text class="gradient none" data-gradient="{key}" x="{x:.1f}" y="{below:.1f}">no d</text>')
        for array, name, y in (self.run.values[v], "value", above - 12 - SIDE), (gradient, "gradient", below + 6):
            if array is not None and array.ndim and direction == "right":
                parts.append(f'<g data-{name}="{key}">{thumbnail(array, x, y, name)}</g>')
        return "".join(parts)

    def _of_wire(self, arrow, wire, direction: str) -> str:
        """What this reader adds to the gradient of a Variable with several."""
        downstream = self.downstream[wire.reader, wire.position]
        x, y = arrow.points[-1]
        first = len(arrow.wires) > 1 and wire is arrow.wires[0]  # of two: x * x reads x twice
        if direction == "down":
            place = x - 6, y - (24 if first else 10)
        else:
            place = x - 11, y - 8 if first or y < arrow.target.y - 1 else y + 13
        key = escape(f"{arrow.target.box.key}:{wire.position}")
        return f'<text class="gradient part" data-part="{key}" x="{place[0]:.1f}" y="{place[1]:.1f}">d {summary(downstream)}</text>'


def short(value) -> str:
    """A number in few characters: two digits after the point where they say enough."""
    value = np.asarray(value).item()
    if isinstance(value, bool | int):
        return str(value)
    if value == 0 or 0.005 <= abs(value) < 9999.5:
        return f"{value + 0.0:.2f}"  # a sum turns -0.0 into 0.0
    return f"{value:.1e}" if np.isfinite(value) else str(value)


def summary(array: np.ndarray) -> str:
    """A number; of an array its mean and standard deviation."""
    if array.ndim == 0:
        return short(array)
    if array.size == 0:
        return "empty"
    if array.dtype.kind not in "f":
        return f"{array.min()} .. {array.max()}"
    with np.errstate(all="ignore"):  # of infinities, too
        return f"{short(array.mean(dtype='float64'))} ± {short(array.std(dtype='float64'))}"


def thumbnail(array: np.ndarray, x: float, y: float, name: str) -> str:
    """An array as a small picture of its last two axes, or the histogram of its elements, at (x, y)."""
    array = np.asarray(array, "float64")
    if array.size == 0 or not np.isfinite(array).all():
        return ""
    if array.ndim >= 2 and min(array.shape[-2:]) >= 5:
        image = array.reshape(-1, *array.shape[-2:])[0]
        rows, columns = (max(1, n // 64) for n in image.shape)
        image = image[::rows, ::columns]
        scale = SIDE / max(image.shape)
        return (
            f'<image class="pixels" x="{x:.1f}" y="{y:.1f}" width="{image.shape[1] * scale:.1f}" '
            f'height="{image.shape[0] * scale:.1f}" href="{data_uri(stretched(image))}"/>'
        )
    counts, _ = np.histogram(array, BARS)
    bar = SIDE / BARS * 1.6
    return "".join(
        f'<rect class="bar of-{name}" x="{x + k * bar:.1f}" y="{y + SIDE - n:.1f}" width="{bar - 0.8:.1f}" height="{n:.1f}"/>'
        for k, n in enumerate(counts / counts.max() * SIDE)
        if n
    )
