"""The weight gradient of a convolution of images with their channels last: dw[t, k] = sum_p X[p, t] g[p, k].

The patches X are read transposed: the rows of the tile are taps, and its depth is the pixels. These are many, often a
hundred thousand, while dw may be as small as 25 x 20; so they are cut into slices that are summed in parallel and added
in order at the end, when dw also gets the order of its axes. How many slices there are depends on the sizes alone,
never on the number of threads, so the gradient is the same number on any of them.
"""

from dataclasses import dataclass, replace
from math import ceil, gcd, prod
from typing import Any

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import advance, integers, lane_range, lanes, load, load_where, store, zero
from symcnn.backends.cpu.tuned.arguments import arguments, both_precisions, finish, operand, scratch, sizes
from symcnn.backends.cpu.tuned.blocks import (
    BLOCK_BYTES,
    FLOPS_PER_NANOSECOND,
    even_blocks,
    even_grain,
    multiply,
    round_up,
    row_pitch,
    vector_length,
)
from symcnn.backends.cpu.tuned.conv2d import channels_together, groups_in_one, packed_image
from symcnn.backends.cpu.tuned.packing import PACK, Packing
from symcnn.backends.cpu.tuned.pixels import gather, geometry, row_stride
from symcnn.backends.cpu.tuned.product import one_precision
from symcnn.backends.cpu.tuned.tile import TILE_VECTORS, tile_columns
from symcnn.schedule.plan import View

BLOCK_TAPS = 512
BLOCK_COLUMNS = 128
RUN = 192  # pixels at a time, at most and at least a third of it
SLICE_PIXELS = 1024  # at least: to add a slice costs as much as a few dozen pixels of it
TASKS = 16


def conv2d_weight(dtype):
    """partial[s, group, t, k] = sum_p X[p, t] g[p, k] over slice s; a task is some taps and columns of one.

    Operands: x, g, partial sums. Sizes: groups, taps and columns of a group; pixels, pixels of a slice, of a run; rows
    of the window, rows in a block, taps of a row; columns in a block; pitches of patches and of partial sums; where
    the packed g begins; strides of a group of x and of g, of a pixel of g; geometry of x.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        x, g, partial = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        size = sizes(block, 3)
        groups, taps, columns, pixels, slice_pixels, run = integers(size, 0, 6)
        kernel_h, block_h, row_taps, block_columns, pitch, partial_pitch = integers(size, 6, 6)
        packed_at, x_group, g_group, g_row = integers(size, 12, 4)
        grid, source, window = integers(size, 16, 2), integers(size, 18, 5), integers(size, 23, 10)
        patches = scratch(block, 3, lo, dtype)
        packed = advance(patches, packed_at)
        width = TILE_VECTORS * lanes(x)

        channels, _, step_h, origin_h, tap_h, runs, span, step_w, origin_w, tap_w = window
        down, across = (kernel_h + block_h - 1) // block_h, (columns + block_columns - 1) // block_columns
        for task in range(lo, hi):
            column = task % across * block_columns
            i = task // across % down * block_h
            group, piece = task // across // down % groups, task // across // down // groups
            wide, high = min(block_columns, columns - column), min(block_h, kernel_h - i)
            seen = advance(x, group * x_group)
            shown = (channels, high, step_h, origin_h + i * tap_h, tap_h, runs, span, step_w, origin_w, tap_w)
            place = advance(partial, ((piece * groups + group) * taps + i * row_taps) * partial_pitch + column)
            begin, end = piece * slice_pixels, min((piece + 1) * slice_pixels, pixels)
            for first in range(begin, end, run):
                stop = min(first + run, end)
                gather(patches, pitch, seen, grid, source, shown, first, stop)
                for q in range(0, wide, lanes(x)):
                    inside = lane_range(x, 0, wide - q)
                    line = advance(g, first * g_row + group * g_group + column + q)
                    panel = advance(packed, q // width * width * run + q % width)
                    for p in range(stop - first):
                        store(panel, p * width, load_where(inside, line, p * g_row))
                multiply(
                    patches, packed, place, high * row_taps, wide, stop - first,
                    (1, 1, pitch), (run, width), partial_pitch, run, first > begin,
                )  # fmt: skip

    return kernel


def add_slices(dtype):
    """dw[group * columns + k, c, i, j] = sum_s partial[s, group, (i, j, c), k]; a task is a vector of one group's k.

    Of a group that is several, only what leads from each of them to itself is part of dw.

    Operands: partial sums, dw. Sizes: slices, groups, groups in one of these; of each of those, columns and channels;
    rows and columns of the window; the pitch of the partial sums.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        partial, dw = operand(block, 0, dtype), operand(block, 1, dtype)
        slices, groups, members, columns, channels, kernel_h, kernel_w, pitch = integers(sizes(block, 2), 0, 8)
        sums = scratch(block, 2, lo, dtype)
        window = kernel_h * kernel_w
        all_columns, all_channels = members * columns, members * channels
        per_group = (all_columns + lanes(dw) - 1) // lanes(dw)
        for task in range(lo, hi):
            group, column = task // per_group, task % per_group * lanes(dw)
            first, used = group * all_columns + column, min(lanes(dw), all_columns - column)
            for c in range(all_channels):
                member = c // channels
                begin, end = max(0, member * columns - column), min(used, (member + 1) * columns - column)
                for tap in range(window):
                    source = advance(partial, ((group * window + tap) * all_channels + c) * pitch + column)
                    sum_ = zero(dw)
                    for piece in range(slices):
                        sum_ = sum_ + load(source, piece * groups * window * all_channels * pitch)
                    store(sums, 0, sum_)
                    for k in range(begin, end):
                        dw[((first + k) * channels + c % channels) * window + tap] = sums[k]
            finish(block, 2, first * channels * kernel_h, (first + used) * channels * kernel_h)

    return kernel


CONV2D_WEIGHT = both_precisions(conv2d_weight)
ADD_SLICES = both_precisions(add_slices)


class Conv2dWeightGrad:
    """The tuned kernels of ``ChannelsLast(Conv2dWeightGrad)``: x (N, H, W, C), g (N, OH, OW, O) and the shape of w.

    The result, (O, C / groups, KH, KW), is contiguous.
    """

    algorithm = "direct"
    finishes_rows = True
    sometimes = (PACK,)

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types[:2], output_type)

    def workspace(self, op, output: View, operands) -> int:
        packings = (channels_together(view, flat) for view, flat in zip(operands[:2], (False, True), strict=True))
        cut = Cut.of(op.inner.window.groups, output, operands[1])
        return cut.bytes + sum(p.bytes for p in packings if isinstance(p, Packing))

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        if not prod(output.shape):
            return []
        window, kernel = op.inner.window, output.shape[2:]
        itemsize, name = output.dtype.itemsize, output.dtype.name
        launches, images = [], []
        for view, flat in zip(operands[:2], (False, True), strict=True):
            source = channels_together(view, flat)
            if isinstance(source, Packing):
                view = replace(packed_image(source), buffer=workspace.buffer, offset=workspace.offset)
                launches.append(source.launch(view, threads))
                workspace = replace(workspace, offset=workspace.offset + source.bytes)
            images.append(view)
        x, g = images
        partial = replace(output, buffer=workspace.buffer, offset=workspace.offset)

        cut = Cut.of(window.groups, output, g)
        groups, channels, columns = cut.groups, cut.members * output.shape[1], output.shape[0] // cut.groups
        row_taps, pixels = channels * kernel[1], prod(g.shape[:3])
        pitch = row_pitch(cut.rows * row_taps + vector_length(itemsize), itemsize)
        tasks = cut.slices * groups * ceil(kernel[0] / cut.rows) * ceil(columns / cut.columns)
        flops = 2 * prod(output.shape) * pixels
        multiply_slices = Launch(
            kernel=CONV2D_WEIGHT[name],
            operands=(x, g, partial),
            sizes=(
                *(groups, channels * prod(kernel), columns, pixels, cut.slice_pixels, cut.run),
                *(kernel[0], cut.rows, row_taps, cut.columns, pitch, cut.pitch),
                *(cut.run * pitch, channels, columns, row_stride(g)),
                *geometry(x, g.shape[1:3], kernel, window, channels),
            ),
            tasks=tasks,
            grain=even_grain(tasks, threads, flops / FLOPS_PER_NANOSECOND),
            scratch=cut.run * (pitch + round_up(cut.columns, tile_columns(itemsize))) * itemsize,
            flops=flops,
        )
        blocks = groups * ceil(columns / vector_length(itemsize))
        add = Launch(
            kernel=ADD_SLICES[name],
            operands=(partial, output),
            sizes=(
                *(cut.slices if pixels else 0, groups),
                *(cut.members, columns // cut.members, output.shape[1], *kernel, cut.pitch),
            ),
            tasks=blocks,
            grain=even_grain(blocks, threads, (cut.slices + 4) * prod(output.shape) / 8),
            scratch=vector_length(itemsize) * itemsize,
            flops=cut.slices * prod(output.shape),
        )
        return [*launches, multiply_slices, add]


@dataclass(frozen=True)
class Cut:
    """How a weight gradient is cut.

    Attributes
    ----------
    groups, members : int
        Groups, and how many of the convolution's each of them is.
    rows, columns : int
        Rows of the window, and output channels, of a block.
    run, slice_pixels, slices : int
        Pixels that are multiplied at a time, pixels of a slice, and slices.
    pitch : int
        Elements from one row of the partial sums to the next.
    bytes : int
        Of the partial sums.
    """

    groups: int
    members: int
    rows: int
    columns: int
    run: int
    slice_pixels: int
    slices: int
    pitch: int
    bytes: int

    @classmethod
    def of(cls, groups: int, dw: View, g: View) -> "Cut":
        itemsize, (out, channels, kernel_h, kernel_w) = dw.dtype.itemsize, dw.shape
        members = groups_in_one(groups, channels, out // groups, itemsize)
        groups, channels = groups // members, channels * members
        columns, row_taps, pixels = out // groups, max(1, channels * kernel_w), prod(g.shape[:3])
        rows = even_blocks(kernel_h, BLOCK_TAPS // row_taps, 1)
        block_columns = even_blocks(columns, BLOCK_COLUMNS, tile_columns(itemsize))
        run = max(RUN // 3, min(RUN, BLOCK_BYTES // (rows * row_taps * itemsize)))
        blocks = groups * ceil(kernel_h / rows) * ceil(columns / block_columns)
        # Few numbers of slices make a number of tasks that many numbers of threads can share.
        slices = round_up(ceil(TASKS / max(1, blocks)), 4 // gcd(blocks, 4))
        slices = max(1, min(slices, pixels // SLICE_PIXELS))
        slice_pixels = max(1, ceil(pixels / slices))
        slices = max(1, ceil(pixels / slice_pixels))
        pitch = round_up(columns, vector_length(itemsize))
        size = slices * groups * channels * kernel_h * kernel_w * pitch * itemsize
        return cls(groups, members, rows, block_columns, min(run, slice_pixels), slice_pixels, slices, pitch, size)
