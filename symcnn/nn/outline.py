"""Layers and networks as text: the call that makes them."""

from __future__ import annotations

import inspect

WIDTH = 88


def outline(module) -> str:
    """The call that would make `module` of its parts, a line per part if it is long; names that are positions are left out."""
    name, parts = type(module).__name__, module.parts()
    shown = [
        repr(part) if key == str(position) else f"{key}={part!r}" for position, (key, part) in enumerate(parts.items())
    ]
    flat = f"{name}({', '.join(shown)})"
    if len(flat) <= WIDTH and "\n" not in flat:
        return flat
    body = ",\n".join(shown).replace("\n", "\n  ")
    return f"{name}(\n  {body},\n)"


def described(layer, *leading, **options) -> str:
    """The call that makes `layer`: its leading arguments, and the options that are not at their defaults."""
    known = inspect.signature(type(layer).__init__).parameters
    shown = [f"{k}={v!r}" for k, v in options.items() if k not in known or not _same(v, known[k].default)]
    return f"{type(layer).__name__}({', '.join([*map(str, leading), *shown])})"


def _same(value, default) -> bool:
    return type(value) is type(default) and value == default
