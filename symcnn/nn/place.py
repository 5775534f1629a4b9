"""Errors inside a network say which layer they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symcnn.nn.summary import shape_text


@dataclass(frozen=True)
class Place:
    """The layer that failed, as seen from a module around it.

    Attributes
    ----------
    module : Module
        Which has passed the error on last.
    path : str
        Of the failing layer, inside `module`.
    call : str
        What the failing layer was applied to.
    """

    module: Any
    path: str
    call: str

    def __str__(self):
        return f"{self.path}, {self.call}" if self.path else self.call


def note_place(error, module, x) -> None:
    """Note in `error`, which leaves the call of `module` on `x`, where in `module` it comes from."""
    if error.layer is None:
        error.layer = Place(module, "", f"{type(module).__name__} of {shape_text(x.shape)}")
        return
    inner = next((path for path, part in module.modules().items() if part is error.layer.module), "")
    error.layer = Place(module, ".".join(filter(None, (inner, error.layer.path))), error.layer.call)
