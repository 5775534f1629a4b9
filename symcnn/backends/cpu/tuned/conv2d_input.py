"""The input gradient of a convolution of images with their channels last.

Seen from the output, every pixel p sends ``G[p, t] = sum_k g[p, k] W[k, t]`` through tap t = (i, j, channel) to the
input pixel that it was read from. A block of G is multiplied out in scratch memory and added to the image while it is
in cache. Nothing is ever multiplied by the zeros of a border or between strides. A task owns some whole images, or
some channels of them, so no two tasks add to the same number. Where a patch is a pixel, G is the gradient.
"""

from dataclasses import replace
from math import ceil, prod
from typing import Any

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import advance, integers, lanes
from symcnn.backends.cpu.tuned.arguments import arguments, both_precisions, finish, operand, scratch, sizes
from symcnn.backends.cpu.tuned.blocks import (
    BLOCK_BYTES,
    BLOCK_ROWS,
    DEPTH,
    FLOPS_PER_NANOSECOND,
    WORTH_SPLITTING,
    copy_run,
    erase,
    even_blocks,
    even_grain,
    multiply,
    round_up,
    row_pitch,
    vector_length,
)
from symcnn.backends.cpu.tuned.conv2d import (
    channels_together,
    convolution,
    groups_in_one,
    packed_image,
    pixelwise,
    reads_well,
)
from symcnn.backends.cpu.tuned.packing import Packing
from symcnn.backends.cpu.tuned.pixels import add_patches, geometry, row_stride
from symcnn.backends.cpu.tuned.product import FINISH_ROWS_OF, finish_launch, one_precision
from symcnn.backends.cpu.tuned.tile import ROW_UNIT, TILE_ROWS, TILE_VECTORS, tile_columns
from symcnn.ops.window import Window2d
from symcnn.schedule.plan import View

OWNED_BYTES = 1 << 18  # of the images of a task, if there are several


def conv2d_input(dtype):
    """dx = the sum of the G of all taps; a task is some channels of each group of some images.

    Operands: g, packed w, dx. Sizes: images, images in a task, parts of a group of channels, groups; pixels of g in an
    image, taps of a part, depth, pixels in a block, steps of a block of depth; whether g is read in place, the pitches
    of blocks of g and of G, where the latter begin; stride of g by pixel; strides of a group of g, and of a part of
    packed w; whether the task finishes rows; geometry of dx as it is added to.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        g, panels, dx = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        size = sizes(block, 3)
        images, task_images, parts, groups, pixels, taps, depth, block_rows, steps = integers(size, 0, 9)
        in_place, g_pitch, pitch, results_at, g_row, g_group, of_part, finishes = integers(size, 9, 8)
        grid, shape, window = integers(size, 17, 2), integers(size, 19, 5), integers(size, 24, 10)
        copied = scratch(block, 3, lo, dtype)
        results = advance(copied, results_at)
        width = TILE_VECTORS * lanes(g)

        height, columns, of_image, of_row, of_pixel = shape
        channels = window[0]
        for task in range(lo, hi):
            first_image, part = task // parts * task_images, task % parts
            last_image = min(first_image + task_images, images)
            for group in range(groups):
                piece = group * parts + part
                target = advance(dx, piece * channels)
                for n in range(first_image, last_image):
                    for row in range(height):
                        line = advance(target, n * of_image + row * of_row)
                        if of_pixel == channels:
                            erase(line, columns * channels)
                        else:
                            for column in range(columns):
                                erase(advance(line, column * of_pixel), channels)
                sent = advance(g, group * g_group)
                for first in range(first_image * pixels, last_image * pixels, block_rows):
                    stop = min(first + block_rows, last_image * pixels)
                    if in_place and (stop - first) % ROW_UNIT == 0:
                        left, strides = advance(sent, first * g_row), (g_row, g_row, 1)
                    else:
                        for p in range(first, stop):
                            row_of_g = advance(sent, p * g_row)
                            copy_run(advance(copied, (p - first) * g_pitch), row_of_g, depth, 0, depth)
                        left, strides = copied, (g_pitch, g_pitch, 1)
                    multiply(
                        left, advance(panels, piece * of_part), results, stop - first, taps, depth,
                        strides, (depth, width), pitch, steps, False,
                    )  # fmt: skip
                    add_patches(target, results, pitch, grid, shape, window, first, stop)
            if finishes:
                finish(block, 3, first_image * height * columns, last_image * height * columns)

    return kernel


CONV2D_INPUT = both_precisions(conv2d_input)


class Conv2dInputGrad:
    """The tuned kernels of ``ChannelsLast(Conv2dInputGrad)``: g (N, OH, OW, O), w (O, C / groups, KH, KW), shape of x.

    The result is contiguous.
    """

    algorithm = "direct"
    finishes_rows = True
    sometimes = (FINISH_ROWS_OF,)

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types[:2], output_type)

    def workspace(self, op, output: View, operands) -> int:
        g, w = operands[:2]
        window = op.inner.window
        if pixelwise(window, output.shape[1:3], w.shape[2:]):
            return _of_pixels(g, w, output, window).workspace
        # As many bytes for any number of parts.
        return sum(
            p.bytes for p in (channels_together(g, flat=True), _panels(w, window.groups, 1)) if isinstance(p, Packing)
        )

    def launches(self, op, output: View, operands, threads: int, workspace: Any = None) -> list[Launch]:
        g, w = operands[:2]
        window = op.inner.window
        if pixelwise(window, output.shape[1:3], w.shape[2:]):
            return _of_pixels(g, w, output, window).launches(workspace, threads)
        if not prod(output.shape):
            return []
        return _adding(g, w, output, window, workspace, threads)


def _of_pixels(g: View, w: View, dx: View, window: Window2d):
    """The input gradient of a convolution by one tap is one too, with the channels of w exchanged."""
    groups, out, channels = window.groups, w.shape[0] // window.groups, w.shape[1]
    exchanged = replace(w, shape=(channels * groups, out, 1, 1), strides=(w.strides[1], w.strides[0], 0, 0))
    return convolution(g, exchanged, dx, window, group_stride=out * w.strides[0])


def _panels(w: View, groups: int, parts: int) -> Packing:
    """The weights packed, for each part of each group of channels: columns (i, j, channel), depth k."""
    out, channels = w.shape[0] // groups, w.shape[1] // parts
    of_out, of_channel, of_i, of_j = w.strides
    members = groups_in_one(groups, w.shape[1], out, w.dtype.itemsize)
    source = replace(w, shape=(*w.shape[2:], channels, 1, 1, out), strides=(of_i, of_j, of_channel, 0, 0, of_out))
    batch = ((parts, channels * of_channel), (groups // members, members * out * of_out))
    return Packing(source, tile_columns(w.dtype.itemsize), batch, members, out * of_out)


def _adding(g: View, w: View, dx: View, window: Window2d, workspace, threads: int) -> list[Launch]:
    itemsize, kernel = dx.dtype.itemsize, w.shape[2:]
    images, grid = g.shape[0], g.shape[1:3]
    pixels = prod(grid)
    flops = 2 * images * pixels * w.shape[0] * prod(w.shape[1:])
    if flops < FLOPS_PER_NANOSECOND * WORTH_SPLITTING:
        threads = 1
    # A part must be whole panels, so that the workspace is the same for any number of threads.
    panel = tile_columns(itemsize)
    splits = w.shape[1] % (threads * vector_length(itemsize)) == w.shape[1] // threads * prod(kernel) % panel == 0
    parts = threads if images < threads and splits else 1
    source, packed = channels_together(g, flat=True), _panels(w, window.groups, parts)
    groups = window.groups // packed.members
    channels, out = dx.shape[3] // groups // parts, w.shape[0] // groups
    taps = channels * prod(kernel)

    launches = []
    if isinstance(source, Packing):
        g = replace(packed_image(source), buffer=workspace.buffer, offset=workspace.offset)
        launches.append(source.launch(g, threads))
        workspace = replace(workspace, offset=workspace.offset + source.bytes)
    panels = replace(w, buffer=workspace.buffer, offset=workspace.offset)
    launches.append(packed.launch(panels, threads))

    image_bytes = prod(dx.shape[1:]) * itemsize
    task_images = even_blocks(images, max(1, OWNED_BYTES // image_bytes), 1, threads)
    tasks = ceil(images / task_images) * parts
    g_pitch, pitch = row_pitch(out + vector_length(itemsize), itemsize), row_pitch(taps, itemsize)
    limit = min(BLOCK_ROWS, max(2 * TILE_ROWS, BLOCK_BYTES // (taps * itemsize)))
    block_rows = even_blocks(task_images * pixels, limit, TILE_ROWS)
    results_at = round_up(block_rows, ROW_UNIT) * g_pitch
    launches.append(
        Launch(
            kernel=CONV2D_INPUT[dx.dtype.name],
            operands=(g, panels, dx),
            sizes=(
                *(images, task_images, parts, groups, pixels, taps, out, block_rows, even_blocks(out, DEPTH, 1)),
                *(reads_well(g), g_pitch, pitch, results_at, row_stride(g), out, packed.matrix, parts == 1),
                *geometry(dx, grid, kernel, window, channels),
            ),
            tasks=tasks,
            grain=even_grain(tasks, threads, flops / FLOPS_PER_NANOSECOND),
            scratch=(results_at + round_up(block_rows, ROW_UNIT) * pitch) * itemsize,
            flops=flops,
        )
    )
    if parts > 1:
        launches.append(finish_launch(dx, prod(dx.shape[:3]), threads))
    return launches
