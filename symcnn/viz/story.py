"""The compiler's story: one page with a tab for each stage, from the expression to the measured time of its kernels."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections import Counter
from html import escape
from itertools import takewhile
from typing import TYPE_CHECKING

from symcnn.errors import InputError, ShapeError
from symcnn.function import Function
from symcnn.ir.graph import toposort
from symcnn.keywords import checked_keywords
from symcnn.nn.summary import bytes_text
from symcnn.profile import Profile
from symcnn.train.step import Step
from symcnn.viz.draw import draw
from symcnn.viz.figure import Figure, Live, asset
from symcnn.viz.kernels import kernels_of
from symcnn.viz.palette import still_style
from symcnn.viz.replay import place, replay_of, rewrites
from symcnn.viz.timeline import memory_of
from symcnn.viz.times import times_of

if TYPE_CHECKING:
    from symcnn.stages import Explanation, Stage

ABOUT = {
    "expression": "what you wrote: inputs, constants and ops",
    "autodiff": "with gradients and updates",
    "canonicalize": "one way to say each thing; constants folded",
    "stabilize": "forms that neither overflow nor cancel",
    "specialize": "the same values by cheaper ops",
    "layout": "images with their channels last",
    "nests": "loops, each with all the ops that fit into them",
    "plan": "an address for every buffer, before anything runs",
    "kernels": "a page of Python for each, compiled",
}
REPLAYED = 200  # rewrites that are told in full
ALL_DRAWN = 250  # nodes of a graph up to which every stage is drawn; of a larger one the first and the last
QUICK = 500  # nodes of a function whose story a notebook may wait for
WIDTH, TOP, ROW, BAR = 860, 64, 32, 190


@checked_keywords
def story(f: Function | Step, profile: Profile | None = None) -> Figure:
    """What the compiler made of a function, stage by stage.

    Parameters
    ----------
    f : Function or Step
        A training step once it is built.
    profile : Profile, optional
        What ``f.profile(...)`` measured; it gets a tab of its own.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If `f` is no compiled function, or `profile` none of `f`.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (3,))
    >>> print(story(sc.function([x], sc.log(1 + sc.exp(x)), device="reference")))
    function(x) on reference: 1 kernel, 1 rewrite, peak 24 B
        5 nodes  expression: what you wrote: inputs, constants and ops
        5 nodes  autodiff: unchanged
        5 nodes  canonicalize: unchanged
        2 nodes  stabilize: 1 rewrite
        2 nodes  specialize: unchanged
        2 nodes  layout: unchanged
    rewrites, rule by rule:
        1 x  log(1 + exp(x)) = softplus(x) (symcnn/rewrite/stabilize.py:28)
    print(f.explain()) tells every stage in full
    """
    f = _checked(f, profile)
    graphs = _graph_stages(f)
    content = {
        "graphs": _graphs(graphs),
        "replay": replay_of(f, REPLAYED),
        "memory": memory_of(f),
        **kernels_of(f),
        "times": times_of(profile) if profile else None,
    }
    stages = _stages(f, graphs)
    data = {
        "facts": _facts(f),
        "stages": stages,
        "rewrites": content["replay"]["total"],
        "times": profile is not None,
        "packed": _packed(content),
    }
    live = Live("story", data, ("player", "graph", "kernels", "replay", "timeline", "times", "story"))
    return Figure(_title(f), _still(f, stages), _text(f, stages), live)


def explanation(told: Explanation) -> Figure:
    """The story of an explained function; of a large one, which takes longer than a notebook should wait, the still picture.

    Parameters
    ----------
    told : Explanation
        What ``f.explain()`` gives.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (3,))
    >>> explanation(sc.function([x], x + 1, device="reference").explain()).title
    "The compiler's story of function(x)"
    """
    f = told.function
    if all(len(toposort(phase.outputs)) <= QUICK for phase in f.phases):
        return story(f)
    stages = _stages(f, _graph_stages(f))
    hint = "It is a large one: sc.viz.story(f) makes the page with all of it."
    return Figure(_title(f), _still(f, stages, hint), f"{_text(f, stages)}\n{hint}")


def _checked(f, profile) -> Function:
    if isinstance(f, Step):
        f = f.function
        if f is None:
            raise InputError(
                "story: the step is not built yet", hint="step.compile(images, labels), or a first call, builds it"
            )
    if not isinstance(f, Function):
        raise InputError(
            "story tells of a compiled function", expected="what sc.function gives", found=type(f).__name__,
            hint="an expression is drawn by sc.draw",
        )  # fmt: skip
    if profile is not None and not isinstance(profile, Profile):
        raise InputError(
            "story: profile is no profile", expected="what f.profile(...) gives", found=type(profile).__name__
        )
    if profile is not None and [k.name for k in profile.kernels] != [s.name for s in f.program.steps]:
        raise InputError(
            "story: this profile is of another function",
            expected=_plural(len(f.program.steps), "kernel"),
            found=_plural(len(profile.kernels), "other"),
        )
    return f


def _graph_stages(f: Function) -> dict[str, Stage]:
    return {name: f.stages[name] for name in takewhile(lambda name: name != "nests", f.stages)}


def _graphs(stages: dict[str, Stage]) -> dict[str, dict | None]:
    """Each graph as text and as a drawing; ``None`` for one that is as before. Of a large one not all are drawn."""
    texts = ["", *(stage.text for stage in stages.values())]
    changed = [name for name, text, before in zip(stages, texts[1:], texts, strict=False) if text != before]
    ends = (changed[0], changed[-1])
    return {
        name: {"text": stage.text, **_drawn(name, stage, name in ends)} if name in changed else None
        for name, stage in stages.items()
    }


def _drawn(name: str, stage: Stage, always: bool) -> dict:
    if not stage.outputs or (not always and (stage.nodes or 0) > ALL_DRAWN):
        return {}
    figure = draw(stage.outputs, title=name)
    return {"svg": figure.svg, "view": figure.live.data if figure.live else {}}


def _packed(content: dict) -> str:
    """Compressed: the page of a large network would be ten times as long, for its graphs and kernels repeat themselves."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return b64encode(zlib.compress(text.encode(), 9)).decode()


def _stages(f: Function, graphs) -> list[dict]:
    """Name, number of nodes, what happened and what for, of every stage."""
    found, before = [], ""
    for name, stage in graphs.items():
        changes = _plural(len(stage.applications), "rewrite")
        note = "unchanged" if stage.text == before else changes if stage.applications else ""
        found.append({"name": name, "nodes": stage.nodes, "note": note, "about": ABOUT[name]})
        before = stage.text
    steps = len(f.program.steps)
    sources = len({k.source for k in f.kernels})
    notes = {"nests": _plural(steps, "nest"), "plan": _peak(f), "kernels": _plural(sources, "source")}
    return [*found, *({"name": n, "nodes": None, "note": note, "about": ABOUT[n]} for n, note in notes.items())]


def _facts(f: Function) -> list[tuple[str, str]]:
    """The headline: what, and how much of it."""
    return [
        ("kernels", f"{len(f.program.steps):,}"),
        ("rewrites", f"{len(rewrites(f)):,}"),
        ("peak memory", _peak(f).partition(" until")[0]),
        ("to compile" if f.compile_seconds >= 0.005 else "to compile: cached", f"{f.compile_seconds:.2g} s"),
        ("device", f.device),
    ]


def _peak(f: Function) -> str:
    try:
        return bytes_text(f.memory_plan.peak_bytes)
    except ShapeError:
        return "unknown until the shapes are"


def _title(f: Function) -> str:
    return f"The compiler's story of {_signature(f)}"


def _signature(f: Function) -> str:
    names = [str(x.name) for x in f.inputs]
    return f"{f.name}({', '.join(names if len(names) <= 6 else [*names[:5], '..'])})"


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def _text(f: Function, stages: list[dict]) -> str:
    rules = Counter(rule for rule, _ in rewrites(f))
    total = _plural(rules.total(), "rewrite")
    lines = [f"{_signature(f)} on {f.device}: {_plural(len(f.program.steps), 'kernel')}, {total}, peak {_peak(f)}"]
    lines += [
        f"{s['nodes']:>5,} nodes  {s['name']}: {s['note'] or s['about']}" for s in stages if s["nodes"] is not None
    ]
    if rules:
        lines.append("rewrites, rule by rule:")
        lines += [f"{number:>5,} x  {name} ({place(origin)})" for (_, name, origin), number in rules.items()]
    return "\n".join([*lines, "print(f.explain()) tells every stage in full"])


def _still(f: Function, stages: list[dict], hint: str = "") -> str:
    """The pipeline as a chart: one row for each stage, and the facts above."""
    title = _title(f)
    height = TOP + ROW * len(stages) + (36 if hint else 10)
    largest = max(s["nodes"] or 1 for s in stages)
    parts = []
    for k, (label, value) in enumerate(_facts(f)):
        parts.append(f'<text class="fact" x="{k * WIDTH / 5:.0f}" y="22">{escape(value)}</text>')
        parts.append(f'<text class="soft" x="{k * WIDTH / 5:.0f}" y="42">{label}</text>')
    for k, s in enumerate(stages):
        y = TOP + ROW * k
        width = 0 if s["nodes"] is None else max(BAR * s["nodes"] / largest, 2)
        amount = s["note"] if s["nodes"] is None else f"{s['nodes']:,} nodes{', ' * bool(s['note'])}{s['note']}"
        parts.append(
            f'<text class="name" x="0" y="{y + 20}">{k + 1}. {s["name"]}</text>'
            f'<rect class="bar" x="130" y="{y + 5}" width="{width:.1f}" height="20" rx="4"/>'
            f'<text x="{138 + width:.1f}" y="{y + 20}">{escape(amount)}</text>'
            f'<text class="soft" x="{WIDTH}" y="{y + 20}" text-anchor="end">{escape(s["about"])}</text>'
        )
    parts.append(f'<text class="soft" x="0" y="{height - 10}">{escape(hint)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pipeline" role="img" aria-label="{escape(title)}" '
        f'viewBox="-16 -12 {WIDTH + 32} {height + 24}" width="{WIDTH + 32}"><title>{escape(title)}</title>'
        f"<style>{still_style(asset('pipeline.css'))}</style>"
        f'<rect class="ground" x="-16" y="-12" width="100%" height="100%"/>{"".join(parts)}</svg>'
    )
