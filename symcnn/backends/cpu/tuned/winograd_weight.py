r"""The weight gradient of a convolution in Winograd's transformed domain (see `winograd_transforms`).

With V the transformed tiles of the input and M those of the output's gradient, taken to the points by A, it is

.. math:: dw = G^T \Bigl[ \sum_{tiles} V^T M \Bigr] G

where the brackets hold 36 matrices (channels, out). They are summed in blocks of channels and outputs that stay in the
second-level cache along with a few tiles of V and M. Where there are few blocks, the tiles are cut into slices, which
are added in order when the sums are transformed back. Blocks and slices depend on the sizes alone, never on the number
of threads, so the gradient is the same number on any of them.
"""

from math import ceil, prod
from typing import Any, NamedTuple

from numba import float32, int64

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import advance, integers, load, store
from symcnn.backends.cpu.tuned.arguments import arguments, finish, operand, scratch, scratch_address, sizes
from symcnn.backends.cpu.tuned.blocks import FLOPS_PER_NANOSECOND, clear, even_blocks, even_grain, round_up, row_pitch
from symcnn.backends.cpu.tuned.tile import ROW_UNIT, TILE_ROWS, rank_one_updates
from symcnn.backends.cpu.tuned.winograd import (
    ITEM,
    LANES,
    PANEL,
    TABLE,
    TRANSFORM,
    WEIGHTS,
    by_window,
    byte_strides,
    find_pixels,
    is_possible,
    tiles_of,
)
from symcnn.backends.cpu.tuned.winograd_transforms import (
    EXTENT,
    TILE,
    VALUES,
    transform_input,
    transform_output_gradient,
    transform_weight_gradient,
)
from symcnn.schedule.plan import View

BLOCK_CHANNELS, BLOCK_OUT = 96, 128
TILES = 48  # that are multiplied at a time
FEWEST_TASKS = 8


def winograd_weight(kernel_size):
    """sums[slice, group, channel block, out block] = V^T M as [panel][36][channel][out]; a task is one such block.

    Operands: x, g, sums. Sizes: groups, channels and out of a group; images, height and width of x and of g, padding
    at the top and on the left; strides of x in bytes along groups, images, rows, columns, and of g; channels and out of
    a block, rows of tiles in a slice and in a turn; in the scratch memory, where the pixel outside and the transformed
    tiles lie, with the pitches of tiles and of the 36 matrices.
    """
    extent = TILE[kernel_size]
    transform = transform_output_gradient[kernel_size]

    def kernel(lo, hi, args):
        block = arguments(args)
        sums = operand(block, 2, float32)
        size = sizes(block, 3)
        groups, channels, out, images, height, width, rows, columns, top, left = integers(size, 0, 10)
        x_group, x_image, x_row, x_column, g_group, g_image, g_row, g_column = integers(size, 10, 8)
        block_channels, block_out, slice_rows, turn_rows = integers(size, 18, 4)
        outside_at, v_at, v_pitch, v_step, m_at, m_pitch, m_step = integers(size, 22, 7)
        table, private = scratch(block, 3, lo, int64), scratch(block, 3, lo, float32)
        outside = scratch_address(block, 3, lo) + outside_at * ITEM
        clear(advance(private, outside_at), v_at - outside_at)
        v, m = advance(private, v_at), advance(private, m_at)
        down, across = (rows + extent - 1) // extent, (columns + extent - 1) // extent
        channel_blocks = (channels + block_channels - 1) // block_channels
        out_blocks = (out + block_out - 1) // block_out
        for task in range(lo, hi):
            slice_start = task // (out_blocks * channel_blocks * groups) * slice_rows
            slice_stop = min(slice_start + slice_rows, images * down)
            group = task // (out_blocks * channel_blocks) % groups
            channel, o = task // out_blocks % channel_blocks * block_channels, task % out_blocks * block_out
            used_channels, used_out = min(block_channels, channels - channel), min(block_out, out - o)
            target = advance(sums, task * VALUES * block_channels * block_out)
            for first in range(slice_start, slice_stop, turn_rows):
                tiles = (min(first + turn_rows, slice_stop) - first) * across
                for tile in range(tiles):
                    image, row = (first + tile // across) // down, (first + tile // across) % down * extent
                    column = tile % across * extent
                    find_pixels(
                        table, EXTENT, block[0] + group * x_group + image * x_image + channel * ITEM,
                        row - top, column - left, height, width, x_row, x_column, outside,
                    )  # fmt: skip
                    transform_input(used_channels, table, 0, advance(v, tile * v_pitch), v_step)
                    find_pixels(
                        table, extent, block[1] + group * g_group + image * g_image + o * ITEM,
                        row, column, rows, columns, g_row, g_column, outside,
                    )  # fmt: skip
                    transform(used_out, table, 0, advance(m, tile * m_pitch), m_step)
                for k in range(VALUES):
                    for p in range(0, used_out, PANEL):
                        for r in range(0, used_channels, TILE_ROWS):
                            rank_one_updates(
                                1, tiles, advance(v, k * v_step + r), 0, 1, v_pitch, advance(m, k * m_step + p), m_pitch,
                                advance(target, (p * VALUES + k * PANEL) * block_channels + r * PANEL), PANEL,
                                min(TILE_ROWS, used_channels - r), PANEL, first > slice_start,
                            )  # fmt: skip

    return kernel


def unpack_weight_gradient(kernel_size):
    """dw = G^T (sum of the slices) G; a task is one vector of outputs.

    Operands: sums, dw. Sizes: of the window; channels and out of a group, of a block; groups, slices; strides of dw.
    """
    transform = transform_weight_gradient[kernel_size]

    def kernel(lo, hi, args):
        block = arguments(args)
        sums, dw = operand(block, 0, float32), operand(block, 1, float32)
        size = sizes(block, 2)
        side, channels, out, block_channels, block_out, groups, slices = integers(size, 0, 7)
        of_out, of_channel, of_row, of_column = integers(size, 7, 4)
        total = scratch(block, 2, lo, float32)
        taps = advance(total, VALUES * LANES)
        channel_blocks = (channels + block_channels - 1) // block_channels
        out_blocks = (out + block_out - 1) // block_out
        matrix = block_channels * PANEL
        of_block = VALUES * block_channels * block_out
        of_slice = groups * channel_blocks * out_blocks * of_block
        per_group = (out + LANES - 1) // LANES
        for task in range(lo, hi):
            group, o = task // per_group, task % per_group * LANES
            used = min(LANES, out - o)
            first_out = group * out + o
            for channel in range(channels):
                place = ((group * channel_blocks + channel // block_channels) * out_blocks + o // block_out) * of_block
                place += o % block_out // PANEL * VALUES * matrix + channel % block_channels * PANEL + o % PANEL
                for k in range(VALUES):
                    line = advance(sums, place + k * matrix)
                    value = load(line, 0)
                    for piece in range(1, slices):
                        value = value + load(line, piece * of_slice)
                    store(total, k * LANES, value)
                transform(LANES, total, LANES, taps, LANES)
                for i in range(side):
                    for j in range(side):
                        target = advance(dw, first_out * of_out + channel * of_channel + i * of_row + j * of_column)
                        for lane in range(used):
                            target[lane * of_out] = taps[(i * side + j) * LANES + lane]
            finish(block, 2, first_out * channels * side, (first_out + used) * channels * side)

    return kernel


WINOGRAD_WEIGHT = by_window(winograd_weight)
UNPACK_WEIGHT_GRADIENT = by_window(unpack_weight_gradient)


class Cut(NamedTuple):
    """How the sums are cut: channels and out of a block, blocks, slices, rows of tiles in a slice and in a turn."""

    channels: int
    out: int
    blocks: int
    slices: int
    slice_rows: int
    turn_rows: int


def _cut(groups: int, dw: View, g: View) -> Cut:
    """Slices only where blocks alone are fewer than `FEWEST_TASKS`, and none so short that it has only one turn.

    Two threads, or four, shall have equal shares: an even number of tasks.
    """
    channels, out = dw.shape[1], dw.shape[0] // groups
    images, down, across = tiles_of(g, dw.shape[2])
    turn_rows = max(1, TILES // across)
    block_channels = even_blocks(channels, BLOCK_CHANNELS, ROW_UNIT)
    channel_blocks = groups * ceil(channels / block_channels)
    block_out = even_blocks(out, BLOCK_OUT, PANEL)
    blocks = channel_blocks * ceil(out / block_out)
    slices = min(ceil(FEWEST_TASKS / blocks), images * down // (2 * turn_rows))
    if slices > 1:
        slices = round_up(slices, 1 + blocks % 2)
    else:
        block_out = even_blocks(out, BLOCK_OUT, PANEL, 1 + channel_blocks % 2)
        blocks = channel_blocks * ceil(out / block_out)
    slice_rows = ceil(images * down / max(1, slices))
    return Cut(
        block_channels,
        block_out,
        blocks,
        ceil(images * down / slice_rows),
        slice_rows,
        even_blocks(slice_rows, turn_rows, 1),
    )


def _pays(groups: int, dw: View, g: View) -> bool:
    """Whether it is faster than a direct sum, by counting multiply-adds of vectors."""
    out, channels, kernel_size, _ = dw.shape
    cut = _cut(groups, dw, g)
    tiles, vectors = prod(tiles_of(g, kernel_size)), groups * ceil(out // groups / LANES)
    direct = prod(g.shape[:3]) * kernel_size**2 * channels * vectors
    products = VALUES * tiles * round_up(channels, ROW_UNIT) * vectors
    transforms = tiles * TRANSFORM * cut.blocks * (ceil(cut.channels / LANES) + ceil(cut.out / LANES))
    return products + transforms + WEIGHTS * out * channels < direct


class WinogradConv2dWeightGrad:
    """The kernels of ``ChannelsLast(Conv2dWeightGrad)``: x (N, H, W, C) and g (N, OH, OW, O)."""

    algorithm = "winograd"
    finishes_rows = True

    def suits(self, op, output: View, operands) -> bool:
        x, g = operands[:2]
        return is_possible(op.inner.window, output, x, g) and _pays(op.inner.window.groups, output, g)

    def workspace(self, op, output: View, operands) -> int:
        cut = _cut(op.inner.window.groups, output, operands[1])
        return cut.slices * cut.blocks * VALUES * cut.channels * cut.out * ITEM

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        x, g = operands[:2]
        window, kernel_size = op.inner.window, output.shape[2]
        groups = window.groups
        cut = _cut(groups, output, g)
        channels, out = output.shape[1], output.shape[0] // groups
        before = [pair[0] for pair in window.pads(x.shape[1:3], output.shape[2:])]
        v_pitch, m_pitch = row_pitch(cut.channels, ITEM), row_pitch(cut.out, ITEM)
        tiles = cut.turn_rows * tiles_of(g, kernel_size)[2]
        v_step, m_step = row_pitch(tiles * v_pitch, ITEM), row_pitch(tiles * m_pitch, ITEM)
        outside_at = TABLE
        v_at = outside_at + round_up(max(cut.channels, cut.out), LANES)
        m_at = v_at + VALUES * v_step
        flops = 2 * prod(g.shape) * prod(output.shape[1:])
        tasks = cut.blocks * cut.slices
        vectors = groups * ceil(out / LANES)
        return [
            Launch(
                kernel=WINOGRAD_WEIGHT[kernel_size],
                operands=(x, g, workspace),
                sizes=(
                    *(groups, channels, out, g.shape[0], *x.shape[1:3], *g.shape[1:3], *before),
                    *byte_strides(x, channels),
                    *byte_strides(g, out),
                    *(cut.channels, cut.out, cut.slice_rows, cut.turn_rows),
                    *(outside_at, v_at, v_pitch, v_step, m_at, m_pitch, m_step),
                ),
                tasks=tasks,
                grain=even_grain(tasks, threads, flops / FLOPS_PER_NANOSECOND),
                scratch=(m_at + VALUES * m_step) * ITEM,
                flops=flops,
            ),
            Launch(
                kernel=UNPACK_WEIGHT_GRADIENT[kernel_size],
                operands=(workspace, output),
                sizes=(kernel_size, channels, out, cut.channels, cut.out, groups, cut.slices, *output.strides),
                tasks=vectors,
                grain=even_grain(vectors, threads, 10 * prod(output.shape[:2])),
                scratch=(VALUES + kernel_size**2) * LANES * ITEM,
            ),
        ]
