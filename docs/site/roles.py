"""Docstrings for Markdown: reStructuredText's roles for formulas become formulas, and its marks of code are dropped."""

import re

from griffe import Extension

_DISPLAY = re.compile(r"^( *)\.\. math::[ \t]*(.*(?:\n(?:\1[ ]+\S.*|[ \t]*))*)", re.MULTILINE)


class Roles(Extension):
    """Changes each docstring before it is parsed."""

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """``:math:`x``` and ``.. math:: x`` between dollars; no ``::`` before an indented block of code."""
    text = _DISPLAY.sub(lambda found: f"{found[1]}$${' '.join(found[2].split())}$$\n\n", text)
    text = re.sub(r":math:`([^`]+)`", lambda found: f"${' '.join(found[1].split())}$", text)
    return re.sub(r"^ *::$", "", text, flags=re.MULTILINE)
