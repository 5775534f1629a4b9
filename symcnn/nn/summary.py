"""The table of a network: what each layer puts out, its parameters, arithmetic and memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape
from itertools import groupby

import numpy as np

import symcnn as sc
from symcnn.errors import InputError
from symcnn.nn.cost import SEEN_OTHERWISE, Cost, Costs
from symcnn.nn.ownership import applications
from symcnn.nn.trace import Trace

HEADER = ("layer", "kind", "output", "parameters", "FLOPs", "forward", "backward")
TEXTS = 3  # the first columns, left-aligned; the others are numbers


@dataclass(frozen=True)
class Row:
    """One application of one layer.

    Attributes
    ----------
    name : str
        Its path; ``"conv (2)"`` for the second use of a layer.
    layer : str
    out_shape : tuple
        With ``None`` for the batch.
    parameters : int
        0 at the second use.
    flops, forward_bytes, backward_bytes : int or None
        As in `Summary`; ``None`` if they depend on sizes that are not known.
    """

    name: str
    layer: str
    out_shape: tuple[int | None, ...]
    parameters: int
    flops: int | None = None
    forward_bytes: int | None = None
    backward_bytes: int | None = None

    def cells(self) -> tuple[str, ...]:
        """As text, in the order of `HEADER`."""
        measures = count_text(self.flops), bytes_text(self.forward_bytes), bytes_text(self.backward_bytes)
        return (self.name, self.layer, shape_text(self.out_shape), f"{self.parameters:,}", *measures)


@dataclass(frozen=True)
class Summary:
    """The rows of a network, with its totals; prints as a table, and shows as one in a notebook. Equal blocks in a row are
    printed as one, "5 x", with the sums of their numbers.

    *FLOPs* are the arithmetic of the forward pass of one example, as in evaluation: a multiply-add is 2, any other
    operation on a number is 1, moving and converting data nothing.

    *Forward* memory is that of the outputs which the layers leave for the backward pass, for the whole batch; an output
    that is its input seen otherwise (flattened, or by dropout in evaluation) takes none. *Backward* memory is that of
    the gradients: of each output that rests on a trainable parameter, of the same size as the output, and of the trainable
    parameters themselves, once for the whole batch. Both are what a step would need that keeps everything; the compiler
    fuses layers and reuses memory, and `planned` says what it really takes.

    Attributes
    ----------
    rows : tuple of Row
        In the order of application. A module that computes something beside the modules inside it (the sum of a
        residual block) has a row for that.
    parameters : int
        Of the whole network; a layer applied twice counts once.
    trainable : int or None
        How many of them are not frozen.
    states : int
        Numbers that are remembered but not trained.
    batch : int
        Examples that the memory is for.
    planned : dict
        Peak bytes by the memory plan of the compiled functions, parameters included: ``"inference"`` and
        ``"training step"``; empty unless asked for.
    """

    rows: tuple[Row, ...]
    parameters: int
    trainable: int | None = None
    states: int = 0
    batch: int = 1
    planned: dict[str, int] = field(default_factory=dict)

    @property
    def flops(self) -> int | None:
        """Of all layers."""
        return _total(row.flops for row in self.rows)

    @property
    def forward_bytes(self) -> int | None:
        """Of all layers."""
        return _total(row.forward_bytes for row in self.rows)

    @property
    def backward_bytes(self) -> int | None:
        """Of all layers."""
        return _total(row.backward_bytes for row in self.rows)

    def cells(self) -> list[tuple[str, ...]]:
        """Header, rows and total, as text; equal rows that follow each other are one, with their sums."""
        groups = [list(group) for _, group in groupby(self.rows, key=lambda row: replace(row, name=""))]
        total = Row("total", "", (), self.parameters, self.flops, self.forward_bytes, self.backward_bytes).cells()
        return [HEADER, *(_merged(group).cells() for group in groups), (*total[:2], "", *total[3:])]

    def notes(self) -> list[str]:
        """What stands below the table."""
        examples = "1 example" if self.batch == 1 else f"{self.batch} examples"
        lines = [f"FLOPs: 1 example, forward, a multiply-add is 2. Memory: {examples}, outputs and gradients."]
        if self.trainable is not None and self.trainable < self.parameters:
            lines.append(f"{self.trainable:,} parameters are trainable, {self.parameters - self.trainable:,} frozen.")
        unused = self.parameters - sum(row.parameters for row in self.rows)
        if unused:
            lines.append(f"{unused:,} parameters belong to layers that evaluation leaves out.")
        if self.states:
            lines.append(f"{self.states:,} numbers are remembered but not trained.")
        if self.planned:
            peaks = ", ".join(f"{what} {bytes_text(peak)}" for what, peak in self.planned.items())
            lines.append(f"Planned by the compiler for {examples}, parameters included: {peaks}.")
        return lines

    def __str__(self):
        cells = self.cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [_aligned(row, widths) for row in cells]
        rule = "-" * len(lines[0])
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], *self.notes()])

    __repr__ = __str__

    def _repr_html_(self):
        header, *body, total = self.cells()
        rows = [_html_row(header, "th"), *(_html_row(row, "td") for row in body), _html_row(total, "th")]
        notes = "<br>".join(map(escape, self.notes()))
        return f"<table>{''.join(rows)}</table><p>{notes}</p>"


def summarize(module, in_shape, depth=None, batch=1, plan=False, device="cpu") -> Summary:
    """Apply `module` to a symbolic batch and list what its layers did; what lies deeper than `depth` is one row.

    Raises
    ------
    InputError
        If the shape of an example is unknown, or `batch` or `depth` is no such number.
    """
    if in_shape is None:
        raise InputError("summary: the shape of one example is unknown", hint="summary(in_shape=(1, 28, 28))")
    if not isinstance(in_shape, (tuple, list)):
        raise InputError(
            "summary: in_shape is the shape of one example", found=repr(in_shape), hint="in_shape=(1, 28, 28)"
        )
    _check("batch", batch, 1)
    _check("depth", 0 if depth is None else depth, 0)
    if plan and None in in_shape:
        raise InputError(
            "summary: to plan memory, all sizes must be known", found=in_shape, hint="summary(in_shape=(3, 224, 224))"
        )
    x = sc.input("x", (None, *in_shape), module.dtype)
    with Trace() as trace:
        module(x)
    found = applications(module, trace)
    trainable = module.trainable()
    costs = None if None in in_shape else Costs(found, x, in_shape, batch, trainable)
    table = _Table(module, costs, set(trainable), depth)
    rows = tuple(row for row in map(table.row, found) if row is not None)
    planned = planned_bytes(module, in_shape, batch, device) if plan else {}
    count = module.parameters().count
    return Summary(rows, count, trainable.count, module.states().count, batch, planned)


class _Table:
    """Makes rows, one application after the other; what lies deeper than `depth` is added to the module around it."""

    def __init__(self, module, costs, trainable, depth):
        self.paths, self.costs, self.trainable, self.depth = module.modules(), costs, trainable, depth
        self.inside = dict.fromkeys(self.paths, Cost())
        self.counted: set = set()  # parameters that a row has counted

    def row(self, application) -> Row | None:
        """The row of this application, if it has one."""
        path, level = application.path, self._level(application.path)
        closed = level == self.depth and not application.is_layer
        parameters = application.module.parameters() if closed else application.parameters
        cost = None if self.costs is None else self.costs.of(application)
        within, self.inside[path] = self.inside[path], Cost()
        if cost is not None and path:
            outer = self._outer(path)
            self.inside[outer] = self.inside[outer] + cost + within
        if self.depth is not None and level > self.depth:
            return None
        computes = any(v.op.pattern not in SEEN_OTHERWISE for v in application.own)
        if not (closed or application.is_layer or computes or parameters):
            return None
        fresh = [p for p in parameters if p not in self.counted]
        self.counted.update(fresh)
        return _row(application, closed, fresh, cost + within if closed and cost is not None else cost, self.trainable)

    def _level(self, path: str) -> int:
        """How many modules are around; the module itself has none, and names of lists and dicts count nothing."""
        return len(list(self._around(path)))

    def _around(self, path: str) -> Iterator[str]:
        while path:
            path = self._outer(path)
            yield path

    def _outer(self, path: str) -> str:
        """The path of the module around; names of lists and dicts lie between."""
        path = path.rpartition(".")[0]
        while path not in self.paths:
            path = path.rpartition(".")[0]
        return path


def _row(application, closed, parameters, cost, trainable) -> Row:
    module, count = application.module, sum(p.size for p in parameters)
    if application.is_layer or closed:
        kind = kind_text(module)
    else:
        ops = dict.fromkeys(v.op.name for v in application.own if v.op.pattern not in SEEN_OTHERWISE)
        kind = f"{type(module).__name__}: {', '.join(ops)}"
    shape = application.outputs[0].shape
    if cost is None:
        return Row(application.name, kind, shape, count)
    gradients = sum(p.type.nbytes for p in parameters if p in trainable)
    return Row(application.name, kind, shape, count, cost.flops, cost.output_bytes, cost.gradient_bytes + gradients)


def kind_text(module) -> str:
    """The call that makes a module, on one line; of one with many parts their number: ``Block of 8``."""
    kind = " ".join(repr(module).split())
    return f"{type(module).__name__} of {len(module.parts())}" if module.parts() and len(kind) > 48 else kind


def planned_bytes(module, in_shape, batch, device) -> dict[str, int]:
    """Peak bytes of compiled inference and of a compiled training step (SGD with momentum, cross-entropy) on such a batch."""
    from symcnn.train.step import compile_step

    x = sc.input("x", (batch, *in_shape), module.dtype)
    output = module(x)
    inference = sc.function([x], output, device=device)
    found = {"inference": inference.memory_plan.peak_bytes}
    if module.trainable():
        labels = np.zeros((batch, *output.shape[2:]), "int64")
        loss = sc.losses.with_auxiliary(sc.losses.cross_entropy)
        step = compile_step(module, loss, sc.optim.SGD(0.01, momentum=0.9), device)
        function = step.compile(np.zeros((batch, *in_shape), module.dtype), labels)
        found["training step"] = function.memory_plan.peak_bytes
    return found


def _check(name, value, low):
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise InputError(f"summary: {name} is an integer of at least {low}", found=repr(value))


def _merged(rows: list[Row]) -> Row:
    """One row for several that are equal but for their names."""
    first, last, count = rows[0], rows[-1], len(rows)
    if count == 1:
        return first
    sums = (_total(getattr(row, name) for row in rows) for name in ("flops", "forward_bytes", "backward_bytes"))
    parameters = sum(row.parameters for row in rows)
    return Row(f"{first.name} .. {last.name}", f"{count} x {first.layer}", first.out_shape, parameters, *sums)


def _aligned(row, widths) -> str:
    texts = [text.ljust(w) for text, w in zip(row[:TEXTS], widths[:TEXTS], strict=True)]
    return "  ".join([*texts, *(text.rjust(w) for text, w in zip(row[TEXTS:], widths[TEXTS:], strict=True))]).rstrip()


def _html_row(row, tag) -> str:
    right = ' style="text-align: right"'
    cells = [f"<{tag}{right if k >= TEXTS else ''}>{escape(text)}</{tag}>" for k, text in enumerate(row)]
    return f"<tr>{''.join(cells)}</tr>"


def _total(values) -> int | None:
    values = list(values)
    return None if None in values else sum(values)


def shape_text(shape) -> str:
    """A shape with its batch axis called n: ``(n, 20, 24, 24)``."""
    return "(" + ", ".join(str(d) if d is not None else "n" if i == 0 else "?" for i, d in enumerate(shape)) + ")"


def count_text(value: int | None) -> str:
    """A number with three digits: ``4.62 M``."""
    return _scaled(value, ("", "k", "M", "G", "T"))


def bytes_text(value: int | None) -> str:
    """Bytes with three digits: ``1.72 MB``."""
    return _scaled(value, ("B", "kB", "MB", "GB", "TB"))


def _scaled(value, units) -> str:
    if value is None:
        return "?"
    scaled, power = float(value), 0
    while scaled >= 999.5 and power < len(units) - 1:
        scaled, power = scaled / 1000, power + 1
    digits = 0 if power == 0 or scaled >= 99.95 else 1 if scaled >= 9.995 else 2
    return f"{scaled:.{digits}f} {units[power]}".rstrip()
