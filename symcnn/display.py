"""How notebooks show things: by a view in `symcnn.viz` that is found by name when a notebook asks, so nothing imports viz."""

from __future__ import annotations

from contextlib import suppress
from html import escape
from importlib import import_module
from typing import Any

# Class -> the function of `symcnn.viz` that makes a figure of one of its objects.
VIEWS = {"Explanation": "explanation", "Profile": "times"}


class Displayed:
    """Base of what has a view: text in a terminal, and what the view makes of it in a notebook.

    Where the view cannot be made, because an optional package is missing or for any other reason, a notebook shows the
    text: what is displayed at the end of a cell must not fail.
    """

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        try:
            view = getattr(import_module("symcnn.viz"), VIEWS[type(self).__name__])
            return view(self)._repr_mimebundle_()
        except Exception:
            return {"text/plain": str(self), "text/html": f"<pre>{escape(str(self))}</pre>"}


def traceback(error: Any) -> list[str]:
    """What IPython prints for an error: its traceback; in a notebook, below a drawing of the graph up to what failed."""
    from IPython import get_ipython
    from IPython.display import display

    shell: Any = get_ipython()
    if type(shell).__name__ != "TerminalInteractiveShell" and not error.is_drawn:
        error.is_drawn = True  # IPython asks again, for its history
        with suppress(Exception):  # the error that is being told about matters more than its picture
            figure = import_module("symcnn.viz").failure(error)
            if figure is not None:
                display(figure)
    return shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
