"""A trace: what the modules did while an expression was built. Summaries are made of it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

_open: ContextVar[tuple[Trace, ...]] = ContextVar("open traces", default=())


@dataclass
class Trace:
    """A context manager that collects every application of a module inside it.

    Attributes
    ----------
    outputs : list of (Module, Variable)
        Inner modules before outer ones.
    """

    outputs: list = field(default_factory=list)

    def __enter__(self):
        self._token = _open.set((*_open.get(), self))
        return self

    def __exit__(self, *exception):
        _open.reset(self._token)


def record_output(module, output) -> None:
    """Tell every open trace that `module` gave `output`."""
    for trace in _open.get():
        trace.outputs.append((module, output))
