"""What happens while modules are applied: which outputs they gave, which updates of state they ask for.

Applying a module builds an expression and nothing else. A layer whose state changes in training (running
statistics, a random stream) says so with `record_update`; whoever compiles the step opens a Trace and passes
``trace.updates`` on to ``sc.function``. Nothing changes silently.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

_open: ContextVar[tuple[Trace, ...]] = ContextVar("open traces", default=())


@dataclass
class Trace:
    """A context manager that collects what modules do inside it.

    Attributes
    ----------
    outputs : list of (Module, Variable)
        Every application, inner modules before outer ones.
    updates : dict
        ``{shared: new value}``, for ``sc.function(..., updates=)``.
    """

    outputs: list = field(default_factory=list)
    updates: dict = field(default_factory=dict)

    def __enter__(self):
        self._token = _open.set((*_open.get(), self))
        return self

    def __exit__(self, *exception):
        _open.reset(self._token)


def record_output(module, output) -> None:
    """Tell every open trace that `module` gave `output`."""
    for trace in _open.get():
        trace.outputs.append((module, output))


def record_update(shared, value) -> None:
    """Tell every open trace that a training step must set `shared` to `value`."""
    for trace in _open.get():
        trace.updates[shared] = value
