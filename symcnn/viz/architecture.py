"""The architecture of a network: a drawing of what its layers put out, and the table of what they cost."""

from __future__ import annotations

from dataclasses import replace

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords
from symcnn.nn import Module
from symcnn.nn.summary import TEXTS
from symcnn.viz.boxes import INPUT, Box, boxes
from symcnn.viz.figure import Figure, Live
from symcnn.viz.palette import live_style, still_style
from symcnn.viz.slabs import STYLE, strip


@checked_keywords
def architecture(model: Module, in_shape=None, depth: int | None = None) -> Figure:
    """Draw a network as the papers do, beside the table of its shapes, parameters, arithmetic and memory.

    Every slab is what a layer puts out: its face follows the size of the map, its thickness the channels (log scaled), a
    bar is a vector. A block, such as an inception module, is one slab; in the live view a click or Enter opens it,
    and drawing and table mark the same layer. Equal blocks in a row are one, "x n". The numbers are those of
    `Module.summary`.

    Parameters
    ----------
    model : symcnn.nn.Module
    in_shape : tuple of int, optional
        Shape of one example, for networks that take any; by default the module's own `in_shape`.
    depth : int, optional
        Levels to open at first: with 1, everything that has layers inside is one slab. By default chains are open and
        blocks are closed.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If `model` is no module, a size of its examples is unknown, or `depth` no positive integer.
    PackageError
        Without fast-sugiyama, which places the slabs.

    Examples
    --------
    >>> import symcnn as sc
    >>> architecture(sc.models.mlp([784, 128, 10]))
    layer   kind                output    parameters   FLOPs  forward  backward
    ---------------------------------------------------------------------------
    dense1  Dense(784, 128)     (n, 128)     100,480   201 k    512 B    402 kB
    act1    Activation('relu')  (n, 128)           0     128    512 B     512 B
    dense2  Dense(128, 10)      (n, 10)        1,290  2.57 k     40 B   5.20 kB
    ---------------------------------------------------------------------------
    total                                    101,770   204 k  1.06 kB    408 kB
    FLOPs: 1 example, forward, a multiply-add is 2. Memory: 1 example, outputs and gradients.
    """
    given = _checked(model, in_shape, depth)
    summary, top = boxes(model, given, depth)
    name = type(model).__name__
    count = len(summary.rows)
    layers = "1 layer" if count == 1 else f"{count} layers"
    title = f"{'Network' if name == 'Sequential' else name} of {layers} with {summary.parameters:,} parameters"
    shown = replace(summary, rows=tuple(row for box in top for row in box.rows))
    table = _Table(summary)
    still = table.drawn(top, given).svg(title)
    head, tail = still.split(">", 1)
    header, *_, total = summary.cells()
    data = {"header": header, "numbers": TEXTS, "rows": table.rows, "total": total, "notes": summary.notes()}
    data |= {"strips": table.strips, "style": live_style(STYLE)}
    svg = f"{head}><style>{still_style(STYLE)}</style>{tail}"
    return Figure(title, svg, str(shown), Live("architecture", data, ("architecture",)))


class _Table:
    """Collects a row for each box, and the strip inside each block, while they are drawn."""

    def __init__(self, summary):
        self.summary = summary
        self.rows: list[dict] = []
        self.strips: dict[str, str] = {}

    def drawn(self, found: tuple[Box, ...], given, owner: Box | None = None, key="", level=0):
        """The strip of these boxes; those inside them are collected along."""
        keys = {}
        for box in found:
            keys[box] = f"{key}{len(keys)}"
            cells = replace(self.summary, rows=box.rows).cells()[1]  # after the header
            self.rows.append(
                {"key": keys[box], "level": level, "cells": cells, "opens": bool(box.inside), "name": box.name}
            )
            if box.inside:
                read = given if box.reads[0] == INPUT else found[box.reads[0]].shape
                inside = self.drawn(box.inside, read, box, f"{keys[box]}.", level + 1)
                self.strips[keys[box]] = inside.svg(f"Inside {box.name}")
        return strip(found, given, keys.__getitem__, "" if owner is None else owner.name)


def _checked(model, in_shape, depth) -> tuple[int, ...]:
    """The shape of an example, if all arguments are usable."""
    if not isinstance(model, Module):
        raise InputError(
            "architecture draws a network", expected="a Module", found=type(model).__name__,
            hint="viz.draw draws an expression",
        )  # fmt: skip
    if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 1):
        raise InputError("architecture: depth is a whole number, at least 1", found=repr(depth))
    shape = in_shape if in_shape is not None else model.in_shape
    if shape is None or (isinstance(shape, (tuple, list)) and None in shape):
        raise InputError(
            "architecture: the size of an example is not known", expected="all sizes", found=shape,
            hint="architecture(model, in_shape=(3, 224, 224))",
        )  # fmt: skip
    sizes = shape if isinstance(shape, (tuple, list)) else ()
    known = tuple(n for n in sizes if isinstance(n, int) and not isinstance(n, bool) and n > 0)
    if not isinstance(shape, (tuple, list)) or len(known) < len(sizes):
        raise InputError(
            "architecture: in_shape is the shape of one example", found=repr(shape), hint="in_shape=(3, 224, 224)"
        )
    return known
