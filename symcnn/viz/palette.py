"""The colours of every view, for light and for dark surroundings, and style sheets that use them."""

from __future__ import annotations

import re

# name -> (light, dark). Text on `paper` or `card` has a contrast of at least 4.5 in all of the first eight.
COLOURS = {
    "ink": ("#1d2433", "#e6e9f0"),
    "soft": ("#566072", "#a3acbd"),
    "value": ("#0b6b38", "#5fd38d"),
    "gradient": ("#b3261e", "#ff9a94"),
    "c0": ("#2457c5", "#7aa5ff"),
    "c1": ("#a8440a", "#ffa25c"),
    "c2": ("#0e6f6f", "#57cfcf"),
    "c3": ("#7b3fb5", "#c9a0f5"),
    "paper": ("#fbfbf9", "#14171d"),
    "card": ("#ffffff", "#1c2028"),
    "tint": ("#edf2fc", "#232d45"),
    "group": ("#f4f2ec", "#23252b"),
    "rule": ("#d3d8e0", "#3b4352"),
    "added": ("#d9f2df", "#17402a"),
    "removed": ("#fbdedb", "#52221f"),
}

_USE = re.compile(r"var\(--([a-z0-9]+)\)")


def still_style(css: str) -> str:
    """`css`, written with ``var(--name)``, for a picture that stands alone.

    Viewers that are no browsers know neither variables nor ``light-dark``, so the colours are written out: the light ones,
    and once more the dark ones for surroundings that prefer those.

    Examples
    --------
    >>> still_style("text { fill: var(--ink) }")
    'text { fill: #1d2433 }@media (prefers-color-scheme: dark) {text { fill: #e6e9f0 }}'
    """
    light, dark = (_USE.sub(lambda use, k=k: COLOURS[use[1]][k], css) for k in (0, 1))
    return f"{light}@media (prefers-color-scheme: dark) {{{dark}}}"


def live_style(css: str, root: str = ":host") -> str:
    """`css` for a page or a part of one: the variables are defined at `root`, and follow its ``color-scheme``."""
    variables = " ".join(f"--{name}: light-dark({light}, {dark});" for name, (light, dark) in COLOURS.items())
    return f"{root} {{ color-scheme: light dark; {variables} }}\n{css}"
