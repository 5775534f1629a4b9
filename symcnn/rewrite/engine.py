"""The engine: a worklist over the graph, from the leaves up; every application is recorded so that it can be replayed.

Each Variable is rebuilt from its simplified inputs, then offered to the rules of its op until none applies. What a rule
makes is put on the worklist in turn. Interned nodes make it linear: a sub-expression is simplified once, however often
it is used. A budget bounds the total, and a rule that leads back to an expression in progress is not applied.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from symcnn.ir.graph import rebuild, toposort
from symcnn.ir.printer import formula
from symcnn.ir.variable import Origin, Variable, made_by
from symcnn.rewrite.pattern import Pattern, match

STEPS_PER_NODE = 30  # a few suffice; more means rules that feed each other


@dataclass(frozen=True)
class Rule:
    """A named rewrite: where `op` occurs, `apply(variable, opaque)` returns a replacement or ``None``.

    `pattern` is its left side, if it was written as one.
    """

    name: str
    op: str
    apply: Callable[[Variable, frozenset], Variable | None]
    source: Origin
    pattern: Pattern | None = None

    def __repr__(self):
        return f"<rule {self}>"

    def __str__(self):
        return f"{self.name} ({Path(self.source.file).name}:{self.source.line})"


@dataclass(frozen=True, eq=False)
class Application:
    """One use of a rule: `before` was replaced by `after`."""

    rule: Rule
    before: Variable
    after: Variable

    def __repr__(self):
        return f"<{self}>"

    def __str__(self):
        return f"{self.rule}: {formula(self.before)} -> {formula(self.after)}"


@dataclass
class Rules:
    """A set of rules, found by the op at the root of what they match."""

    by_op: dict[str, list[Rule]] = field(default_factory=dict)

    def __call__(
        self, name: str, pattern: Pattern, build: Callable[..., Variable], when: Callable[..., bool] | None = None
    ):
        """Add ``pattern -> build(**wildcards)``, if ``when(**wildcards)``.

        Every wildcard, but for one called `condition`, must have the dtype of what is replaced: between dtypes numbers
        are rounded and wrap around in ways that algebra does not know.
        """

        def apply(variable, opaque):
            found = match(pattern, variable, opaque)
            if found is None or any(v.dtype != variable.dtype for name, v in found.items() if name != "condition"):
                return None
            return build(**found) if when is None or when(**found) else None

        self._add(Rule(name, pattern.op, apply, _caller(), pattern))

    def on(self, *ops: str, name: str | None = None):
        """Decorator: a rule written as a function of the Variable, for the named ops ("*": all); if it has a second
        parameter it is given `opaque`, the Variables that it must not look into."""

        def register(function):
            careful = function.__code__.co_argcount == 2
            apply = function if careful else lambda v, opaque: function(v)
            for op in ops:
                self._add(Rule(name or function.__name__.replace("_", " "), op, apply, _place(function)))
            return function

        return register

    def _add(self, rule):
        self.by_op.setdefault(rule.op, []).append(rule)

    def __iter__(self):
        return (rule for rules in self.by_op.values() for rule in rules)

    def of(self, op: str) -> list[Rule]:
        return [*self.by_op.get(op, ()), *self.by_op.get("*", ())]


def rewrite(
    outputs: Iterable[Variable], rules: Rules, opaque: frozenset = frozenset(), maker: str = ""
) -> tuple[list[Variable], list[Application]]:
    """`outputs` simplified by `rules`, and the applications in order.

    Parameters
    ----------
    opaque : frozenset of Variables
        Left alone, and not looked into by patterns.
    maker : str
        Recorded as the origin of what rules make; empty keeps each replaced Variable's.
    """
    outputs = list(outputs)
    done: dict[Variable, Variable] = {}
    forward: dict[Variable, Variable] = {}
    applications: list[Application] = []
    stack = list(reversed(outputs))
    budget = STEPS_PER_NODE * (len(toposort(outputs)) + 10)
    while stack:
        v = stack[-1]
        if v in done:
            stack.pop()
        elif v in forward:
            if forward[v] in done:
                done[v] = done[forward[v]]
                stack.pop()
            else:
                stack.append(forward[v])
        elif v.op is None or v in opaque:
            done[v] = v
        else:
            for x in v.inputs:
                if _in_progress(x, forward, done):
                    done[x] = x  # its replacement came back to it: a circle, so it stays as it is
            waiting = [x for x in v.inputs if x not in done]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            after = rebuild(v, tuple(done[x] for x in v.inputs))
            rule = None
            if after is v and len(applications) < budget:
                rule, after = _first(v, rules, opaque, (forward, done), maker)
            if after is v or _in_progress(after, forward, done):
                done[v] = after
            else:
                if rule is not None:
                    applications.append(Application(rule, v, after))
                forward[v] = after
                stack.append(after)
    return [done[v] for v in outputs], applications


def _first(v, rules, opaque, progress, maker):
    """The first rule that applies to `v`, with the replacement; ``(None, v)`` if none does."""
    with made_by(maker or v.origin.maker, v.origin):
        for rule in rules.of(v.op.name):
            after = rule.apply(v, opaque)
            if after is None or after is v or not v.type.accepts(after.type):
                continue
            if not _leads_back(v, after, *progress):
                return rule, after
    return None, v


def _in_progress(v, forward, done) -> bool:
    return v in forward and v not in done


def _leads_back(v, after, forward, done) -> bool:
    """Whether what was made for `v` contains `v`, or an expression whose replacement is still being worked on."""
    stack, seen = [after], set()
    while stack:
        made = stack.pop()
        if made is v or _in_progress(made, forward, done):
            return True
        if made not in done and made not in seen:
            seen.add(made)
            stack.extend(made.inputs)
    return False


def _caller() -> Origin:
    frame = sys._getframe(2)
    return Origin(frame.f_code.co_filename, frame.f_lineno)


def _place(function) -> Origin:
    return Origin(function.__code__.co_filename, function.__code__.co_firstlineno)
