"""What the compiler did, stage by stage, as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from symcnn.display import Displayed
from symcnn.errors import ShapeError
from symcnn.ir.graph import toposort
from symcnn.ir.printer import print_graph, print_nest


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of compilation: prints as its text.

    Attributes
    ----------
    name : str
    text : str
    nodes : int or None
        Number of Variables, for the stages that are graphs.
    applications : tuple
        The rewrites that were applied, in order (`symcnn.rewrite.engine.Application`).
    outputs : tuple of Variables
        The graph itself, for the stages that are graphs.
    """

    name: str
    text: str
    nodes: int | None = None
    applications: tuple = ()
    outputs: tuple = ()

    def __str__(self):
        return self.text

    __repr__ = __str__


class Stages(Mapping):
    """Ordered mapping from stage name to `Stage`, each made when it is looked at."""

    def __init__(self, function):
        self._function = function
        self._names = ["expression", "autodiff", *(p.name for p in function.phases[1:]), "nests", "plan", "kernels"]

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)

    def __repr__(self):
        return f"<stages: {', '.join(self._names)}>"

    def __getitem__(self, name) -> Stage:
        if name not in self._names:
            raise KeyError(name)
        f = self._function
        if name == "expression":
            return _graph_stage(name, _written_by_user(f.phases[0].outputs))
        if name == "autodiff":
            return _graph_stage(name, f.phases[0].outputs)
        if name == "nests":
            return Stage(name, "\n\n".join(map(nest_text, f.program.steps)))
        if name in ("plan", "kernels"):
            return Stage(name, _bound(f, name))
        phase = next(p for p in f.phases if p.name == name)
        return _graph_stage(name, phase.outputs, phase.applications)


def nest_text(step) -> str:
    """The loops of one kernel; of a tuned one, its op and the loops of its epilogue."""
    if step.tuned is None:
        return print_nest(step.nest)
    text = f"tuned {step.tuned.op.name}: {step.tuned.op.label()}"
    return text if step.nest is None else f"{text}, then for each row of it\n{print_nest(step.nest)}"


def _written_by_user(outputs):
    """The roots of what does not rest on anything that `grad` made."""
    plain: set = set()
    read: set = set()
    wanted = set(outputs)
    for v in toposort(outputs):
        # Equal constants are one object, whoever made it first.
        if v.op is None or (not v.origin.maker and all(x in plain for x in v.inputs)):
            plain.add(v)
            read.update(v.inputs)
    return [v for v in toposort(outputs) if v in plain and v not in read and (v.op is not None or v in wanted)]


def _graph_stage(name, outputs, applications=()) -> Stage:
    return Stage(name, print_graph(outputs), len(toposort(outputs)), tuple(applications), tuple(outputs))


def _bound(f, name) -> str:
    try:
        if name == "plan":
            return str(f.memory_plan)
        return _kernels_text(f.kernels)
    except ShapeError as error:
        return f"not made yet: {error}"


def _kernels_text(kernels) -> str:
    """Every kernel under a line that says what it is; a source that several share is printed once."""
    first: dict[str, int] = {}
    texts = []
    for number, k in enumerate(kernels):
        same = first.setdefault(k.source, number)
        source = k.source if same == number else f"# source: as kernel {same}"
        texts.append(f"# {number}: {k.name} -> {', '.join(k.shapes)}, {k.algorithm}\n{source}")
    return "\n\n".join(texts)


class Text(str):
    """Text that shows itself as it is, in a terminal and in a notebook."""

    def __repr__(self):
        return str(self)

    def _repr_html_(self):
        return f"<pre>{escape(self)}</pre>"


class Explanation(Displayed, Text):
    """The compiler's story of one function: its text, which a notebook shows as pages to leaf through.

    Attributes
    ----------
    function : Function
    """

    function: Any

    def __new__(cls, text: str, function):
        made = super().__new__(cls, text)
        made.function = function
        return made


def explain(f) -> Explanation:
    """The story, stage by stage."""
    lines, before = [f"{f!r}"], ""
    for name, stage in f.stages.items():
        count = f" ({stage.nodes} nodes)" if stage.nodes is not None else ""
        rewrites = f", {len(stage.applications)} rewrites" if stage.applications else ""
        lines += ["", f"== {name}{count}{rewrites}"]
        lines += [f"  {a}" for a in stage.applications]
        lines.append("unchanged" if stage.text == before else stage.text)
        before = stage.text
    return Explanation("\n".join(lines), f)
