"""Run notebooks from a clean kernel and write them back: the same notebook is always the same text.

    python -m notebooks.run          every notebook
    python -m notebooks.run 05 13    those whose names begin so

Needs ``pip install -e '.[notebook]'``.
"""

import sys
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).resolve().parent
CELL_SECONDS = 120  # a cell that takes longer is taken for one that hangs

# What a reader's Jupyter needs to know; versions and everything else that differs between machines stay out.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebooks(*beginnings: str) -> list[Path]:
    """The notebooks of this folder, in order; those whose names begin with one of `beginnings`, if there are any."""
    return [path for path in sorted(FOLDER.glob("[0-9][0-9]_*.ipynb")) if path.name.startswith(beginnings or ("",))]


def read(path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def execute(notebook) -> nbformat.NotebookNode:
    """A copy of `notebook` with the outputs of a run in a new kernel; stops with an error at the first cell that fails."""
    fresh = nbformat.from_dict(notebook)
    client = NotebookClient(
        fresh,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # the kernel warns that it talks over TCP
    )
    client.execute()
    return fresh


def clean(notebook) -> nbformat.NotebookNode:
    """A copy of `notebook` without what differs from run to run: times, versions, random names of cells."""
    cells, seen = [], set()
    for cell in notebook.cells:
        source = cell.source.strip("\n")
        cell = {**cell, "id": _identity(cell.cell_type, source, seen), "source": source}
        cell["metadata"] = {"tags": tags} if (tags := cell["metadata"].get("tags")) else {}
        cells.append(cell)
    return nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def _identity(cell_type, source, seen) -> str:
    """A name that follows from what the cell says, so that editing one cell renames no other."""
    copy = 0
    while (name := sha256(f"{cell_type}{copy}{source}".encode()).hexdigest()[:12]) in seen:
        copy += 1
    seen.add(name)
    return name


def text(notebook) -> str:
    """The text of the file of `notebook`."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def main(beginnings) -> None:
    if not (found := notebooks(*beginnings)):
        sys.exit(f"no notebook's name begins with {' or '.join(beginnings)}")
    for path in found:
        start = perf_counter()
        try:
            ran = execute(read(path))
        except CellExecutionError as error:
            sys.exit(f"{path.name}: {error}")
        path.write_text(text(clean(ran)), encoding="utf-8")
        print(f"{path.name}: {perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
