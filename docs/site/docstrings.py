"""Docstrings for the site: formulas as Markdown writes them, and the docstrings of functions that a table makes."""

import inspect
import re
from importlib import import_module

from griffe import Docstring, Extension

_DISPLAY = re.compile(r"^( *)\.\. math::[ \t]*(.*(?:\n(?:\1[ ]+\S.*|[ \t]*))*)", re.MULTILINE)


class Docstrings(Extension):
    """Changes each docstring before it is parsed."""

    def on_attribute_instance(self, *, attr, **_):
        """``sum = _reduction("sum", ...)`` is a function, which only an import can see."""
        if attr.docstring is None and attr.parent.path == "symcnn.ops.reduce" and attr.name.islower():
            function = getattr(import_module(attr.parent.path), attr.name)
            text = f"`{attr.name}{inspect.signature(function)}`\n\n{inspect.getdoc(function)}"
            attr.docstring, attr.value = Docstring(text, parent=attr, parser="numpy"), None

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """``:math:`x``` and ``.. math:: x`` between dollars; no ``::`` before an indented block of code."""
    text = _DISPLAY.sub(lambda found: f"{found[1]}$${' '.join(found[2].split())}$$\n\n", text)
    text = re.sub(r":math:`([^`]+)`", lambda found: f"${' '.join(found[1].split())}$", text)
    return re.sub(r"^ *::$", "", text, flags=re.MULTILINE)
