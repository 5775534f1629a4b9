"""The table of a network: what each layer puts out and how many parameters it has."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import symcnn as sc
from symcnn.errors import InputError
from symcnn.nn.trace import Trace


@dataclass(frozen=True)
class Row:
    """One application of one layer."""

    name: str
    layer: str
    out_shape: tuple[int | None, ...]
    parameters: int


@dataclass(frozen=True)
class Summary:
    """The rows of a network, with its totals.

    Attributes
    ----------
    rows : tuple of Row
        In the order of application.
    parameters : int
        Of the whole network; a layer applied twice counts once.
    """

    rows: tuple[Row, ...]
    parameters: int

    def cells(self) -> list[tuple[str, str, str, str]]:
        """Header, rows and total, as text."""
        body = [(r.name, r.layer, shape_text(r.out_shape), f"{r.parameters:,}") for r in self.rows]
        return [("layer", "kind", "output", "parameters"), *body, ("total", "", "", f"{self.parameters:,}")]

    def __str__(self):
        cells = self.cells()
        a, b, c, d = (max(map(len, column)) for column in zip(*cells, strict=True))
        lines = [f"{name:<{a}}  {kind:<{b}}  {shape:<{c}}  {count:>{d}}" for name, kind, shape, count in cells]
        rule = "-" * len(lines[0])
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    __repr__ = __str__

    def _repr_html_(self):
        rows = ["".join(f"<td>{escape(text)}</td>" for text in row) for row in self.cells()]
        return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def summarize(module, in_shape, depth=None) -> Summary:
    """Apply `module` to a symbolic batch and list what its layers did; what lies deeper than `depth` is one row.

    Raises
    ------
    InputError
        If the shape of an example is unknown.
    """
    if in_shape is None:
        raise InputError("summary: the shape of one example is unknown", hint="summary(in_shape=(1, 28, 28))")
    with Trace() as trace:
        module(sc.input("x", (None, *in_shape), module.dtype))
    names = {id(part): path for path, part in module.modules().items()}
    applied = [(names.get(id(part), ""), part, output) for part, output in trace.outputs]
    rows = [
        Row(name, " ".join(repr(part).split()), output.shape, part.parameters().count)
        for name, part, output in applied
        if _level(name) == depth or (not part.parts() and (depth is None or _level(name) < depth))
    ]
    return Summary(tuple(rows), module.parameters().count)


def _level(path: str) -> int:
    """How many names a path consists of; the module itself has none."""
    return path.count(".") + 1 if path else 0


def shape_text(shape) -> str:
    """A shape with its batch axis called n: ``(n, 20, 24, 24)``."""
    return "(" + ", ".join(str(d) if d is not None else "n" if i == 0 else "?" for i, d in enumerate(shape)) + ")"
