"""Two-dimensional convolution and its input gradient in NCHW, as products that never store im2col.

With t = (channel, i, j) for the taps of the window, p = (image, row, column) for the pixels of the output, and X[t, p]
the input that tap t sees from pixel p, a convolution is the product ``y[m, p] = sum_t w[m, t] X[t, p]`` in each group.

Its input gradient is a convolution too, of g with the channels of w exchanged and the taps walked backwards:

    dx[c, row] = sum over m and i of  w[m, c, i] g[m, (row + padding - i * dilation) / stride]

over those i for which the division is exact. All rows with the same ``(row + padding) % stride`` are seen through the
same taps, and these are evenly spaced; so the gradient is stride_h * stride_w dense convolutions with stride 1, each
on a strided view of w and of dx (a `Phase` of the rows and one of the columns), and nothing is multiplied by zeros.
"""

from dataclasses import dataclass, replace
from itertools import product
from math import ceil, gcd, prod

from symcnn.backends.cpu.launch import Launch, View
from symcnn.backends.cpu.tuned.product import one_precision, panel_bytes, product_launches


class Conv2d:
    """The tuned kernels of ``Conv2d``: x (N, C, H, W) and w (O, C / groups, KH, KW), both with any strides."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types, output_type)

    def workspace(self, op, output: View, operands) -> int:
        o, *window = operands[1].shape
        return panel_bytes(op.window.groups, o // op.window.groups, prod(window), output.dtype.itemsize)

    def launches(self, op, output: View, operands, threads: int, workspace=None) -> list[Launch]:
        x, w = operands
        window = op.window
        m, channels = w.shape[0] // window.groups, w.shape[1]
        pads = window.pads(x.shape[2:], w.shape[2:])
        axes = tuple(
            (step, -before, tap) for step, (before, _), tap in zip(window.stride, pads, window.dilation, strict=True)
        )
        groups = (window.groups, m * w.strides[0], channels * x.strides[1], m * output.strides[1])
        return product_launches(replace(w, shape=(m, *w.shape[1:])), x, output, [groups], workspace, threads, axes)


@dataclass(frozen=True)
class Phase:
    """The rows (or columns) of an input that the output sees through the same taps.

    Attributes
    ----------
    first, step, count : int
        The input rows ``first + step * r`` for 0 <= r < count.
    first_tap, tap_step, taps : int
        The taps ``first_tap + tap_step * t`` for 0 <= t < taps.
    axis : (step, origin, tap)
        Tap t of row r leads to output row ``r * step + origin + t * tap``.
    """

    first: int
    step: int
    count: int
    first_tap: int
    tap_step: int
    taps: int
    axis: tuple[int, int, int]


def phases(extent: int, kernel: int, stride: int, dilation: int, before: int) -> list[Phase]:
    """The phases of an axis of `extent` inputs, of which output o sees ``o * stride + i * dilation - before``.

    >>> [(phase.first, phase.first_tap, phase.taps) for phase in phases(8, kernel=3, stride=2, dilation=1, before=1)]
    [(0, 1, 1), (1, 0, 2)]
    """
    tap_step = stride // gcd(stride, dilation)
    found = []
    for first in range(min(stride, extent)):
        matching = [i for i in range(kernel) if (first + before - i * dilation) % stride == 0]
        first_tap = matching[0] if matching else 0
        axis = (1, (first + before - first_tap * dilation) // stride, -(tap_step * dilation // stride))
        found.append(Phase(first, stride, ceil((extent - first) / stride), first_tap, tap_step, len(matching), axis))
    return found


class Conv2dInputGrad:
    """The tuned kernels of ``Conv2dInputGrad``: g (N, O, OH, OW), w (O, C / groups, KH, KW) and the shape of x."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types[:2], output_type)

    def workspace(self, op, output: View, operands) -> int:
        return sum(_phase_bytes(op, operands[1], *pair) for pair in _phase_pairs(op, output, operands[1]))

    def launches(self, op, output: View, operands, threads: int, workspace=None) -> list[Launch]:
        g, w, _ = operands
        groups = op.window.groups
        m, channels = w.shape[1], w.shape[0] // groups
        batch = [(groups, channels * w.strides[0], channels * g.strides[1], m * output.strides[1])]
        launches, panels = [], workspace
        for rows, columns in _phase_pairs(op, output, w):
            left = _every(w, rows.first_tap, rows.tap_step, rows.taps, columns.first_tap, columns.tap_step, columns.taps)
            left = replace(left, shape=(m, channels, *left.shape[2:]), strides=(w.strides[1], w.strides[0], *left.strides[2:]))
            seen = _every(output, rows.first, rows.step, rows.count, columns.first, columns.step, columns.count)
            launches += product_launches(left, g, seen, batch, panels, threads, (rows.axis, columns.axis))
            panels = panels and replace(panels, offset=panels.offset + _phase_bytes(op, w, rows, columns))
        return launches


def _phase_pairs(op, output: View, w: View) -> list[tuple[Phase, Phase]]:
    window, extent, kernel = op.window, output.shape[2:], w.shape[2:]
    pads = window.pads(extent, kernel)
    return list(
        product(
            *(
                phases(extent[axis], kernel[axis], window.stride[axis], window.dilation[axis], pads[axis][0])
                for axis in (0, 1)
            )
        )
    )


def _phase_bytes(op, w: View, rows: Phase, columns: Phase) -> int:
    """Bytes of the packed weights of one pair of phases."""
    groups = op.window.groups
    return panel_bytes(groups, w.shape[1], w.shape[0] // groups * rows.taps * columns.taps, w.dtype.itemsize)


def _every(view: View, top, row_step, rows, left, column_step, columns) -> View:
    """``view[:, :, top::row_step, left::column_step]`` with so many rows and columns."""
    *outer, of_row, of_column = view.strides
    return replace(
        view,
        offset=view.offset + (top * of_row + left * of_column) * view.dtype.itemsize,
        shape=(*view.shape[:2], rows, columns),
        strides=(*outer, row_step * of_row, column_step * of_column),
    )
