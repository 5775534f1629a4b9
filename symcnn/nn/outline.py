"""A network as text: on one line if it is short, else a line per part."""

from __future__ import annotations

WIDTH = 88


def outline(module) -> str:
    """The call that would make `module` of its parts; those named by their position are shown without a name."""
    name, parts = type(module).__name__, module.parts()
    shown = [
        repr(part) if key == str(position) else f"{key}={part!r}" for position, (key, part) in enumerate(parts.items())
    ]
    flat = f"{name}({', '.join(shown)})"
    if len(flat) <= WIDTH and "\n" not in flat:
        return flat
    body = ",\n".join(shown).replace("\n", "\n  ")
    return f"{name}(\n  {body},\n)"
