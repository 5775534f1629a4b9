"""Two-dimensional convolution and its input gradient in NCHW, as products that never store im2col.

With t = (channel, i, j) for the taps of the window, p = (image, row, column) for the pixels of the output, and X[t, p]
the input that tap t sees from pixel p, a convolution is the product ``y[m, p] = sum_t w[m, t] X[t, p]`` in each group.

Its input gradient is a convolution too, of g with the channels of w exchanged and the taps walked backwards:

    dx[c, row] = sum over m and i of  w[m, c, i] g[m, (row + padding - i * dilation) / stride]

over those i for which the division is exact. All rows with the same ``(row + padding) % stride`` are seen through the
same taps, and these are evenly spaced; so the gradient is stride_h * stride_w dense convolutions with stride 1, each
on a strided view of w and of dx (a `Phase` of the rows and one of the columns). The zeros between the strides are
never multiplied; those around a small image are, and where they weigh, the form of `conv2d_input` is taken instead.
"""

from dataclasses import dataclass, replace
from itertools import product
from math import gcd, prod
from typing import Any

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.tuned.nchw_conv2d_input import adding_launches, adding_pays
from symcnn.backends.cpu.tuned.nchw_pixels import window_axes
from symcnn.backends.cpu.tuned.nchw_product import one_precision, panel_bytes, product_launches
from symcnn.schedule.plan import View


class Conv2d:
    """The tuned kernels of ``Conv2d``: x (N, C, H, W) and w (O, C / groups, KH, KW), both with any strides."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types, output_type)

    def workspace(self, op, output: View, operands) -> int:
        o, *window = operands[1].shape
        return panel_bytes(op.window.groups, o // op.window.groups, prod(window), output.dtype.itemsize)

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        x, w = operands
        window = op.window
        m, channels = w.shape[0] // window.groups, w.shape[1]
        axes = window_axes(window, x.shape[2:], w.shape[2:])
        groups = (window.groups, m * w.strides[0], channels * x.strides[1], m * output.strides[1])
        return product_launches(replace(w, shape=(m, *w.shape[1:])), x, output, [groups], workspace, threads, axes)


@dataclass(frozen=True)
class Phase:
    """Rows (or columns) of an input that the output sees through the same taps.

    Attributes
    ----------
    inputs : range
        The rows.
    taps : range
        The taps, perhaps none.
    axis : (step, origin, tap)
        Tap number t of row number r leads to output row ``r * step + origin + t * tap``.
    """

    inputs: range
    taps: range
    axis: tuple[int, int, int]


def phases(extent: int, kernel: int, stride: int, dilation: int, before: int) -> list[Phase]:
    """The phases of an axis of `extent` inputs, of which output o sees ``o * stride + i * dilation - before``.

    >>> for phase in phases(8, kernel=3, stride=2, dilation=1, before=1):
    ...     print(phase)
    Phase(inputs=range(0, 8, 2), taps=range(1, 3, 2), axis=(1, 0, -1))
    Phase(inputs=range(1, 8, 2), taps=range(0, 3, 2), axis=(1, 1, -1))
    """
    tap_step = stride // gcd(stride, dilation)
    found = []
    for first in range(min(stride, extent)):
        meets = ((first + before - tap * dilation) % stride == 0 for tap in range(kernel))
        tap = next((tap for tap, met in enumerate(meets) if met), kernel)
        axis = (1, (first + before - tap * dilation) // stride, -(tap_step * dilation // stride))
        found.append(Phase(range(first, extent, stride), range(tap, kernel, tap_step), axis))
    return found


class Conv2dInputGrad:
    """The tuned kernels of ``Conv2dInputGrad``: g (N, O, OH, OW), w (O, C / groups, KH, KW) and the shape of x."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types[:2], output_type)

    def workspace(self, op, output: View, operands) -> int:
        w, groups = operands[1], op.window.groups
        if self._adds(op, output, operands):
            return panel_bytes(groups, prod(w.shape[1:]), w.shape[0] // groups, output.dtype.itemsize)
        return sum(_phase_bytes(op, w, *pair) for pair in _phase_pairs(op, output, w))

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        g, w = operands[:2]
        groups = op.window.groups
        if self._adds(op, output, operands):
            axes = window_axes(op.window, output.shape[2:], w.shape[2:])
            return adding_launches(g, w, output, groups, axes, workspace, threads)
        m, channels = w.shape[1], w.shape[0] // groups
        exchanged = replace(w, shape=(m, channels, *w.shape[2:]), strides=(w.strides[1], w.strides[0], *w.strides[2:]))
        batch = [(groups, channels * w.strides[0], channels * g.strides[1], m * output.strides[1])]
        launches, panels = [], workspace
        for rows, columns in _phase_pairs(op, output, w):
            left, seen = _every(exchanged, rows.taps, columns.taps), _every(output, rows.inputs, columns.inputs)
            launches += product_launches(left, g, seen, batch, panels, threads, (rows.axis, columns.axis))
            panels = panels and replace(panels, offset=panels.offset + _phase_bytes(op, w, rows, columns))
        # The products count the zeros around g, the mathematics does not.
        asked, counted = 2 * prod(g.shape) * prod(w.shape[1:]), sum(launch.flops for launch in launches)
        return [replace(launch, flops=launch.flops * asked // max(1, counted)) for launch in launches]

    @staticmethod
    def _adds(op, output: View, operands) -> bool:
        g, w = operands[:2]
        gathered = sum(
            prod(map(len, (rows.inputs, rows.taps, columns.inputs, columns.taps)))
            for rows, columns in _phase_pairs(op, output, w)
        )
        return adding_pays(g, w, output, op.window.groups, op.window.stride, gathered)


def _phase_pairs(op, output: View, w: View) -> list[tuple[Phase, Phase]]:
    """Every phase of the rows with every phase of the columns."""
    window, extent, kernel = op.window, output.shape[2:], w.shape[2:]
    before = [pair[0] for pair in window.pads(extent, kernel)]
    rows, columns = map(phases, extent, kernel, window.stride, window.dilation, before)
    return list(product(rows, columns))


def _phase_bytes(op, w: View, rows: Phase, columns: Phase) -> int:
    """Bytes of the packed weights of one pair of phases."""
    groups = op.window.groups
    taps = w.shape[0] // groups * len(rows.taps) * len(columns.taps)
    return panel_bytes(groups, w.shape[1], taps, w.dtype.itemsize)


def _every(view: View, rows: range, columns: range) -> View:
    """The view of these rows and columns only."""
    *outer, of_row, of_column = view.strides
    return replace(
        view,
        offset=view.offset + (rows.start * of_row + columns.start * of_column) * view.dtype.itemsize,
        shape=(*view.shape[:2], len(rows), len(columns)),
        strides=(*outer, rows.step * of_row, columns.step * of_column),
    )
