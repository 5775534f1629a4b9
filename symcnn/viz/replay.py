"""The rewrites of a function one by one, each with the rule that did it and the place where that is written."""

from __future__ import annotations

import ast
import linecache
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import symcnn
from symcnn.viz.change import change
from symcnn.viz.notation import written

if TYPE_CHECKING:
    from symcnn.function import Function
    from symcnn.ir.variable import Origin
    from symcnn.rewrite.engine import Application

SOURCE_LINES = 16  # of a rule that are shown


def replay_of(f: Function, limit: int) -> dict:
    """The rewrites of `f` as data for `assets/replay.js`, at most `limit` of them in full.

    Returns
    -------
    dict
        ``total``: how many there are; ``rules``: phase, name, place, source of each rule and how often it was applied;
        ``steps``: of each rewrite that is told its number among all, the position of its rule, and both sides.
    """
    every = rewrites(f)
    counts = Counter(rule for rule, _ in every)
    position = {rule: k for k, rule in enumerate(counts)}
    rules = [[phase, name, place(origin), source(origin), n] for (phase, name, origin), n in counts.items()]
    steps = []
    for number in chosen([rule for rule, _ in every], limit):
        rule, application = every[number]
        found = change(application)
        before, after = found.drawings()
        steps.append(
            {
                "number": number,
                "rule": position[rule],
                "before": [written(found.before, {}), before],
                "after": [written(found.after, {}), after],
                "where": found.where(),
                "lines": found.lines(),
            }
        )
    return {"total": len(every), "rules": rules, "steps": steps}


def rewrites(f: Function) -> list[tuple[tuple[str, str, Origin], Application]]:
    """Every application with its rule: phase, name and origin."""
    return [((phase.name, a.rule.name, a.rule.source), a) for phase in f.phases for a in phase.applications]


def chosen(rules: list, limit: int) -> list[int]:
    """The numbers of at most `limit` rewrites, given the rule of each: every rule is there before any is there again.

    In a large network one rule may apply hundreds of times.

    Examples
    --------
    >>> chosen(["a", "a", "a", "b", "a", "b"], 3)
    [0, 1, 3]
    """
    seen: Counter = Counter()
    turns = []
    for number, rule in enumerate(rules):
        turns.append((seen[rule], number))
        seen[rule] += 1
    return sorted(number for _, number in sorted(turns)[:limit])


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
