"""Figure: what every view returns. A still picture everywhere, a live one where scripts run, text in a terminal."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from symcnn.errors import InputError
from symcnn.nn.weights import write_atomically
from symcnn.viz.palette import live_style


@dataclass(frozen=True, eq=False)
class Live:
    """What a script makes of a figure.

    Attributes
    ----------
    view : str
        Name of the JavaScript function ``view(root, data, svg)`` that fills the shadow root `root`; `svg` is the text of the
        still picture.
    data : dict
        Anything that JSON can say.
    assets : tuple of str
        Files of `symcnn/viz/assets`, without ending, that define the view: ``.js`` each, and ``.css`` where there is one.
    """

    view: str
    data: dict[str, Any] = field(repr=False)
    assets: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Figure:
    """A picture for notebooks, pages and terminals.

    A notebook shows the live view; where scripts are removed (GitHub, an untrusted notebook) the still picture stands in
    its place; a terminal prints the text.

    Attributes
    ----------
    title : str
        What it shows; its accessible name.
    svg : str
        The still picture: one ``<svg>`` element with everything inside, its style too.
    text : str
    live : Live or None

    Examples
    --------
    >>> figure = Figure("a dot", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><circle r="1"/></svg>', "o")
    >>> figure
    o
    >>> sorted(figure._repr_mimebundle_())
    ['text/html', 'text/plain']
    """

    title: str
    svg: str = field(repr=False)
    text: str
    live: Live | None = field(default=None, repr=False)

    def __str__(self):
        return self.text

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        picture = b64encode(self.svg.encode()).decode()
        image = f'<img alt="{escape(self.title)}" style="max-width: 100%" src="data:image/svg+xml;base64,{picture}">'
        return {"text/plain": self.text, "text/html": self._placed(image)}

    def inline(self) -> str:
        """HTML to be put into a page, with the still picture as an element of it."""
        return self._placed(self.svg)

    def html(self) -> str:
        """A page of its own that needs nothing else."""
        return page(self.title, f"<h1>{escape(self.title)}</h1>{self.inline()}")

    def save(self, path) -> None:
        """Write the figure, in the format that the name ends with: ``.svg``, ``.html`` or ``.txt``.

        Raises
        ------
        InputError
            For another ending.
        """
        formats = self._formats()
        suffix = Path(path).suffix.lower()
        if suffix not in formats:
            raise InputError(
                f"a figure cannot be saved as {path}", expected=", ".join(formats), found=suffix or "no ending"
            )
        write_atomically(path, formats[suffix]().encode())

    def _formats(self) -> dict:
        """Ending -> a function that makes the text of the file."""
        return {".svg": lambda: self.svg, ".html": self.html, ".txt": lambda: self.text + "\n"}

    def _placed(self, still: str) -> str:
        """`still`, and the script that puts the live view in its place."""
        if self.live is None:
            return f'<div class="symcnn">{still}</div>'
        live = self.live
        names = ("figure", *live.assets)
        data = _json([live.data, live_style("".join(asset(f"{name}.css") for name in names))])
        key = sha256(f"{live.view}{self.svg}{data}".encode()).hexdigest()[:16]
        functions = "\n".join(asset(f"{name}.js") for name in names)
        script = f'{functions}\nupgrade("{key}", {live.view}, ...{data});'
        return f'<div class="symcnn" data-figure="{key}">{still}</div><script>(() => {{\n{script}\n}})();</script>'


def page(title: str, body: str, style: str = "") -> str:
    """A whole HTML document, in the colours and type of every other one, that loads nothing from anywhere."""
    css = live_style(asset("page.css"), ":root")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{css}{style}</style></head><body><main>{body}</main></body></html>\n"
    )


@cache
def asset(name: str) -> str:
    """The text of a file of `symcnn/viz/assets`; empty for a style sheet that does not exist."""
    file = resources.files("symcnn.viz") / "assets" / name
    return "" if name.endswith(".css") and not file.is_file() else file.read_text(encoding="utf-8")


def _json(value) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
