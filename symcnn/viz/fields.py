"""Which pixels of an image every unit of a network sees: computed from the graph, exactly, one axis at a time.

Along an axis, unit u of a result looks, through tap i, at the unit

    u * stride + i * dilation - before

of the operand. So a field that starts at pixel `start`, spans `size` pixels, and moves by `jump` from unit to unit becomes

    size + (taps - 1) * dilation * jump,    jump * stride,    start - before * jump

Beside these numbers, which know no borders, `sees` says for each unit which pixels of the image it really rests on.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from symcnn.ir.graph import toposort, value_inputs
from symcnn.ir.variable import Variable
from symcnn.ops.avg_pool import AvgPool2d
from symcnn.ops.conv import Conv2d, Conv2dInputGrad
from symcnn.ops.indexing import Slice
from symcnn.ops.joining import Concat
from symcnn.ops.lrn import ChannelWindowSum
from symcnn.ops.pad import Pad
from symcnn.ops.pool import MaxPool2d
from symcnn.ops.reduce import Reduce
from symcnn.ops.resize import Upsample2d


@dataclass(frozen=True, eq=False)
class Field:
    """What the units along one axis of a result see of the image.

    Attributes
    ----------
    size, jump, start : Fraction
        Of the field of unit 0, as if the image had no border; `start` is negative where padding comes first.
    sees : (units, pixels) of bool
    """

    size: Fraction
    jump: Fraction
    start: Fraction
    sees: np.ndarray


@dataclass(frozen=True)
class Taps:
    """Unit u looks at the units ``u * stride + i * dilation - before``, for i below `count`."""

    count: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0

    def through(self, field: Field, units: int) -> Field:
        """What `units` units see through these taps."""
        sees = np.zeros((units, field.sees.shape[1]), bool)
        for tap in range(self.count):
            place = np.arange(units) * self.stride + tap * self.dilation - self.before
            inside = (place >= 0) & (place < len(field.sees))
            sees[inside] |= field.sees[place[inside]]
        span = field.size + (self.count - 1) * self.dilation * field.jump
        return Field(span, field.jump * self.stride, field.start - self.before * field.jump, sees)


@dataclass(frozen=True)
class Spread:
    """The adjoint: unit u is looked at by the units i of which it is ``i * stride + tap * dilation - before``."""

    count: int
    stride: int
    dilation: int
    before: int

    def through(self, field: Field, units: int) -> Field:
        sees = np.zeros((units, field.sees.shape[1]), bool)
        for tap in range(self.count):
            place = np.arange(len(field.sees)) * self.stride + tap * self.dilation - self.before
            inside = (place >= 0) & (place < units)
            sees[place[inside]] |= field.sees[inside]
        reach = (self.count - 1) * self.dilation
        first = ceil(Fraction(self.before - reach, self.stride))
        span = field.size + reach // self.stride * field.jump
        return Field(span, field.jump / self.stride, field.start + first * field.jump, sees)


@dataclass(frozen=True)
class Resized:
    """Unit u looks at the pixels that an interpolation takes it from."""

    axis: Any

    def through(self, field: Field, units: int) -> Field:
        sees = np.zeros((units, field.sees.shape[1]), bool)
        for pixels, weights in self.axis.sources(len(field.sees), np.float64):
            sees[weights > 0] |= field.sees[pixels[weights > 0]]
        more = 1 if self.axis.mode == "bilinear" else 0
        scale = Fraction(self.axis.scale)
        return Field(field.size + more * field.jump, field.jump / scale, field.start - more * field.jump, sees)


def fields(outputs: list[Variable], image: Variable) -> dict[Variable, tuple[Field, Field]]:
    """(rows, columns) of every result that rests on `image` (N, C, H, W) of known size."""
    one, none = Fraction(1), Fraction(0)
    rows, columns = (Field(one, one, none, np.eye(n, dtype=bool)) for n in image.shape[2:])
    found = {image: (rows, columns)}
    for v in toposort(outputs, value_inputs):
        shape_only = () if v.op is None else v.op.shape_only
        operands = [(k, x) for k, x in enumerate(v.inputs) if x in found and k not in shape_only]
        if operands:
            rows, columns = (
                _joined([_link(v, k, axis).through(found[x][axis], spatial(v)[axis]) for k, x in operands])
                for axis in (0, 1)
            )
            found[v] = rows, columns
    return found


def spatial(v: Variable) -> tuple[int, int]:
    """(rows, columns) of units; one unit for what is no image, such as the vector behind a dense layer."""
    return v.shape[2:] if v.ndim == 4 else (1, 1)


def is_window(v: Variable) -> bool:
    """Whether units of this result look at their operand through windows, or it joins branches that rest on the image."""
    return isinstance(v.op, (Conv2d, Conv2dInputGrad, MaxPool2d, AvgPool2d, Upsample2d, Pad, Concat))


def _joined(seen: list[Field]) -> Field:
    """What units see that look at several operands: all of it; for the numbers, from the first pixel to the last."""
    start = min(f.start for f in seen)
    end = max(f.start + f.size for f in seen)
    return Field(end - start, max(f.jump for f in seen), start, np.logical_or.reduce([f.sees for f in seen]))


def _link(v: Variable, k: int, axis: int) -> Taps | Spread | Resized:
    """How units of `v` look at operand k."""
    op, x = v.op, v.inputs[k]
    count, units = spatial(x)[axis], spatial(v)[axis]
    if k == 0 and isinstance(op, Conv2dInputGrad):
        window, kernel = op.window, v.inputs[1].shape[2:]
        return Spread(
            kernel[axis], window.stride[axis], window.dilation[axis], window.pads(spatial(v), kernel)[axis][0]
        )
    if k == 0 and isinstance(op, (Conv2d, MaxPool2d, AvgPool2d)):
        window, kernel = op.window, v.inputs[1].shape[2:] if isinstance(op, Conv2d) else op.window_size
        return Taps(kernel[axis], window.stride[axis], window.dilation[axis], window.pads(spatial(x), kernel)[axis][0])
    if isinstance(op, Upsample2d):
        return Resized(op.axes[axis])
    if isinstance(op, Pad) and v.ndim == 4:
        return Taps(before=op.widths[2 + axis][0])
    if isinstance(op, Slice) and v.ndim == 4 == x.ndim:
        start, _, step = slice(*op.parts[2 + axis]).indices(count)
        return Taps(stride=step, before=-start)
    if isinstance(op, Concat) and v.ndim == 4 and op.axis == 2 + axis:
        return Taps(before=sum(spatial(other)[axis] for other in v.inputs[:k]))
    alone = isinstance(op, (ChannelWindowSum, Concat)) or (isinstance(op, Reduce) and not {2, 3} & set(op.axes))
    if units == count and (alone or op.pattern in ("elementwise", "view", "alias")):
        return Taps()  # every unit looks at the one at its own place
    return Taps(count, stride=0)  # every unit looks at all
