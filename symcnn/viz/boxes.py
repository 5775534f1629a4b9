"""What the drawing of a network consists of: a box for each layer and for each closed block, and who reads whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import symcnn as sc
from symcnn.ir.variable import Input, Variable
from symcnn.nn import Module, Sequential
from symcnn.nn.ownership import Application, applications
from symcnn.nn.summary import Row, Summary, kind_text
from symcnn.nn.trace import Trace

INPUT = -1  # in place of the number of a box: what the strip itself is given


@dataclass(frozen=True, eq=False)
class Box:
    """A layer, or a block, or equal blocks in a row.

    Attributes
    ----------
    rows : tuple of Row
        Of the network's table: one, or that of each of the equal blocks.
    module : Module
    kind : str
        ``"convolution"``, ``"dense"``, ``"pooling"``, ``"pointwise"``, ``"block"`` or ``"other"``.
    reads : tuple of int
        The numbers of the boxes of its strip that it reads, or `INPUT`.
    inside : tuple of Box
        The strip that a block opens to.
    """

    rows: tuple[Row, ...]
    module: Module
    kind: str
    reads: tuple[int, ...]
    inside: tuple[Box, ...] = ()

    @property
    def name(self) -> str:
        """Of the layer; of equal blocks, that of the first."""
        return self.rows[0].name or type(self.module).__name__

    @property
    def is_own(self) -> bool:
        """Whether it is what a block computes itself, beside the layers in it, such as the sum of a residual block."""
        return bool(self.module.parts()) and not self.inside

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Of the output, without the batch."""
        return self.rows[0].out_shape[1:]


@dataclass(frozen=True, eq=False)
class _Use:
    """One use of a module, with those inside it."""

    application: Application
    row: Row | None
    inner: tuple[_Use, ...] = field(default=())

    def all(self) -> Iterator[_Use]:
        yield self
        for use in self.inner:
            yield from use.all()

    def closed(self) -> Row:
        """All rows inside as one."""
        rows = [use.row for use in self.all() if use.row is not None]
        total = Summary(tuple(rows), 0)
        return Row(
            self.application.name, kind_text(self.application.module), self.application.outputs[0].shape,
            sum(row.parameters for row in rows), total.flops, total.forward_bytes, total.backward_bytes,
        )  # fmt: skip


def boxes(model: Module, in_shape: tuple[int, ...], depth: int | None = None) -> tuple[Summary, tuple[Box, ...]]:
    """The table of a network, and the boxes that it is drawn as.

    Parameters
    ----------
    model : Module
    in_shape : tuple of int
        Of one example.
    depth : int, optional
        Levels that are open; by default everything but blocks, which are modules that do more than apply one layer
        after the other.

    Raises
    ------
    InputError
        As `Module.summary`.
    """
    summary = model.summary(in_shape)
    rows = {row.name: row for row in summary.rows}
    with Trace() as trace:
        model(sc.input("x", (None, *in_shape), model.dtype))
    pending: list[_Use] = []
    for application in applications(model, trace):  # inner before outer
        inner = tuple(use for use in pending if _lies_in(use.application.path, application.path))
        pending = [use for use in pending if use not in inner]
        pending.append(_Use(application, rows.get(application.name), inner))
    return summary, _strip(pending[-1], depth)


def _lies_in(path: str, outer: str) -> bool:
    return not outer or path.startswith(f"{outer}.")


def _strip(owner: _Use, depth: int | None) -> tuple[Box, ...]:
    """The boxes that one use of a module opens to, each after those that it reads."""
    inside = {v for use in owner.all() for v in use.application.own}
    source: dict[Variable, int] = {}
    found: list[Box] = []
    for use, row, closed in _opened(owner, depth):
        outputs = use.application.outputs
        reads = _reads(outputs, source, inside)
        source.update(dict.fromkeys(outputs, len(found)))
        within = _strip(use, None if depth is None else 1) if closed else ()  # level by level
        shapes = {row.out_shape[1:]} | {found[k].shape for k in reads if k != INPUT}
        kind = "block" if closed else _kind(use.application, len(reads) == len(shapes) == 1 and reads != (INPUT,))
        found.append(Box((row,), use.application.module, kind, reads, within))
    return _joined(found)


def _opened(owner: _Use, depth: int | None) -> Iterator[tuple[_Use, Row, bool]]:
    """(use, its row, whether it stays closed) of all that is to be seen when `owner` is open."""
    for use in owner.inner:
        opens = type(use.application.module).forward is Sequential.forward if depth is None else depth > 1
        if use.inner and not opens:
            yield use, use.closed(), True
        else:
            yield from _opened(use, None if depth is None else depth - 1)
    if owner.row is not None:  # a layer; or what a block computes beside the layers in it
        yield owner, owner.row, False


def _reads(outputs, source: dict[Variable, int], inside: set[Variable]) -> tuple[int, ...]:
    """Which boxes stand behind these results: their numbers."""
    pending, seen, found = list(outputs), set(), set()
    while pending:
        v = pending.pop()
        if v in seen:
            continue
        seen.add(v)
        if v in source:
            found.add(source[v])
        elif v in inside and v.op is not None:
            pending += [x for k, x in enumerate(v.inputs) if k not in v.op.shape_only]
        elif v.op is not None or isinstance(v, Input):
            found.add(INPUT)
    return tuple(sorted(found))


def _kind(application: Application, keeps_shape: bool) -> str:
    """By the ops that the layer is made of, so that a layer of one's own has a kind, too."""
    ops = " ".join(v.op.name for v in application.own if v.op is not None)
    if "conv" in ops:
        return "convolution"
    if "matmul" in ops:
        return "dense"
    if "pool" in f"{ops} {type(application.module).__name__}".lower():
        return "pooling"
    return "pointwise" if keeps_shape else "other"


def _joined(found: list[Box]) -> tuple[Box, ...]:
    """Equal blocks of which each reads the one before, and nobody else does, become one box."""
    readers = [sum(k in box.reads for box in found) for k in range(len(found))]
    joined: list[Box] = []
    place: dict[int, int] = {INPUT: INPUT}  # number before -> number now
    for k, box in enumerate(found):
        if box.inside and box.reads == (k - 1,) and readers[k - 1] == 1 and _equal(joined[-1], box):
            joined[-1] = replace(joined[-1], rows=(*joined[-1].rows, *box.rows))
        else:
            joined.append(replace(box, reads=tuple(place[r] for r in box.reads)))
        place[k] = len(joined) - 1
    return tuple(joined)


def _equal(one: Box, other: Box) -> bool:
    return replace(one.rows[0], name="") == replace(other.rows[0], name="")
