"""Drawing: boxes and arrows with places, ready to be rendered. A group has a drawing of its inside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from symcnn.ir.graph import toposort
from symcnn.ir.variable import Variable
from symcnn.viz.groups import Box, Wire, boxes_of, holders, is_number
from symcnn.viz.layout import layered

CHARACTER = 7.4  # width of one, in the type of titles
SMALL = 6.2  # and in that of notes


@dataclass(eq=False)
class Node:
    """A box with a place.

    Attributes
    ----------
    box : Box
    note : str
        The line below the title.
    x, y : float
        Its centre.
    width, height : float
    inside : Drawing or None
        Of a group.
    """

    box: Box
    note: str
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    inside: Drawing | None = None


@dataclass(frozen=True, eq=False)
class Arrow:
    """All wires from one box to another.

    Attributes
    ----------
    source, target : Node
    points : list of (x, y)
    wires : list of Wire
    """

    source: Node
    target: Node
    points: list[tuple[float, float]]
    wires: list[Wire]

    @property
    def shape_only(self) -> bool:
        return all(w.shape_only for w in self.wires)


@dataclass(eq=False)
class Drawing:
    """Nodes and arrows from (0, 0) to (width, height).

    Attributes
    ----------
    direction : str
        ``"right"`` or ``"down"``: where arrows point.
    """

    nodes: list[Node]
    arrows: list[Arrow]
    width: float
    height: float
    direction: str


def drawing_of(
    outputs: Iterable[Variable],
    direction: str | None = None,
    collapse: bool | None = None,
    room: float = 44.0,
    gap: float = 28.0,
    straight: float = 0.0,
) -> Drawing:
    """Draw the graph under `outputs`.

    Parameters
    ----------
    outputs : iterable of Variables
    direction : {"right", "down"}, optional
        By default to the right if the graph is small.
    collapse : bool, optional
        Whether what belongs to one layer is one box; by default from `SMALL_GRAPH` boxes on.
    room, gap : float
        Between ranks, and between boxes of one rank.
    straight : float
        How far arrows run straight at first, beside what is written there.
    """
    outputs = list(outputs)
    is_small = sum(not is_number(v) for v in toposort(outputs)) < SMALL_GRAPH
    boxes, wires = boxes_of(outputs, collapse=not is_small if collapse is None else collapse)
    if direction is None:
        direction = "right" if is_small and not collapse else "down"
    return _placed(boxes, wires, Style(direction, room, gap, straight))


SMALL_GRAPH = 48  # boxes that still make a readable circuit


@dataclass(frozen=True)
class Style:
    """The arguments of `drawing_of` that hold on every level."""

    direction: str
    room: float
    gap: float
    straight: float


def _placed(boxes: list[Box], wires: list[Wire], style: Style) -> Drawing:
    """Place the boxes of one level. As deep as groups are nested, so this may recurse."""
    holder = holders(boxes)
    between: dict[tuple[Box, Box], list[Wire]] = defaultdict(list)
    inner: dict[Box, list[Wire]] = defaultdict(list)
    for wire in wires:
        source, target = holder.get(wire.source), holder.get(wire.target)
        if source is not target and source is not None and target is not None:
            between[source, target].append(wire)
        for end in {source, target}:
            if end is not None and end.kind == "group":
                inner[end].append(wire)
    nodes = {b: _node(b) for b in boxes}
    for box, node in nodes.items():
        if box.kind == "group":
            inside, ports = _with_ports(box, inner[box])
            node.inside = _placed(inside, ports, style)
    sizes = {b: (n.width, n.height) for b, n in nodes.items()}
    place = layered(sizes, list(between), style.gap, style.room, style.direction)
    for box, node in nodes.items():
        node.x, node.y = place.centres[box]
    arrows = _arrows(nodes, between, place.ways, style)
    return Drawing(list(nodes.values()), arrows, place.width, place.height, style.direction)


def _with_ports(group: Box, wires: list[Wire]) -> tuple[list[Box], list[Wire]]:
    """The boxes inside `group`, with one for each value that comes from outside; and the wires between them."""
    holder = holders(group.inside)
    ports: dict[Variable, Box] = {}
    found = []
    for wire in wires:
        if wire.target not in holder:
            continue
        source = wire.source
        if source not in holder:
            if wire.variable not in ports:
                title = source.title if source.kind == "port" else f"from {source.title}"
                ports[wire.variable] = Box(f"{group.key}<{source.key}", title, "port", wire.variable)
            source = ports[wire.variable]
        found.append(Wire(source, wire.target, wire.variable, wire.reader, wire.position, wire.shape_only))
    return [*ports.values(), *group.inside], found


def _node(box: Box) -> Node:
    note = ""
    if box.kind == "group":
        ops = sum(v.op is not None for v in box.all_variables())
        note = f"{ops} ops"
    elif box.variable is not None and box.kind not in ("constant", "port") and box.variable.ndim:
        note = " x ".join("?" if d is None else str(d) for d in box.variable.shape)
    width = max(len(box.title) * CHARACTER, len(note) * SMALL) + 20
    small = box.kind in ("constant", "port")
    return Node(box, note, max(width, 24.0 if small else 40.0), 22.0 if small else 42.0 if note else 30.0)


def _arrows(nodes, between, ways, style: Style) -> list[Arrow]:
    """From the middle of one side to evenly spread places on the other, in an order in which they do not cross."""
    down = style.direction == "down"
    arriving: dict[Box, list[Box]] = defaultdict(list)
    for source, target in between:
        arriving[target].append(source)
    arrows = []
    for target, sources in arriving.items():
        node = nodes[target]
        last = {s: (ways[s, target] or [(nodes[s].x, nodes[s].y)])[-1] for s in sources}
        for k, source in enumerate(sorted(sources, key=lambda s, last=last: last[s][0 if down else 1])):
            start, share = nodes[source], (k + 1) / (len(sources) + 1) - 0.5
            if down:
                x, y = start.x, start.y + start.height / 2
                points = [(x, y), (x, y + style.straight)]
                end = (node.x + share * node.width, node.y - node.height / 2)
            else:
                x, y = start.x + start.width / 2, start.y
                points = [(x, y), (x + style.straight, y)]
                end = (node.x - node.width / 2, node.y + share * node.height)
            points = [*points[: 2 if style.straight else 1], *ways[source, target], end]
            arrows.append(Arrow(start, node, points, between[source, target]))
    return arrows
