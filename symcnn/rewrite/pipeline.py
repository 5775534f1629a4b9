"""The phases, in order: canonicalize -> stabilize -> specialize -> layout."""

from __future__ import annotations

from dataclasses import dataclass

from symcnn.ir.variable import Variable
from symcnn.rewrite.canonicalize import CANONICALIZE
from symcnn.rewrite.engine import Application, rewrite
from symcnn.rewrite.layout import LAYOUT
from symcnn.rewrite.specialize import SPECIALIZE
from symcnn.rewrite.stabilize import STABILIZE

PHASES = {"canonicalize": CANONICALIZE, "stabilize": STABILIZE, "specialize": SPECIALIZE, "layout": LAYOUT}


@dataclass(frozen=True, eq=False)
class Phase:
    """The graph after one phase, and the rewrites that led to it; the first is the graph as written."""

    name: str
    outputs: tuple[Variable, ...]
    applications: tuple[Application, ...] = ()

    def __repr__(self):
        return f"<phase {self.name}: {len(self.applications)} rewrites>"


def simplify(outputs) -> list[Phase]:
    """Run every phase on the graph under `outputs`."""
    phases = [Phase("expression", tuple(outputs))]
    for name, rules in PHASES.items():
        found, applications = rewrite(phases[-1].outputs, rules)
        phases.append(Phase(name, tuple(found), tuple(applications)))
    return phases
