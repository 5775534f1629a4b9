"""Pages of the API name what users write, ``::: sc.conv2d``; mkdocstrings wants to know where it is defined."""

import re
from functools import reduce

import symcnn as sc
from symcnn.ir.op import public_builders


def expanded(markdown: str) -> str:
    """Every ``::: sc.name`` with the place of its definition, and with all its names as its heading."""
    return re.sub(r"^::: (sc\.[\w.]+)$", lambda found: _directive(found[1]), markdown, flags=re.MULTILINE)


def _directive(name: str) -> str:
    last = name.rpartition(".")[2]
    return f'::: {_place(name)}\n    options: {{ heading: "{", ".join(_names(name))}", toc_label: {last} }}\n'


def _place(name: str) -> str:
    value = reduce(getattr, name.split(".")[1:], sc)
    if hasattr(value, "__qualname__"):  # a function or a class, often in a module of the same name
        return f"{value.__module__}.{value.__qualname__}"
    return f"symcnn{name.removeprefix('sc')}"


def _names(name: str) -> list[str]:
    """`name`, and after it the others of the same function."""
    builders = public_builders()
    function = builders.get(name.removeprefix("sc."))
    others = [f"sc.{other}" for other, its in builders.items() if its is function] if function else []
    return [name, *sorted(set(others) - {name})]
