"""From the source of a kernel to a function of Python."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from typing import Any


def function_of(source: str, file: str, names: Mapping[str, object], name: str = "kernel") -> Callable:
    """The function called `name` that `source` defines, in which `names` are known.

    Its lines are found under the name `file`, by tracebacks and by whoever tells calls apart by where they stand.
    """
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    namespace: dict[str, Any] = dict(names)
    exec(compile(source, file, "exec"), namespace)
    return namespace[name]
