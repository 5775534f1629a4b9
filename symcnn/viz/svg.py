"""Drawings as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Protocol

from symcnn.viz.drawing import Arrow, Drawing, Node
from symcnn.viz.figure import asset
from symcnn.viz.palette import still_style

MARGIN = 14
SIGNS = {"added": "+", "removed": "\N{MINUS SIGN}", "failed": "\N{MULTIPLICATION SIGN}"}


class Annotation(Protocol):
    """Anything written into a drawing besides boxes and arrows."""

    def overhang(self, direction: str) -> tuple[float, float, float]:
        """How far it reaches beyond the boxes: to the right, below, and both above and below."""
        ...

    def svg(self, drawing: Drawing) -> str:
        """What it adds to one level of a drawing."""
        ...


def svg(
    title: str,
    drawing: Drawing,
    labels: Annotation | None = None,
    marks: Mapping[str, str] | None = None,
    style: bool = True,
) -> str:
    """The drawing as one ``<svg>`` element.

    Parameters
    ----------
    title : str
        Its accessible name.
    drawing : Drawing
    labels : Annotation, optional
        What is written beside the arrows.
    marks : mapping, optional
        Key of a box -> ``"added"``, ``"removed"`` or ``"failed"``.
    style : bool
        Whether its style is inside, so that it can stand alone.
    """
    css = f"<style>{still_style(asset('graph.css'))}</style>" if style else ""
    right, below, around = labels.overhang(drawing.direction) if labels else (0, 0, 0)
    left, top = -MARGIN, -MARGIN - around
    width, height = drawing.width + 2 * MARGIN + right, drawing.height + 2 * (MARGIN + around) + below
    body = contents(drawing, labels, marks or {})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img" aria-label="{escape(title)}" '
        f'viewBox="{left} {top} {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">'
        f"<title>{escape(title)}</title>{css}"
        f'<defs><marker id="head" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path class="head" d="M0 0.5L8 4L0 7.5z"/></marker></defs>'
        f'<rect class="ground" x="{left}" y="{top}" width="{width:.0f}" height="{height:.0f}"/>{body}</svg>'
    )


def contents(drawing: Drawing, labels: Annotation | None = None, marks: Mapping[str, str] = {}) -> str:
    """What is inside the ``<svg>``: arrows below, boxes above, labels on top."""
    parts = [_arrow(a, drawing.direction) for a in drawing.arrows]
    parts += [_node(n, marks.get(n.box.key, "")) for n in drawing.nodes]
    if labels is not None:
        parts.append(labels.svg(drawing))
    return "".join(parts)


def curve(points: list[tuple[float, float]], direction: str) -> str:
    """A smooth way through `points` that leaves and arrives in the direction of the ranks."""
    (x, y), *rest = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for u, v in rest:
        if direction == "down":
            parts.append(f"C{x:.1f} {(y + v) / 2:.1f} {u:.1f} {(y + v) / 2:.1f} {u:.1f} {v:.1f}")
        else:
            parts.append(f"C{(x + u) / 2:.1f} {y:.1f} {(x + u) / 2:.1f} {v:.1f} {u:.1f} {v:.1f}")
        x, y = u, v
    return "".join(parts)


def _arrow(arrow: Arrow, direction: str) -> str:
    kind = "arrow shape" if arrow.shape_only else "arrow"
    ways = [arrow.points]
    if len(arrow.wires) > 1 and "group" not in (arrow.source.box.kind, arrow.target.box.kind):  # x * x reads x twice
        ways = [_aside(arrow.points, s * 5, direction) for s in (-1, 1)]
    ends = f'data-from="{escape(arrow.source.box.key)}" data-to="{escape(arrow.target.box.key)}"'
    return "".join(f'<path class="{kind}" {ends} marker-end="url(#head)" d="{curve(way, direction)}"/>' for way in ways)


def _aside(points, by, direction):
    """The same way with its end moved along the border."""
    x, y = points[-1]
    return [*points[:-1], (x + by, y) if direction == "down" else (x, y + by)]


def _node(node: Node, mark: str) -> str:
    box, w, h = node.box, node.width, node.height
    kinds = " ".join(filter(None, ("box", box.kind, "backward" if box.backward else "", mark)))
    radius = h / 2 if box.kind == "input" else 7
    shadow = (
        f'<rect x="{4 - w / 2:.1f}" y="{4 - h / 2:.1f}" width="{w:.1f}" height="{h:.1f}" rx="7"/>'
        if box.kind == "group"
        else ""
    )
    note = f'<text class="note" y="13">{escape(node.note)}</text>' if node.note else ""
    sign = f'<text class="sign" x="{w / 2 + 3:.1f}" y="{8 - h / 2:.1f}">{SIGNS[mark]}</text>' if mark else ""
    return (
        f'<g class="{kinds}" data-key="{escape(box.key)}" transform="translate({node.x:.1f} {node.y:.1f})">'
        f"<title>{escape(_described(node))}</title>{shadow}"
        f'<rect x="{-w / 2:.1f}" y="{-h / 2:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{radius:g}"/>'
        f'<text class="title" y="{-2 if note else 4.5}">{escape(box.title)}</text>{note}{sign}</g>'
    )


def _described(node: Node) -> str:
    """What a box is, in words: for a pointer that rests on it, and for a screen reader."""
    box = node.box
    if box.kind == "group":
        return f"{box.title}, a group of {node.note}"
    what = {"op": "", "port": "", "constant": "constant ", "input": "input ", "shared": "parameter "}[box.kind]
    label = box.variable.op.label() if box.kind == "op" and box.variable.op else box.title
    return f"{what}{label}: {box.variable.type}{', made by grad' if box.backward else ''}"
