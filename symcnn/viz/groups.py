"""A graph as boxes within boxes: what a layer computes is a group, equal groups in a row are one with a number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from symcnn.ir.graph import consumers, toposort
from symcnn.ir.printer import names_of
from symcnn.ir.variable import Constant, Input, Shared, Variable
from symcnn.viz.notation import call

SIGNS: dict[str, str] = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "negative": "−·", "matmul": "@"}


@dataclass(eq=False)
class Box:
    """One Variable, or a group of boxes.

    Attributes
    ----------
    key : str
        Unique in the drawing: the Variable's name as in a printed graph, the group's path.
    title : str
    kind : str
        ``"op"``, ``"input"``, ``"shared"``, ``"constant"``, ``"group"``, or ``"port"`` for what comes from outside a group.
    variable : Variable, or None for a group
    backward : bool
        Whether `grad` made it.
    inside : list of Box
        Of a group, in an order in which each box comes after what it reads.
    """

    key: str
    title: str
    kind: str
    variable: Any = None
    backward: bool = False
    inside: list[Box] = field(default_factory=list)

    def all_variables(self) -> Iterator[Variable]:
        """What it stands for, however deep."""
        stack: list[Box] = [self]
        while stack:
            box = stack.pop()
            stack.extend(reversed(box.inside))
            if box.variable is not None:
                yield box.variable


@dataclass(frozen=True, eq=False)
class Wire:
    """A value that goes from one box to another.

    Attributes
    ----------
    source, target : Box
    variable : Variable
        Whose value.
    reader : Variable
        The op that reads it, at `position`.
    shape_only : bool
        Whether the op asks for its shape alone.
    """

    source: Box
    target: Box
    variable: Variable
    reader: Variable
    position: int
    shape_only: bool


def boxes_of(outputs: Iterable[Variable], collapse: bool) -> tuple[list[Box], list[Wire]]:
    """The boxes of a graph, and every wire between boxes of single Variables.

    Parameters
    ----------
    outputs : iterable of Variables
    collapse : bool
        Whether what belongs to one layer becomes a group.
    """
    outputs = list(outputs)
    order = toposort(outputs)
    names = names_of(outputs)
    box_of: dict[Variable, Box] = {}
    wires: list[Wire] = []
    paths = _paths(order, outputs) if collapse else {}
    top = _Folder()
    for v in order:
        if is_number(v):
            continue  # written into the boxes of its readers
        kind = _kind(v)
        box = box_of[v] = Box(names[v], _title(v, names), kind, v, kind == "op" and v.origin.maker != "")
        reads = [(k, x) for k, x in enumerate(v.inputs) if not is_number(x)]
        wires += [Wire(box_of[x], box, x, v, k, k in v.op.shape_only) for k, x in reads]
        top.at(paths.get(v, ())).boxes.append(box)
    if any(is_number(v) for v in outputs):  # an output that is a plain number
        top.boxes += [Box(f"out:{k}", names[v], "constant", v) for k, v in enumerate(outputs) if is_number(v)]
    return _in_parts(_with_repeats(_unfolded(top), wires)), wires


def is_number(v: Variable) -> bool:
    """Whether `v` is a plain number, which has no box: it is written where it is read."""
    return isinstance(v, Constant) and v.ndim == 0


def _kind(v: Variable) -> str:
    leaf = {Input: "input", Shared: "shared", Constant: "constant"}
    return next((name for kind, name in leaf.items() if isinstance(v, kind)), "op")


def _title(v: Variable, names) -> str:
    """What a box says: a name, an op, or an op with the numbers that it reads, such as ``1 / ·``."""
    if v.op is None:
        return names[v]
    if not any(map(is_number, v.inputs)):
        return SIGNS.get(v.op.name) or v.op.name
    return call(v.op, [names[x] if is_number(x) else "·" for x in v.inputs])


def _paths(order, outputs) -> dict[Variable, tuple[str, ...]]:
    """The groups around each Variable, from the outermost.

    An op lies in the layer that made it, the gradient of a layer in a group beside it; a parameter where it is used first.
    """
    paths: dict[Variable, tuple[str, ...]] = {}
    for v in order:
        if v.op is not None:
            path = tuple(filter(None, v.origin.scope.split(".")))
            paths[v] = (f"d {path[0]}", *path[1:]) if path and v.origin.maker == "grad" else path
    readers = consumers(outputs)
    for v in order:
        if isinstance(v, Shared | Constant) and readers[v]:
            paths[v] = paths[readers[v][0]]
    return paths


class _Folder:
    """A group that is being filled."""

    def __init__(self):
        self.boxes: list[Box | tuple[str, _Folder]] = []
        self.folders: dict[str, _Folder] = {}

    def at(self, path: tuple[str, ...]) -> _Folder:
        folder = self
        for name in path:
            if name not in folder.folders:
                folder.folders[name] = _Folder()
                folder.boxes.append((name, folder.folders[name]))
            folder = folder.folders[name]
        return folder


def _unfolded(folder: _Folder, path: str = "") -> list[Box]:
    """The boxes of a folder. As deep as modules are nested, so this may recurse."""
    boxes = []
    for item in folder.boxes:
        if isinstance(item, Box):
            boxes.append(item)
            continue
        name, inner = item
        key = f"{path}.{name}" if path else name
        inside = _unfolded(inner, key)
        if len(inside) == 1:  # a group of one is that one, and tells the layer's name
            only = inside[0]
            only.title = f"{name}: {only.title}" if only.kind == "op" else only.title
            boxes.append(only)
        else:
            boxes.append(Box(key, name, "group", None, all(b.backward for b in inside), inside))
    return boxes


def holders(boxes: list[Box]) -> dict[Box, Box]:
    """Box, however deep -> the one of `boxes` that it lies in or is."""
    found = {}
    for box in boxes:
        stack = [box]
        while stack:
            inner = stack.pop()
            found[inner] = box
            stack += inner.inside
    return found


def _with_repeats(boxes: list[Box], wires: list[Wire]) -> list[Box]:
    """Groups of one structure that follow each other, in one group "a .. d x 4"."""
    for box in boxes:
        box.inside = _with_repeats(box.inside, wires)
    groups = [b for b in boxes if b.kind == "group"]
    if len(groups) < 3:
        return boxes
    holder = holders(boxes)
    after: dict[Box, set[Box]] = defaultdict(set)
    for wire in wires:
        source, target = holder.get(wire.source), holder.get(wire.target)
        if source is not None and target is not None and source is not target:
            after[source].add(target)
    kinds = {b: _structure(b) for b in groups}
    runs: list[list[Box]] = []
    for box in sorted(groups, key=lambda b: b.backward):  # else as they are, in the order of the program
        last = runs[-1][-1] if runs else None
        if last is not None and kinds[last] == kinds[box] and (box in after[last] or last in after[box]):
            runs[-1].append(box)
        else:
            runs.append([box])
    merged: dict[Box, Box] = {}
    for run in runs:
        if len(run) > 1:
            title = f"{run[0].title} .. {run[-1].title} x {len(run)}"
            merged |= dict.fromkeys(run, Box(f"{run[0].key}..", title, "group", None, run[0].backward, run))
    return list(dict.fromkeys(merged.get(b, b) for b in boxes))


CROWD = 120  # boxes beside each other that nobody can read, and that take long to lay out
PART = 30


def _in_parts(boxes: list[Box], path: str = "") -> list[Box]:
    """Where too many boxes stand beside each other, groups of them, in the order of the program."""
    for box in boxes:
        box.inside = _in_parts(box.inside, box.key)
    while len(boxes) > CROWD:
        size = max(PART, -(-len(boxes) // CROWD))
        parts = [boxes[k : k + size] for k in range(0, len(boxes), size)]
        boxes = [
            Box(
                f"{path}#{part[0].key}", f"part {k} of {len(parts)}", "group", None, all(b.backward for b in part), part
            )
            for k, part in enumerate(parts, start=1)
        ]
    return boxes


def _structure(box: Box) -> tuple:
    """The ops of a group and how often each occurs: what makes two groups equal."""
    counts = Counter(v.op.name for v in box.all_variables() if v.op is not None)
    return tuple(sorted(counts.items()))
