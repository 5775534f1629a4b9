"""A trace: what the modules did while an expression was built. Summaries and training steps are made of it."""

from __future__ import annotations

from collections.abc import Callable
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
    updates : dict
        ``{State: its next value}``, as the layers asked for with `record_update`.

    Examples
    --------
    >>> import symcnn as sc
    >>> model = sc.models.mlp([3, 2])
    >>> with Trace() as trace:
    ...     y = model(sc.input("x", (None, 3)), training=True)
    >>> [module for module, output in trace.outputs][0]
    Dense(3, 2)
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


def record_update(state, next_value: Callable) -> None:
    """Tell every open trace what `state` becomes when the step is done.

    Parameters
    ----------
    state : State
    next_value : callable
        From the value before, as an expression, to the value after. A layer that is applied twice in one step updates
        its state twice: the second time from what the first left.
    """
    for trace in _open.get():
        trace.updates[state] = next_value(trace.updates.get(state, state))
