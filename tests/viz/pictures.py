"""Reads what a picture of `symcnn.viz.cells` shows: for tests, independent of how it was drawn."""

import re
from xml.etree import ElementTree

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"


def shown(svg: str, name: str, mark: str = "") -> np.ndarray:
    """The numbers of the grid `name`, row by row, NaN where a cell is empty; with `mark`: which cells have that class."""
    root = ElementTree.fromstring(svg)
    (grid,) = (g for g in root.iter() if g.get("data-name") == name)
    cells = {}
    for cell in grid:
        x, y = map(float, re.findall(r"[-\d.]+", cell.get("transform")))
        text = cell[-1].text
        value = float(text.replace("−", "-").replace("∞", "inf")) if text else np.nan
        cells[y, x] = mark in cell.get("class").split() if mark else value
    rows = sorted({y for y, _ in cells})
    return np.array([[cells[at] for at in sorted(cells) if at[0] == y] for y in rows])


def lines(svg: str) -> list[str]:
    """All text outside of cells, in the order in which it was written."""
    root = ElementTree.fromstring(svg)
    return [
        text.text for text in root.iter() if text.tag.endswith("text") and text.get("class") is not None and text.text
    ]
