"""Twins: the same layers with arrays of their own."""

from __future__ import annotations

import copy
from typing import TypeVar

import symcnn as sc
from symcnn.nn.module import Module
from symcnn.nn.state import State

M = TypeVar("M", bound=Module)


def twin(module: M) -> M:
    """A copy of `module` whose parameters and states have the same values and are its own: training one leaves the other.

    Examples
    --------
    >>> import numpy as np, symcnn as sc
    >>> layer = sc.nn.Dense(2, 2)
    >>> other = twin(layer)
    >>> other.weight.set_value(np.zeros((2, 2)))
    >>> bool(layer.weight.get_value().any())
    True
    """
    # deepcopy does the walking; what it must not copy, it is told beforehand.
    known: dict[int, object] = {}
    for _, _, _, value in module.owned_variables():
        fresh = State(value.get_value(), value.name or "") if isinstance(value, State) else _shared_like(value)
        known[id(value)] = fresh
    for part in module.modules().values():
        compiled = vars(part).get("_functions")
        if compiled is not None:
            known[id(compiled)] = {}
    return copy.deepcopy(module, known)


def _shared_like(value: sc.Shared) -> sc.Shared:
    return sc.shared(value.get_value(), name=value.name)
