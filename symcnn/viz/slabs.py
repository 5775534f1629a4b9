"""A strip of slabs, as in the pictures of AlexNet's paper and since: what every layer puts out, drawn as a solid.

The face of a slab has the proportions of the map, its thickness stands for the channels. A layer that changes neither, such
as an activation, is a thin band on the slab before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from itertools import accumulate
from math import log2, sqrt

from symcnn.viz.boxes import INPUT, Box
from symcnn.viz.layout import layered
from symcnn.viz.svg import curve

WIDEST = 1080.0  # a strip that gets wider goes on in a new line where one arrow alone leads on
TALLEST = 118.0
MARGIN = 10
BAND = 6.0
BETWEEN = 17.0
LINE = 13.0
LETTER = 7.2  # the mean width of one, of wide type faces

# Every such drawing has the class "slabs": its style does not reach into another figure on the same page.
STYLE = """
.slabs .ground { fill: var(--paper) }
.slabs text { font: 11px system-ui, sans-serif; fill: var(--soft); text-anchor: middle }
.slabs .name { fill: var(--ink); font-weight: 600 } .slabs .legend { text-anchor: start }
.slabs .arrows { fill: none; stroke: var(--soft); stroke-width: 1.1 } .slabs .tip { fill: var(--soft); stroke: none }
.slabs .back { fill: var(--card) } .slabs .opens { fill: var(--ink); font-weight: 700 }
.slabs .face { stroke-width: 1; stroke-linejoin: round; fill-opacity: .28 } .slabs .side { fill-opacity: .5 }
.slabs .given .face { fill: var(--soft); stroke: var(--soft) } .slabs .other .face { fill: var(--rule); stroke: var(--soft) }
.slabs .convolution .face { fill: var(--c0); stroke: var(--c0) } .slabs .pooling .face { fill: var(--c1); stroke: var(--c1) }
.slabs .dense .face { fill: var(--c3); stroke: var(--c3) } .slabs .block .face { fill: var(--c2); stroke: var(--c2) }
.slabs .pointwise .face { fill: var(--value); stroke: var(--value) }
"""
LEGEND = {
    "convolution": "convolution",
    "pooling": "pooling",
    "dense": "dense",
    "pointwise": "keeps the shape",
    "block": "block (+)",
    "other": "other",
}


@dataclass(frozen=True)
class Strip:
    """A drawing without its frame.

    Attributes
    ----------
    content : str
        SVG elements.
    width, height : float
    kinds : frozenset of str
        Of the boxes that were drawn.
    """

    content: str
    width: float
    height: float
    kinds: frozenset[str]

    def svg(self, title: str) -> str:
        """The whole picture, with a legend below; its style is `STYLE`."""
        legend, x = [], 2.0
        for kind, text in LEGEND.items():
            if kind in self.kinds:
                legend.append(
                    f'<g class="{kind}"><rect class="face" x="{x:.0f}" y="{self.height + 10:.0f}" width="12" height="12"/></g>'
                    f'<text class="legend" x="{x + 18:.0f}" y="{self.height + 20:.0f}">{text}</text>'
                )
                x += 40 + LETTER * len(text)
        width, height = max(self.width, x) + 2 * MARGIN, self.height + 26 + 2 * MARGIN
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="slabs" role="img" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="{-MARGIN} {-MARGIN} {width:.0f} {height:.0f}" aria-label="{escape(title)}"><title>{escape(title)}</title>'
            f'<rect class="ground" x="{-MARGIN}" y="{-MARGIN}" width="100%" height="100%"/>'
            f"{self.content}{''.join(legend)}</svg>"
        )


@dataclass(eq=False)
class _Slab:
    """A box with the bands on it, and how large it is drawn."""

    name: str
    shape: tuple
    boxes: list[Box] = field(default_factory=list)  # none for the input
    reads: set[int] = field(default_factory=set)  # numbers of slabs
    scale: float = 1.0  # pixels for the square root of a row
    room: int = 0  # lines of text that there is room for below the name

    @property
    def thickness(self) -> float:
        return 3 + 2.4 * log2(1 + max(self.shape[0], 1)) if len(self.shape) > 1 else 9.0

    @property
    def solid(self) -> tuple[float, float, float, float]:
        """Width and height of the front, and how far the back is shifted to the right and up."""
        bands = BAND * (len(self.boxes) - 1 if self.boxes else 0)
        if len(self.shape) < 2:  # a vector: the taller the longer
            return self.thickness + bands, 10 + 9 * log2(1 + max(self.shape, default=1)), 4.0, 3.0
        rows, columns = (*self.shape[1:], 1)[:2]
        return self.thickness + bands, 7 + self.scale * sqrt(rows), *_back(7 + self.scale * sqrt(columns))

    @property
    def kinds(self) -> list[str]:
        """What stands below the name: the kinds of its layers."""
        if not self.boxes:
            return []
        first, *bands = self.boxes
        texts = [] if first.is_own else [_short(first)]
        if len(first.rows) > 1:
            texts = [f"{_short(first)} × {len(first.rows)}"]
        return texts + [f"+ {_short(band)}" for band in bands]

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height with all text; what is above the slab and below it has equal room."""
        wide, high, right, up = self.solid
        letters = max(len(_shape_text(self.shape)), 1.08 * len(self.name), *map(len, self.kinds), 0)
        return max(wide + right, LETTER * letters + 5), high + up + LINE * (2 + self.room) + 10


def strip(boxes: tuple[Box, ...], given: tuple, identify, owner: str = "") -> Strip:
    """Draw boxes from left to right.

    Parameters
    ----------
    boxes : tuple of Box
    given : tuple
        Shape of what the strip reads.
    identify : callable
        From a box to the text by which a script finds it.
    owner : str
        Name of the block that these boxes are inside of; it is left out of their names.
    """
    slabs = _slabs(boxes, given, owner)
    largest = max((max((*slab.shape[1:], 1)[:2]) for slab in slabs if len(slab.shape) > 1), default=1)
    room = max(len(slab.kinds) for slab in slabs)
    for slab in slabs:
        slab.scale, slab.room = (TALLEST if not owner else 0.45 * TALLEST) / sqrt(max(largest, 1)), room
    content, width, height = [], 0.0, 0.0
    lines = _lines(slabs)
    for number, line in enumerate(lines):
        drawn, right, tall = _line(slabs, line, identify, height, number > 0, number < len(lines) - 1)
        content.append(drawn)
        width, height = max(width, right), height + tall + 14
    return Strip("".join(content), width, height - 14, frozenset(box.kind for box in boxes))


def _slabs(boxes, given, owner: str) -> list[_Slab]:
    """The input first; every band joins the slab of the box that it reads, if it alone reads that."""
    slabs, place = [_Slab("input", given)], {INPUT: 0}
    readers = [sum(k in box.reads for box in boxes) for k in range(len(boxes))]
    for k, box in enumerate(boxes):
        before = box.reads[0] if len(box.reads) == 1 else INPUT
        if box.kind == "pointwise" and before != INPUT and readers[before] == 1:
            slabs[place[before]].boxes.append(box)
            place[k] = place[before]
            continue
        ops = box.rows[0].layer.partition(": ")[2] if box.is_own else ""
        name = ops or box.name.removeprefix(f"{owner}.")
        slabs.append(_Slab(name, box.shape, [box], {place[r] for r in box.reads}))
        place[k] = len(slabs) - 1
    return slabs


def _lines(slabs) -> list[range]:
    """Which slabs stand in one line: as few lines as fit, all about equally long."""
    arrows = [(a, b) for b, slab in enumerate(slabs) for a in slab.reads]
    cuts = [k for k in range(1, len(slabs)) if [e for e in arrows if e[0] < k <= e[1]] == [(k - 1, k)]]
    ends = [0.0, *accumulate(slab.extent[0] + BETWEEN for slab in slabs)]
    best: dict[int, tuple[float, list[range]]] = {0: (0.0, [])}  # where a line ends -> penalty and lines so far
    for end in [*cuts, len(slabs)]:
        ways = []
        for start, (penalty, lines) in best.items():
            left = WIDEST - (ends[end] - ends[start] - BETWEEN)
            ways.append((penalty + left**2 * (1 if left >= 0 else 100), [*lines, range(start, end)]))
        best[end] = min(ways, key=lambda way: way[0])
    return best[len(slabs)][1]


def _line(slabs, line: range, identify, top: float, comes: bool, goes_on: bool) -> tuple[str, float, float]:
    """One line of a strip: its elements, its width and its height; arrows from and to other lines are hinted at."""
    sizes = {k: slabs[k].extent for k in line}
    top -= LINE * slabs[0].room / 2  # there is more text below a slab than above
    arrows = [(a, k) for k in reversed(line) for a in sorted(slabs[k].reads) if a in sizes]
    placed = layered(sizes, arrows, gap=6, between=BETWEEN, direction="right")
    left = 20.0 if comes else 0.0
    middle = {k: (x + left, y + top) for k, (x, y) in placed.centres.items()}

    def end(k, side):
        wide, _, right, _ = slabs[k].solid
        return middle[k][0] + side * ((wide + right) / 2 + 2), middle[k][1]

    ways = [[end(a, 1), *((x + left, y + top) for x, y in placed.ways[a, b]), end(b, -1)] for a, b in arrows]
    width = left + placed.width
    if comes:
        x, y = end(line[0], -1)
        ways.append([(x - 20, y), (x, y)])
    if goes_on:
        x, y = end(line[-1], 1)
        ways.append([(x, y), (x + 20, y)])
        width = max(width, x + 20)
    drawn = "".join(_solid(slabs[k], middle[k], identify) for k in line)
    return f'<g class="arrows">{"".join(map(_arrow, ways))}</g>{drawn}', width, placed.height


def _solid(slab: _Slab, middle, identify) -> str:
    """A slab with its bands and its text, around this point."""
    wide, high, right, up = slab.solid
    x, y = middle[0] - (wide + right) / 2, middle[1] - (high - up) / 2
    centre = f'x="{middle[0]:.1f}"'
    texts = [f'<text {centre} y="{y - up - 5:.1f}">{escape(_shape_text(slab.shape))}</text>']
    texts.append(f'<text class="name" {centre} y="{y + high + LINE:.1f}">{escape(slab.name)}</text>')
    texts += [
        f'<text {centre} y="{y + high + LINE * k:.1f}">{escape(text)}</text>'
        for k, text in enumerate(slab.kinds, start=2)
    ]
    parts = []
    for k, box in enumerate(slab.boxes or [None]):
        thick = slab.thickness if k == 0 else BAND
        face = f"M{x:.1f} {y:.1f}v{high:.1f}h{thick:.1f}v{-high:.1f}z"
        side = f"M{x + thick:.1f} {y:.1f}v{high:.1f}l{right:.1f} {-up:.1f}v{-high:.1f}z"
        lid = f"M{x:.1f} {y:.1f}h{thick:.1f}l{right:.1f} {-up:.1f}h{-thick:.1f}z"
        solid = f'<path class="back" d="{face}{side}{lid}"/><path class="face" d="{face}{lid}"/><path class="face side" d="{side}"/>'
        if box is None:
            parts.append(f'<g class="given">{solid}{"".join(texts)}</g>')
        else:
            plus = (
                f'<text class="opens" x="{x + thick / 2:.1f}" y="{y + high / 2 + 4:.1f}">+</text>' if box.inside else ""
            )
            about = f"{box.name}: {box.rows[0].layer}, {_shape_text(box.shape)}"
            parts.append(
                f'<g class="box {box.kind}" data-box="{identify(box)}"><title>{escape(about)}</title>'
                f"{solid}{plus}{''.join(texts) if k == 0 else ''}</g>"
            )
        x += thick
    return "".join(parts)


def _arrow(points) -> str:
    """A smooth way through these points, with a tip."""
    x, y = points[-1]
    return f'<path d="{curve(points, "right")}"/><path class="tip" d="M{x:.1f} {y:.1f}l-6 -3v6z"/>'


def _back(size: float) -> tuple[float, float]:
    """How far a side of this size runs to the right and up, where it is seen askance."""
    return 0.26 * size, 0.17 * size


def _shape_text(shape) -> str:
    """As LeNet's paper writes it: ``6@28×28``."""
    return f"{shape[0]}@{'×'.join(map(str, shape[1:]))}" if len(shape) > 1 else "×".join(map(str, shape)) or "1"


def _short(box: Box) -> str:
    """The kind of its layer, in few letters."""
    kind = repr(box.module).partition("(")[0]  # as its table row begins
    return {"LocalResponseNorm": "LRN", "GlobalAvgPool2d": "GlobalAvg", "GlobalMaxPool2d": "GlobalMax"}.get(kind, kind)
