"""Depthwise convolution, each channel by itself, and its two gradients, of images with their channels last.

There is nothing to multiply as matrices: a vector holds neighbouring channels of one pixel, and every tap is one
multiply-add of it with the same channels of the weights. Taps outside of the image are left out of the loops.
"""

from dataclasses import replace
from math import ceil, prod
from typing import Any

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import (
    advance,
    fma,
    integers,
    lane_range,
    lanes,
    load,
    load_where,
    store,
    store_where,
    zero,
)
from symcnn.backends.cpu.tuned.arguments import arguments, both_precisions, finish, helper, operand, sizes
from symcnn.backends.cpu.tuned.blocks import (
    WORTH_SPLITTING,
    clear,
    erase,
    even_blocks,
    even_grain,
    round_up,
    vector_length,
)
from symcnn.backends.cpu.tuned.conv2d_weight import ADD_SLICES
from symcnn.backends.cpu.tuned.packing import Packing
from symcnn.backends.cpu.tuned.product import finish_launch
from symcnn.schedule.plan import View

SLICES = 16
FLOPS_PER_NANOSECOND = 10


@helper
def inside(first, step, count, extent):
    """(begin, end) of those k < count for which ``0 <= first + k * step < extent``."""
    begin, end = max(0, (step - 1 - first) // step), min(count, (extent - first + step - 1) // step)
    return begin, max(begin, end)


def depthwise(dtype):
    """y = x * w; a task is a row of the output.

    Operands: x, packed w, y. Sizes: channels; rows and columns of an output; strides of its image, row and column;
    height and width of x and the same strides; rows and columns of the window, their (step, origin, tap).
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        x, w, y = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        size = sizes(block, 3)
        channels, rows, columns, y_n, y_h, y_w, height, width, x_n, x_h, x_w = integers(size, 0, 11)
        kernel_h, kernel_w, step_h, origin_h, tap_h, step_w, origin_w, tap_w = integers(size, 11, 8)
        pitch = (channels + lanes(x) - 1) // lanes(x) * lanes(x)
        for task in range(lo, hi):
            n, row = task // rows, task % rows
            top = row * step_h + origin_h
            above, below = inside(top, tap_h, kernel_h, height)
            for column in range(columns):
                left = column * step_w + origin_w
                before, after = inside(left, tap_w, kernel_w, width)
                seen = advance(x, n * x_n + top * x_h + left * x_w)
                place = advance(y, n * y_n + row * y_h + column * y_w)
                for c in range(0, channels, lanes(x)):
                    there = lane_range(x, 0, channels - c)
                    sum_ = zero(x)
                    for i in range(above, below):
                        for j in range(before, after):
                            pixel = load_where(there, seen, i * tap_h * x_h + j * tap_w * x_w + c)
                            sum_ = fma(pixel, load(w, (i * kernel_w + j) * pitch + c), sum_)
                    store_where(there, place, c, sum_)
            finish(block, 3, task * columns, (task + 1) * columns)

    return kernel


def depthwise_input(dtype):
    """dx, to which every pixel of g adds w times itself; a task is some channels of one image.

    Operands: g, packed w, dx. Sizes as of `depthwise`, with g in place of y and dx in place of x, then channels in a
    task and whether it finishes rows.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        g, w, dx = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        size = sizes(block, 3)
        channels, rows, columns, g_n, g_h, g_w, height, width, x_n, x_h, x_w = integers(size, 0, 11)
        kernel_h, kernel_w, step_h, origin_h, tap_h, step_w, origin_w, tap_w = integers(size, 11, 8)
        part, finishes = integers(size, 19, 2)
        pitch = (channels + lanes(g) - 1) // lanes(g) * lanes(g)
        parts = (channels + part - 1) // part
        for task in range(lo, hi):
            n, first = task // parts, task % parts * part
            stop = min(first + part, channels)
            for y in range(height):
                for x in range(width):
                    erase(advance(dx, n * x_n + y * x_h + x * x_w + first), stop - first)
            for row in range(rows):
                top = row * step_h + origin_h
                above, below = inside(top, tap_h, kernel_h, height)
                for column in range(columns):
                    left = column * step_w + origin_w
                    before, after = inside(left, tap_w, kernel_w, width)
                    sent = advance(g, n * g_n + row * g_h + column * g_w)
                    seen = advance(dx, n * x_n + top * x_h + left * x_w)
                    for c in range(first, stop, lanes(g)):
                        there = lane_range(g, 0, stop - c)
                        value = load_where(there, sent, c)
                        for i in range(above, below):
                            for j in range(before, after):
                                pixel = advance(seen, i * tap_h * x_h + j * tap_w * x_w + c)
                                taps = load(w, (i * kernel_w + j) * pitch + c)
                                store_where(there, pixel, 0, fma(value, taps, load_where(there, pixel, 0)))
            if finishes:
                finish(block, 3, n * height * width, (n + 1) * height * width)

    return kernel


def depthwise_weight(dtype):
    """partial[s, i, j, c] = the sum of x times g over slice s of the rows of g; a task is one slice.

    Operands: x, g, partial sums. Sizes as of `depthwise`, with g in place of y, then all rows and those of a slice.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        x, g, partial = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        size = sizes(block, 3)
        channels, rows, columns, g_n, g_h, g_w, height, width, x_n, x_h, x_w = integers(size, 0, 11)
        kernel_h, kernel_w, step_h, origin_h, tap_h, step_w, origin_w, tap_w = integers(size, 11, 8)
        all_rows, slice_rows = integers(size, 19, 2)
        pitch = (channels + lanes(x) - 1) // lanes(x) * lanes(x)
        for task in range(lo, hi):
            sums = advance(partial, task * kernel_h * kernel_w * pitch)
            clear(sums, kernel_h * kernel_w * pitch)
            for r in range(task * slice_rows, min((task + 1) * slice_rows, all_rows)):
                n, row = r // rows, r % rows
                top = row * step_h + origin_h
                above, below = inside(top, tap_h, kernel_h, height)
                sent = advance(g, n * g_n + row * g_h)
                for c in range(0, channels, lanes(x)):
                    there = lane_range(x, 0, channels - c)
                    for i in range(above, below):
                        for j in range(kernel_w):
                            left = origin_w + j * tap_w
                            before, after = inside(left, step_w, columns, width)
                            line = advance(x, n * x_n + (top + i * tap_h) * x_h + left * x_w + c)
                            place = (i * kernel_w + j) * pitch + c
                            sum_ = load(sums, place)
                            for column in range(before, after):
                                pixel = load_where(there, line, column * step_w * x_w)
                                sum_ = fma(pixel, load_where(there, sent, column * g_w + c), sum_)
                            store(sums, place, sum_)

    return kernel


DEPTHWISE = both_precisions(depthwise)
DEPTHWISE_INPUT = both_precisions(depthwise_input)
DEPTHWISE_WEIGHT = both_precisions(depthwise_weight)


def is_depthwise(op, w: View, *images: View) -> bool:
    """Whether these kernels can compute a convolution, or a gradient: one filter for each channel."""
    return w.shape[1] == 1 and w.shape[0] == op.inner.window.groups and all(image.strides[3] == 1 for image in images)


def _geometry(window, x: View, y: View, kernel) -> tuple[int, ...]:
    """The sizes that all three kernels start with."""
    before = (pair[0] for pair in window.pads(x.shape[1:3], kernel))
    axes = [(step, -pad, tap) for step, pad, tap in zip(window.stride, before, window.dilation, strict=True)]
    return (y.shape[3], *y.shape[1:3], *y.strides[:3], *x.shape[1:3], *x.strides[:3], *kernel, *axes[0], *axes[1])


def _packing(w: View) -> Packing:
    """The weights as [i, j, channel]."""
    source = replace(w, shape=(1, 1, w.shape[0], *w.shape[2:], 1), strides=(0, 0, w.strides[0], *w.strides[2:], 0))
    return Packing(source, round_up(w.shape[0], vector_length(w.dtype.itemsize)))


class _ImageAndWeights:
    """What the two have in common whose operands are an image and the weights, which they pack."""

    algorithm = "depthwise"
    finishes_rows = True

    def suits(self, op, output: View, operands) -> bool:
        return is_depthwise(op, operands[1], operands[0], output)

    def workspace(self, op, output: View, operands) -> int:
        return _packing(operands[1]).bytes


class DepthwiseConv2d(_ImageAndWeights):
    """The kernels of ``ChannelsLast(Conv2d)``: x (N, H, W, C) and w (C, 1, KH, KW)."""

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        x, w = operands
        packed = replace(w, buffer=workspace.buffer, offset=workspace.offset)
        flops = 2 * prod(output.shape) * prod(w.shape[2:])
        tasks = prod(output.shape[:2])
        convolve = Launch(
            kernel=DEPTHWISE[output.dtype.name],
            operands=(x, packed, output),
            sizes=_geometry(op.inner.window, x, output, w.shape[2:]),
            tasks=tasks,
            grain=even_grain(tasks, threads, flops / FLOPS_PER_NANOSECOND),
            flops=flops,
        )
        return [_packing(w).launch(packed, threads), convolve] if flops else []


class DepthwiseConv2dInputGrad(_ImageAndWeights):
    """The kernels of ``ChannelsLast(Conv2dInputGrad)``: g (N, OH, OW, C), w (C, 1, KH, KW) and the shape of x."""

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        g, w = operands[:2]
        packed = replace(w, buffer=workspace.buffer, offset=workspace.offset)
        flops = 2 * prod(g.shape) * prod(w.shape[2:])
        images, *_, channels = output.shape
        if not prod(output.shape):
            return []
        part = channels
        if images < threads and flops > WORTH_SPLITTING * FLOPS_PER_NANOSECOND:
            part = even_blocks(channels, channels, vector_length(output.dtype.itemsize), threads)
        parts = ceil(channels / part)
        add = Launch(
            kernel=DEPTHWISE_INPUT[output.dtype.name],
            operands=(g, packed, output),
            sizes=(*_geometry(op.inner.window, output, g, w.shape[2:]), part, parts == 1),
            tasks=images * parts,
            grain=even_grain(images * parts, threads, flops / FLOPS_PER_NANOSECOND),
            flops=flops,
        )
        launches = [_packing(w).launch(packed, threads), add]
        return launches if parts == 1 else [*launches, finish_launch(output, prod(output.shape[:3]), threads)]


class DepthwiseConv2dWeightGrad:
    """The kernels of ``ChannelsLast(Conv2dWeightGrad)``: x (N, H, W, C), g (N, OH, OW, C) and the shape of w."""

    algorithm = "depthwise"
    finishes_rows = True

    def suits(self, op, output: View, operands) -> bool:
        return is_depthwise(op, output, *operands[:2])

    def workspace(self, op, output: View, operands) -> int:
        itemsize = output.dtype.itemsize
        pitch = round_up(output.shape[0], vector_length(itemsize))
        return SLICES * prod(output.shape[2:]) * pitch * itemsize

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        x, g = operands[:2]
        if not prod(output.shape):
            return []
        itemsize, name, (channels, _, *kernel) = output.dtype.itemsize, output.dtype.name, output.shape
        partial = replace(output, buffer=workspace.buffer, offset=workspace.offset)
        rows, flops = prod(g.shape[:2]), 2 * prod(g.shape) * prod(kernel)
        slice_rows = max(1, ceil(rows / SLICES))
        slices = max(1, ceil(rows / slice_rows))
        sum_slices = Launch(
            kernel=DEPTHWISE_WEIGHT[name],
            operands=(x, g, partial),
            sizes=(*_geometry(op.inner.window, x, g, kernel), rows, slice_rows),
            tasks=slices,
            grain=even_grain(slices, threads, flops / FLOPS_PER_NANOSECOND),
            flops=flops,
        )
        blocks = ceil(channels / vector_length(itemsize))
        add = Launch(
            kernel=ADD_SLICES[name],
            operands=(partial, output),
            sizes=(slices, 1, 1, channels, 1, *kernel, round_up(channels, vector_length(itemsize))),
            tasks=blocks,
            grain=even_grain(blocks, threads, (slices + 4) * prod(output.shape) / 8),
            scratch=vector_length(itemsize) * itemsize,
            flops=slices * prod(output.shape),
        )
        return [sum_slices, add]
