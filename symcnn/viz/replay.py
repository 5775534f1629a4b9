"""The rewrites of a function one by one: what each took away, what it put there, and the rule that did it."""

from __future__ import annotations

import ast
import linecache
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING

import symcnn
from symcnn.ir.graph import substitute, toposort
from symcnn.ir.printer import names_of, print_graph
from symcnn.ir.variable import Constant, Input, Variable
from symcnn.viz.drawing import drawing_of
from symcnn.viz.notation import written
from symcnn.viz.svg import svg

if TYPE_CHECKING:
    from symcnn.function import Function
    from symcnn.ir.variable import Origin
    from symcnn.rewrite.engine import Application

NEAR = 6  # ops below its root within which a rule changes anything; none looks deeper
FAR = 14  # ops below the root of the other side within which a Variable counts as still there
MANY = 40  # changed Variables; what a rule changed besides is left out
SOURCE_LINES = 16


@dataclass(frozen=True, eq=False)
class Change:
    """What one application of a rule did, cut out of the graph.

    Attributes
    ----------
    before, after : Variable
        Small graphs. What both sides share and do not change is an Input in them, with a letter for its name.
    removed : frozenset of Variables
        Those of `before` that `after` does without.
    added : frozenset of Variables
        Those of `after` that `before` has not got.
    letters : dict
        Letter -> the Variable that it stands for.
    """

    before: Variable
    after: Variable
    removed: frozenset
    added: frozenset
    letters: dict[str, Variable]

    def where(self) -> list[str]:
        """What the letters are."""
        return [f"{letter} = {written(v, {}, depth=3)} : {v.type}" for letter, v in self.letters.items()]

    def lines(self) -> str:
        """Both graphs as one text: a line that goes starts with "-", one that comes with "+"."""
        both = [self.before, self.after]
        shown = [v for v in toposort(both) if not (isinstance(v, Constant) and v.ndim == 0)]
        signs = {**dict.fromkeys(self.removed, "-"), **dict.fromkeys(self.added, "+")}
        lines = zip(shown, print_graph(both).splitlines(), strict=False)  # without the last one, "return .."
        return "\n".join(f"{signs.get(v, ' ')} {line}" for v, line in lines if v.op is not None or v in signs)

    def drawings(self) -> tuple[str, str]:
        """Both graphs as SVG, without a style: what goes and what comes is marked."""
        return _drawn("before", self.before, self.removed, "removed"), _drawn("after", self.after, self.added, "added")


def _drawn(title: str, root: Variable, marked: frozenset, mark: str) -> str:
    names = names_of([root])
    marks = {}
    for v in marked & names.keys():
        marks[names[v]] = mark
        marks |= {
            f"{names[v]}:{k}": mark for k, x in enumerate(v.inputs) if x in marked
        }  # numbers are drawn at each use
    return svg(title, drawing_of([root], "down", collapse=False, room=26), marks=marks, style=False)


def change(application: Application) -> Change:
    """Compare the two sides of an application, near their roots.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (3,))
    >>> f = sc.function([x], sc.log(1 + sc.exp(x * x)), device="reference")
    >>> (application,) = f.stages["stabilize"].applications
    >>> found = change(application)
    >>> written(found.before, {}), written(found.after, {}), found.where()
    ('log(1 + exp(a))', 'softplus(a)', ['a = x * x : float32[3]'])
    >>> print(found.lines())
    - %2 = exp(a) : float32[3]
    - %3 = add(1, %2) : float32[3]
    - %4 = log(%3) : float32[3]
    + %5 = softplus(a) : float32[3]
    """
    before, after = application.before, application.after
    there, still_there = _ancestors(after, FAR), _ancestors(before, FAR)
    removed = [v for v in _ancestors(before, NEAR) if v not in there][:MANY]
    added = [v for v in _ancestors(after, NEAR) if v not in still_there][:MANY]
    roots = [before, after, *removed, *added]
    letters = _lettered(roots, {*removed, *added})
    leaves: dict[Variable, Variable] = {v: Input(letter, v.type) for letter, v in letters.items()}
    small = dict(zip(roots, substitute(roots, leaves), strict=True))
    return Change(
        small[before],
        small[after],
        frozenset(small[v] for v in removed),
        frozenset(small[v] for v in added),
        letters,
    )


def _ancestors(root: Variable, depth: int) -> dict[Variable, None]:
    """What lies up to `depth` ops below `root`, nearest first."""
    found, layer = {root: None}, [root]
    for _ in range(depth):
        layer = [x for x in dict.fromkeys(x for v in layer for x in v.inputs) if x not in found]
        found.update(dict.fromkeys(layer))
    return found


def _lettered(roots: list[Variable], changed: set[Variable]) -> dict[str, Variable]:
    """Letter -> what it stands for: unchanged, and read by what is changed, in the order of the formulas.

    What the others can say, such as exp(a) beside a, is said and needs no letter.
    """
    shared = [v for v in toposort(roots, lambda v: v.inputs if v in changed else ()) if v not in changed]
    known = {*shared, *(x for v in shared for x in v.inputs if isinstance(x, Constant) and x.ndim == 0)}
    unsaid = [v for v in shared if v.op is not None and not known.issuperset(v.inputs)]
    return dict(zip(_letters({v.name for v in shared}), unsaid, strict=False))


def _letters(taken):
    """a, b, .., z, a1, b1, .. without the names of leaves."""
    for number in count():
        for letter in ascii_lowercase:
            name = f"{letter}{number or ''}"
            if name not in taken:
                yield name


# ---- which of them, and their rules


def replay_of(f: Function, limit: int) -> dict:
    """The rewrites of `f` as data for `assets/replay.js`, at most `limit` of them in full.

    Returns
    -------
    dict
        ``total``: how many there are; ``rules``: phase, name, place and source of each rule and how often it was applied;
        ``steps``: of each that is told its number among all, the position of its rule, and both sides.
    """
    told, total = chosen(f, limit)
    rules: dict[tuple, list] = {}
    for phase, rule, where, number in counts(f):
        rules[phase, rule, where] = [phase, rule, where, "", number]
    position = {key: k for k, key in enumerate(rules)}
    steps = []
    for one in told:
        rule = one.application.rule
        key = (one.phase, rule.name, place(rule.source))
        rules[key][3] = source(rule.source)
        found = change(one.application)
        before, after = found.drawings()
        steps.append(
            {
                "number": one.number,
                "rule": position[key],
                "before": [written(found.before, {}), before],
                "after": [written(found.after, {}), after],
                "where": found.where(),
                "lines": found.lines(),
            }
        )
    return {"total": total, "rules": list(rules.values()), "steps": steps}


@dataclass(frozen=True, eq=False)
class Chosen:
    """An application that is told in full: the `number`-th of all, in `phase`."""

    number: int
    phase: str
    application: Application


def chosen(f: Function, limit: int) -> tuple[list[Chosen], int]:
    """At most `limit` of the rewrites of `f`, in order, and how many there are in all.

    Every rule is there before any rule is there more often: in a large network one rule may apply hundreds of times.
    """
    every = [(phase.name, a) for phase in f.phases for a in phase.applications]
    turn: Counter = Counter()
    ranked = []
    for number, (phase, a) in enumerate(every):
        ranked.append((turn[phase, a.rule.name], number, phase, a))
        turn[phase, a.rule.name] += 1
    first = sorted(ranked, key=lambda r: r[:2])[:limit]
    return [Chosen(number, phase, a) for _, number, phase, a in sorted(first, key=lambda r: r[1])], len(every)


def counts(f: Function) -> list[tuple[str, str, str, int]]:
    """Phase, rule, place and how often it was applied, for every rule that was."""
    found: Counter = Counter()
    for phase in f.phases:
        found.update((phase.name, a.rule.name, place(a.rule.source)) for a in phase.applications)
    return [(*key, number) for key, number in found.items()]


@cache
def place(origin: Origin) -> str:
    """File and line of a rule, the file as one finds it inside symcnn; nothing of where symcnn itself lies."""
    path, package = Path(origin.file), Path(symcnn.__file__).parent
    name = path.relative_to(package.parent) if path.is_relative_to(package) else path.name
    return f"{name}:{origin.line}"


@cache
def source(origin: Origin) -> str:
    """The statement that defines a rule, as it stands in its file; empty where that cannot be read."""
    lines = linecache.getlines(origin.file)
    statement = _statements(origin.file).get(origin.line)
    if statement is None:
        return "".join(lines[origin.line - 1 : origin.line]).rstrip()
    first, last = statement
    shown = lines[first - 1 : min(last, first + SOURCE_LINES - 1)]
    more = ["    ...\n"] if last - first + 1 > SOURCE_LINES else []
    return "".join(shown + more).rstrip()


@cache
def _statements(file: str) -> dict[int, tuple[int, int]]:
    """Line -> first and last line of the statement of the module that contains it."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return {}
    spans = [
        (min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]), node.end_lineno or node.lineno)
        for node in tree.body
    ]
    return {line: span for span in spans for line in range(span[0], span[1] + 1)}
