"""Which layer an expression belongs to: every Variable that a module makes carries the module's path in its origin."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from symcnn.ir.variable import in_scope


@dataclass(frozen=True)
class _Around:
    """The module whose `forward` runs: its path, and the names of its parts."""

    path: str
    names: dict[int, str]


_around: ContextVar[_Around | None] = ContextVar("the module around", default=None)


@contextmanager
def layer_scope(module: Any):
    """What is built inside belongs to `module`; the outermost one, the network, has the path ``""``.

    A module that is no part of the one around it, such as one made on the spot, is counted as a piece of that one.
    """
    around = _around.get()
    name = around.names.get(id(module), "") if around else ""
    path = ".".join(filter(None, (around.path if around else "", name)))
    token = _around.set(_Around(path, {id(part): name for name, part in module.parts().items()}))
    try:
        with in_scope(path):
            yield
    finally:
        _around.reset(token)
