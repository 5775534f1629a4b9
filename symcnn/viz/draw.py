"""`draw`: a Variable, a function, a model or a training step as a picture."""

from __future__ import annotations

import linecache
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import symcnn as sc
from symcnn.errors import InputError
from symcnn.ir.graph import toposort
from symcnn.ir.printer import names_of, print_graph
from symcnn.ir.variable import Variable
from symcnn.keywords import checked_keywords
from symcnn.viz.dot import dot
from symcnn.viz.drawing import Drawing, drawing_of
from symcnn.viz.figure import Figure, Live
from symcnn.viz.labels import Labels, summary
from symcnn.viz.notation import written
from symcnn.viz.run import run
from symcnn.viz.steps import operand_names, steps
from symcnn.viz.svg import contents, svg

MOST_STEPS = 400  # of a stepper; a larger graph is drawn with its values, and not played
LONGEST_SOURCE = 2500  # characters of a kernel's source beside an op


@dataclass(frozen=True, eq=False, repr=False)
class GraphFigure(Figure):
    """A drawn graph; also saved as ``.dot``.

    Attributes
    ----------
    outputs : tuple of Variables
    """

    outputs: tuple[Variable, ...] = field(default=())

    @property
    def dot(self) -> str:
        """The graph in the language of Graphviz."""
        return dot(self.outputs)

    def _formats(self):
        return {**super()._formats(), ".dot": lambda: self.dot + "\n"}


@checked_keywords
def draw(
    what,
    values: Mapping | None = None,
    *,
    direction: str | None = None,
    collapse: bool | None = None,
    stage: str | None = None,
    title: str | None = None,
) -> GraphFigure:
    """Draw an expression graph.

    With `values` the graph is run: every value stands above its arrow in green, and every gradient of the output below, in
    red and with a "d" before it; one that was not computed says "no d". In a notebook and in a saved page the figure is
    live: arrow keys play it forward and backward, one op at a time, with ``local gradient x upstream = downstream``; a click
    on a box tells its formula, its numbers and its kernel; groups open and close.

    Parameters
    ----------
    what : Variable, sequence of Variables, Function, Module or Step
        Of a Function its graph after all rewrites (with `values`, as it was written); of a Module what it computes in
        evaluation; of a Step the whole training step, once it is built.
    values : mapping, optional
        Input, or its name -> array. Gradients are those of the one scalar among the outputs.
    direction : {"right", "down"}, optional
        Where arrows point; by default to the right in small graphs.
    collapse : bool, optional
        Whether each layer is one box that opens on click; by default of models and in large graphs. Equal layers in a row
        are one box.
    stage : str, optional
        Of a Function: the stage to draw, such as ``"expression"`` or ``"canonicalize"``.
    title : str, optional

    Returns
    -------
    GraphFigure
        Shown by a notebook; ``.save("x.svg")``, ``.html``, ``.dot`` or ``.txt``; prints as text.

    Raises
    ------
    InputError
        If there is nothing to draw in `what`, or a value is missing.
    PackageError
        Without fast-sugiyama, which the extra ``viz`` brings.

    Examples
    --------
    >>> import symcnn as sc
    >>> x, y = sc.input("x", ()), sc.input("y", ())
    >>> print(sc.draw(x * y, values={"x": 2, "y": 3}))
    x = input : float32[]  # 2.00, d 3.00
    y = input : float32[]  # 3.00, d 2.00
    %2 = multiply(x, y) : float32[]  # 6.00, d 1.00
    return %2
    """
    if direction not in (None, "right", "down"):
        raise InputError(f"draw: direction={direction!r}", expected="'right' or 'down'")
    outputs, name = _graph_of(what, stage, values is not None)
    kernels = _kernels_of(what) if isinstance(what, sc.Function) else {}
    found = None if values is None else run(outputs, values)
    labels = None if found is None else Labels(found, outputs)
    if collapse is None and isinstance(what, sc.nn.Module):
        collapse = True
    drawing = drawing_of(outputs, direction, collapse, **({} if labels is None else labels.spacing()))
    title = title or f"graph of {name}"
    names = names_of(outputs)
    data = {
        "levels": _levels(drawing, labels),
        "details": _details(toposort(outputs), names, found, kernels),
        "sources": list(dict.fromkeys(kernels.values())),
        "steps": steps(found, names) if found is not None and len(found.values) <= MOST_STEPS else [],
    }
    live = Live("graphView", data, ("player", "graph"))
    return GraphFigure(title, svg(title, drawing, labels), _text(outputs, names, found), live, tuple(outputs))


def _graph_of(what, stage: str | None, run_it: bool) -> tuple[list[Variable], str]:
    """The Variables to draw, and a name for the title."""
    if isinstance(what, Variable):
        return [what], what.name or (what.op.name if what.op else "a constant")
    if isinstance(what, sc.Function):
        stages = what.stages
        stage = stage or ("expression" if run_it else list(what.node_counts)[-1])
        if stage not in what.node_counts:
            raise InputError(f"draw: no graph {stage!r}", expected=", ".join(what.node_counts))
        return list(stages[stage].outputs), f"{what.name}, {stage}"
    if isinstance(what, sc.nn.Module):
        if what.in_shape is None:
            raise InputError(
                "draw: the shape of an example is unknown", found=type(what).__name__,
                hint='apply it: sc.draw(model(sc.input("x", (None, 1, 28, 28))))',
            )  # fmt: skip
        output = what(sc.input("x", (None, *what.in_shape), what.dtype))
        return list(output) if isinstance(output, Sequence) else [output], type(what).__name__
    if isinstance(what, sc.train.Step):
        if what.function is None:
            raise InputError("draw: the step is not built yet", hint="step.compile(images, labels), or a first call")
        return _graph_of(what.function, stage, run_it)
    if isinstance(what, Sequence) and what and all(isinstance(v, Variable) for v in what):
        return list(what), f"{len(what)} expressions"
    raise InputError(
        "draw: there is no graph in this", found=repr(what)[:80], expected="a Variable, a Function, a Module or a Step"
    )


def _kernels_of(function) -> dict[Variable, str]:
    """Variable of the last stage -> source of the kernel that computes it."""
    return {
        v: info.source if len(info.source) < LONGEST_SOURCE else f"{info.source[:LONGEST_SOURCE]}\n..."
        for step, info in zip(function.program.steps, function.kernels, strict=True)
        for v in step.computes
    }


def _levels(drawing: Drawing, labels: Labels | None) -> dict[str, dict[str, Any]]:
    """Key of a group -> the inside of it, to be put into the picture when it opens."""
    found = {}
    stack = [drawing]
    while stack:
        for node in stack.pop().nodes:
            if node.inside is not None:
                stack.append(node.inside)
                found[node.box.key] = {
                    "svg": contents(node.inside, labels), "width": node.inside.width, "height": node.inside.height,
                }  # fmt: skip
    return found


def _details(order, names, found, kernels) -> dict[str, dict[str, Any]]:
    """Key of a box -> what the panel says about it when it is chosen."""
    sources = {source: k for k, source in enumerate(dict.fromkeys(kernels.values()))}
    details = {}
    for v in order:
        if v.op is None and v.name is None:
            continue
        said = {"name": v.name or "", "label": v.op.label() if v.op else "", "type": str(v.type), "line": _line(v)}
        if v.op is not None:
            said["formula"] = written(v, operand_names(v), depth=1)
        if found is not None and v in found.values:
            said["value"] = summary(found.values[v])
            gradient = found.gradients.get(v)
            said["gradient"] = "none: no gradient flows here" if gradient is None else summary(gradient)
        if v in kernels:
            said["kernel"] = sources[kernels[v]]
        details[names[v]] = {key: text for key, text in said.items() if text != ""}
    return details


def _line(v: Variable) -> str:
    """The user's line that built it, as text; where it stands, if the text is not to be had."""
    text = linecache.getline(v.origin.file, v.origin.line).strip()
    maker = f" (in {v.origin.maker})" if v.origin.maker else ""
    return f"{text or f'{Path(v.origin.file).name}:{v.origin.line}'}{maker}"


def _text(outputs, names, found) -> str:
    """The graph as text, with values and gradients beside the lines."""
    text = print_graph(outputs)
    if found is None:
        return text
    notes = {f"{names[v]} =": _numbers(v, found) for v in found.values}
    lines = text.split("\n")
    return "\n".join(f"{line}{notes.get(line[: line.find('=') + 1], '')}" for line in lines)


def _numbers(v, found) -> str:
    gradient = found.gradients.get(v)
    d = f", d {summary(gradient)}" if gradient is not None else ", no d" if found.pulls else ""
    return f"  # {summary(found.values[v])}{d}"
