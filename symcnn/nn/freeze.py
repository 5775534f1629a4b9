"""Freezing: which arrays of a network training leaves as they are, chosen by patterns of their paths."""

from __future__ import annotations

from fnmatch import fnmatchcase

from symcnn.errors import InputError
from symcnn.keywords import nearest

_changes = 0


def changes() -> int:
    """How often anything was frozen or released in this process: a compiled step looks whether it still fits."""
    return _changes


def set_frozen(module, patterns, frozen: bool) -> None:
    """Freeze or release what lies in `module` below the paths that match `patterns`; without a pattern, everything.

    Raises
    ------
    InputError
        If a pattern matches nothing, or is none.
    """
    global _changes
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise InputError(
                "a pattern of paths is a text", expected="such as 'conv*'", found=repr(pattern),
                hint="several patterns are several arguments: freeze('conv1', 'conv2')",
            )  # fmt: skip
    owned = list(module.owned_variables())
    chosen = [matching([path for path, *_ in owned], p) for p in patterns] if patterns else [{p for p, *_ in owned}]
    for path, owner, name, _ in owned:
        if any(path in paths for paths in chosen):
            owner.frozen = owner.frozen | {name} if frozen else owner.frozen - {name}
    _changes += 1


def frozen_paths(module) -> set[str]:
    """Paths of the arrays in `module` that are frozen, states included."""
    return {path for path, owner, name, _ in module.owned_variables() if name in owner.frozen}


def matching(paths, pattern: str) -> set[str]:
    """Those of `paths` that `pattern` names, wholly (``"*.bias"``) or by a module around them (``"conv1"``, ``"block*"``).

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> sorted(matching(["conv1.weight", "conv1.bias", "dense.bias"], "conv*"))
    ['conv1.bias', 'conv1.weight']
    """
    found = {path for path in paths if matches(path, pattern)}
    if not found:
        known = dict.fromkeys(around for path in paths for around in _and_around(path))
        raise InputError(f"no path matches {pattern!r}", hint=nearest(str(pattern), known))
    return found


def matches(path: str, pattern: str) -> bool:
    """Whether `pattern` names `path`, wholly or by a module around it."""
    return any(fnmatchcase(around, pattern) for around in _and_around(path))


def _and_around(path: str) -> list[str]:
    """``a.b.c`` gives ``a``, ``a.b`` and ``a.b.c``."""
    names = path.split(".")
    return [".".join(names[:count]) for count in range(1, len(names) + 1)]
