"""A graph in the DOT language of Graphviz, for those who have it."""

from __future__ import annotations

from collections.abc import Iterable

from symcnn.ir.graph import toposort
from symcnn.ir.printer import names_of
from symcnn.ir.variable import Variable


def dot(outputs: Iterable[Variable]) -> str:
    """The graph under `outputs` as text that ``dot -Tpdf`` draws.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", ())
    >>> print(dot([sc.exp(x)]))
    digraph {
      rankdir=LR
      "x" [label="x\\nfloat32[]" shape=ellipse]
      "%1" [label="exp\\nfloat32[]" shape=box]
      "x" -> "%1" [style=solid]
    }
    """
    outputs = list(outputs)
    names = names_of(outputs)
    lines = ["digraph {", "  rankdir=LR"]
    order = toposort(outputs)
    for v in order:
        label = v.op.label() if v.op else names[v]
        lines.append(
            f"  {_quoted(names[v])} [label={_quoted(label, str(v.type))} shape={'box' if v.op else 'ellipse'}]"
        )
    for v in order:
        lines += [
            f"  {_quoted(names[x])} -> {_quoted(names[v])} [style={'dotted' if k in v.op.shape_only else 'solid'}]"
            for k, x in enumerate(v.inputs)
        ]
    return "\n".join([*lines, "}"])


def _quoted(*lines: str) -> str:
    """A string of DOT; the lines are centred."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
