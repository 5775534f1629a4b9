"""Layered layout: boxes of any size on ranks, and the way of every arrow between them.

Which rank a box has and in which order the boxes of a rank stand decides fast-sugiyama (Sugiyama, Tagawa and Toda, 1981;
coordinates after Brandes and Köpf, 2001). It knows points; here they become boxes: what it aligned stays aligned, and
everything moves apart as far as it must.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from symcnn.errors import PackageError

BEND = 10.0  # the room that an arrow takes where it passes a rank


@dataclass(frozen=True)
class Placement:
    """Where everything is: x to the right, y downwards, from (0, 0).

    Attributes
    ----------
    centres : dict
        Box -> (x, y).
    ways : dict
        (source, target) -> the points between them where the arrow passes a rank.
    width, height : float
    """

    centres: dict
    ways: dict
    width: float
    height: float


def layered(
    sizes: dict, edges: list[tuple], gap: float = 28.0, between: float = 56.0, direction: str = "down"
) -> Placement:
    """Place boxes so that arrows run in one direction.

    Parameters
    ----------
    sizes : dict
        Box -> (width, height).
    edges : list of pairs
        (source, target), each pair once.
    gap : float
        Between boxes of one rank.
    between : float
        Between ranks.
    direction : {"down", "right"}

    Raises
    ------
    PackageError
        Without fast-sugiyama.

    Examples
    --------
    >>> found = layered({"a": (40, 20), "b": (40, 20)}, [("a", "b")], between=30)
    >>> found.centres, found.width, found.height
    ({'a': (20.0, 10.0), 'b': (20.0, 60.0)}, 40.0, 70.0)
    """
    if direction == "right":  # the same picture, seen with x and y exchanged
        turned = layered({b: (h, w) for b, (w, h) in sizes.items()}, edges, gap, between)
        centres = {b: (y, x) for b, (x, y) in turned.centres.items()}
        ways = {e: [(y, x) for x, y in points] for e, points in turned.ways.items()}
        return Placement(centres, ways, turned.height, turned.width)
    points, chains = _points(list(sizes), edges)
    widths = {p: sizes[p][0] if p in sizes else BEND for p in points}
    rows: dict[float, list] = defaultdict(list)
    for p, (_, y) in points.items():
        rows[y].append(p)
    for row in rows.values():
        row.sort(key=lambda p: points[p][0])
    xs = _apart(points, rows, widths, gap)
    ys, height = {}, 0.0
    for y in sorted(rows):
        tallest = max((sizes[p][1] for p in rows[y] if p in sizes), default=0.0)
        ys[y] = height + tallest / 2
        height += tallest + between
    centres = {b: (xs[b], ys[points[b][1]]) for b in sizes}
    ways = {e: [(xs[p], ys[points[p][1]]) for p in chain] for e, chain in chains.items()}
    width = max((xs[p] + widths[p] / 2 for p in points), default=0.0)
    return Placement(centres, ways, width, max(height - between, 0.0))


def _points(boxes, edges):
    """Where fast-sugiyama puts every box and every bend, y downwards; and the bends of every edge, from its source."""
    try:
        from fast_sugiyama import from_edges
    except ImportError:
        raise PackageError("drawing graphs needs the package fast-sugiyama", hint="pip install 'symcnn[viz]'") from None
    points: dict = {}
    chains: dict = {}
    left = 0.0
    for part, linked in enumerate(_components(edges)):
        number = {b: k for k, b in enumerate(linked)}  # what comes after them is a bend
        pairs = [(number[a], number[b]) for a, b in edges if a in number]
        found: Any = from_edges(pairs, dummy_vertices=True, check_layout=False)
        ((places, width, height, links),) = found
        name = lambda k, linked=linked, part=part: linked[k] if k < len(linked) else (part, k)  # noqa: E731
        points.update({name(k): (x + left, height - y) for k, (x, y) in places})
        after = {name(a): name(b) for a, b in links or () if a >= len(linked)}
        for a, b in ((name(a), name(b)) for a, b in links or () if a < len(linked)):
            chain = []
            while b in after:
                chain.append(b)
                b = after[b]
            chains[a, b] = chain
        left += width + 1
    for a, b in edges:
        if (a, b) not in chains:  # part of a circle, which was opened by turning this edge around
            chains[a, b] = chains[b, a][::-1]
    for b in boxes:
        if b not in points:
            points[b] = (left, 0.0)
            left += 1
    return points, chains


def _components(edges) -> list[list]:
    """The boxes of each connected part, in the order of the edges. fast-sugiyama would mix up the bends of several parts."""
    import networkx

    graph = networkx.Graph(edges)
    order = {b: k for k, b in enumerate(graph)}
    return [sorted(part, key=order.__getitem__) for part in networkx.connected_components(graph)]


def _apart(points, rows, widths, gap) -> dict:
    """x of every point: those that had the same keep the same, neighbours in a row do not overlap.

    The places of all columns, in order, are the unknowns; each pair of neighbours asks for a distance. Pushing everything
    to the left as far as it goes is one solution, to the right another, and half way between them everything is centred.
    """
    columns = {x: k for k, x in enumerate(sorted({x for x, _ in points.values()}))}
    asked: dict[int, dict[int, float]] = defaultdict(dict)  # column -> earlier column -> distance
    for row in rows.values():
        for a, b in pairwise(row):
            i, j = columns[points[a][0]], columns[points[b][0]]
            least = (widths[a] + widths[b]) / 2 + (gap if widths[a] > BEND and widths[b] > BEND else gap / 2)
            asked[j][i] = max(asked[j].get(i, 0.0), least)
    for j in range(1, len(columns)):
        asked[j].setdefault(j - 1, 0.0)
    left = [0.0] * len(columns)
    for j in range(1, len(columns)):
        left[j] = max(left[i] + d for i, d in asked[j].items())
    right = [left[-1] if left else 0.0] * len(columns)
    for j in range(len(columns) - 1, 0, -1):
        for i, d in asked[j].items():
            right[i] = min(right[i], right[j] - d)
    middle = {p: (left[columns[x]] + right[columns[x]]) / 2 for p, (x, _) in points.items()}
    start = min((middle[p] - widths[p] / 2 for p in points), default=0.0)
    return {p: x - start for p, x in middle.items()}
