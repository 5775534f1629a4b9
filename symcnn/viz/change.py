"""What one rewrite did: both sides cut out of the graph, and what one has that the other has not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from string import ascii_lowercase
from typing import TYPE_CHECKING

from symcnn.ir.graph import substitute, toposort
from symcnn.ir.printer import names_of, print_graph
from symcnn.ir.variable import Constant, Input, Variable
from symcnn.viz.drawing import drawing_of
from symcnn.viz.notation import written
from symcnn.viz.svg import svg

if TYPE_CHECKING:
    from symcnn.rewrite.engine import Application

NEAR = 6  # ops below its root within which a rule changes anything; none looks deeper
FAR = 14  # ops below the root of the other side within which a Variable counts as still there
MANY = 40  # changed Variables; what a rule changed besides is left out


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
        # numbers are drawn at each use
        marks |= {f"{names[v]}:{k}": mark for k, x in enumerate(v.inputs) if x in marked}
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
    shared = _lettered(roots, {*removed, *added})
    letters = dict(zip(_letters({v.name for v in (*there, *still_there)}), shared, strict=False))
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


def _lettered(roots: list[Variable], changed: set[Variable]) -> list[Variable]:
    """What is read by what changes and is made of ops itself, in the order of the formulas.

    What the others can say, such as exp(a) beside a, is said and needs no letter.
    """
    shared = {v: None for v in toposort(roots, lambda v: v.inputs if v in changed else ()) if v not in changed}
    return [v for v in shared if v.op is not None and not _is_said(v, shared, NEAR)]


def _is_said(v: Variable, shared, depth: int) -> bool:
    """Whether `v` is made of `shared` and numbers alone, by a few ops. Calls itself at most `depth` times."""
    return v.op is not None and all(
        x in shared or (isinstance(x, Constant) and x.ndim == 0) or (depth > 1 and _is_said(x, shared, depth - 1))
        for x in v.inputs
    )


def _letters(taken):
    """a, b, .., z, a1, b1, .. without those that are `taken`."""
    for number in count():
        for letter in ascii_lowercase:
            name = f"{letter}{number or ''}"
            if name not in taken:
                yield name
