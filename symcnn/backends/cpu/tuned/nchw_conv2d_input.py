"""The input gradient of a two-dimensional convolution by adding up, for small images.

Seen from the output, every pixel p sends ``G[t, p] = sum_m w[m, t] g[m, p]`` through tap t = (channel, i, j) to the
input pixel it was read from. Nothing is multiplied by the zeros of a border, of which the gathering form (see
`conv2d`) meets many when the image is hardly larger than the window: more than half for 5 x 5 on 8 x 8 outputs. In
exchange G is added up pixel by pixel, which is cheap as long as a block of it stays in cache. A task owns some
channels of some whole images, so no two tasks ever add to the same number.
"""

from math import ceil, prod

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import advance, integers, lane_range, lanes, load_where, store_where, zero
from symcnn.backends.cpu.tuned.arguments import arguments, both_precisions, helper, operand, scratch, sizes
from symcnn.backends.cpu.tuned.nchw_blocks import (
    FLOPS_PER_NANOSECOND,
    clear,
    depth_block,
    even_blocks,
    even_grain,
    multiply,
    pad,
    round_up,
)
from symcnn.backends.cpu.tuned.nchw_pixels import gather, geometry
from symcnn.backends.cpu.tuned.nchw_product import pack_launch
from symcnn.backends.cpu.tuned.nchw_tile import ROW_UNIT, TILE_ROWS, TILE_VECTORS, tile_columns
from symcnn.schedule.plan import View

BLOCK_ROWS = 480
BLOCK_PIXELS = 256
MOST_PIXELS = 1024


@helper
def erase(target, count):
    """target[:count] = 0, for any count."""
    for i in range(0, count, lanes(target)):
        store_where(lane_range(target, 0, count - i), target, i, zero(target))


@helper
def add_line(target, source, length, first, stop):
    """target[i] += source[i] for ``first <= i < stop`` within the length."""
    for i in range(0, length, lanes(target)):
        inside = lane_range(target, first - i, min(stop, length) - i)
        store_where(inside, target, i, load_where(inside, target, i) + load_where(inside, source, i))


@helper
def add_pixels(plane, height, width, grid, window, results, pitch, images, of_image):
    """Add the G of one channel to its plane of every image; row (i, j) of G starts at ``results[(i, j) * pitch]``."""
    rows, columns = grid
    kernel_h, kernel_w, step_h, origin_h, tap_h, step_w, origin_w, tap_w = window
    for n in range(images):
        for i in range(kernel_h):
            for j in range(kernel_w):
                sent = advance(results, (i * kernel_w + j) * pitch + n * rows * columns)
                x = origin_w + j * tap_w
                for row in range(rows):
                    y = row * step_h + origin_h + i * tap_h
                    if 0 <= y < height:
                        line, run = advance(plane, n * of_image + y * width), advance(sent, row * columns)
                        if step_w == 1:
                            add_line(advance(line, x), run, columns, -x, width - x)
                        else:
                            for q in range(columns):
                                if 0 <= x + q * step_w < width:
                                    line[x + q * step_w] += run[q]


def conv2d_input(dtype):
    """dx += the G of all taps; a task is some channels of some images of one group.

    Operands: packed w^T, g, dx. Sizes: images, channels of dx and of g in a group; channels, images and depth of a
    block; the offset of G in the scratch memory; the strides of a group of g and of dx, of an image and of a
    channel of dx; height and width of dx, grid of g, window of the convolution; then grid, source and window of g.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        panels, g, dx = operand(block, 0, dtype), operand(block, 1, dtype), operand(block, 2, dtype)
        size = sizes(block, 3)
        images, channels, depth_of_g, block_channels, block_images, block_depth, results_at = integers(size, 0, 7)
        g_group, dx_group, of_image, of_channel, height, width = integers(size, 7, 6)
        grid, window = integers(size, 13, 2), integers(size, 15, 8)
        g_grid, g_source, g_window = integers(size, 23, 2), integers(size, 25, 6), integers(size, 31, 8)
        packed = scratch(block, 3, lo, dtype)
        results = advance(packed, results_at)

        tile = TILE_VECTORS * lanes(packed)
        per_channel, pixels = window[0] * window[1], grid[0] * grid[1]
        across = (images + block_images - 1) // block_images
        down = (channels + block_channels - 1) // block_channels
        for task in range(lo, hi):
            group = task // (down * across)
            channel = task // across % down * block_channels
            n = task % across * block_images
            owned_channels, owned_images = min(block_channels, channels - channel), min(block_images, images - n)
            rows, start, stop = owned_channels * per_channel, n * pixels, (n + owned_images) * pixels
            pitch = pad(stop - start, tile)
            left = advance(panels, (group * pad(channels * per_channel, ROW_UNIT) + channel * per_channel) * depth_of_g)

            clear(results, pad(rows, ROW_UNIT) * pitch)
            for first in range(0, depth_of_g, block_depth):
                last = min(first + block_depth, depth_of_g)
                for p in range(start, stop, tile):
                    panel = advance(packed, (p - start) * (last - first))
                    span = (p, min(p + tile, stop))
                    gather(panel, tile, advance(g, group * g_group), g_grid, g_source, g_window, (first, last), span)
                multiply(left, depth_of_g, first, last - first, packed, results, rows, pitch)
            for c in range(owned_channels):
                plane = advance(dx, group * dx_group + n * of_image + (channel + c) * of_channel)
                for image in range(owned_images):
                    erase(advance(plane, image * of_image), height * width)
                sent = advance(results, c * per_channel * pitch)
                add_pixels(plane, height, width, grid, window, sent, pitch, owned_images, of_image)

    return kernel


CONV2D_INPUT = both_precisions(conv2d_input)


def adding_pays(g: View, w: View, output: View, groups: int, stride, gathered_taps: int) -> bool:
    """Whether `adding_launches` can be used and is faster than gathering so many taps over all pixels of an image."""
    pixels, window = prod(g.shape[2:]), prod(w.shape[2:])
    contiguous = w.strides[1:] == (window, w.shape[3], 1) and output.strides[2:] == (output.shape[3], 1)
    channels, depth = w.shape[1], w.shape[0] // groups
    sum_cost = 8 if stride[1] == 1 else 32  # of adding one number, in multiplications
    adding = pixels * window * channels * (depth + sum_cost)
    gathering = gathered_taps * round_up(channels, ROW_UNIT) * depth
    return contiguous and pixels <= MOST_PIXELS and adding < 0.8 * gathering


def adding_launches(g: View, w: View, output: View, groups: int, axes, panels: View, threads: int) -> list[Launch]:
    """The launches of an input gradient in the adding form; `panels` has `panel_bytes` of room for w^T."""
    itemsize, dtype = output.dtype.itemsize, output.dtype.name
    images, grid, kernel = g.shape[0], g.shape[2:], w.shape[2:]
    depth_of_g, channels = w.shape[0] // groups, w.shape[1]
    pixels, per_channel = prod(grid), prod(kernel)
    if not images * channels * groups:
        return []
    left = View(w.buffer, w.offset, (channels * per_channel, depth_of_g, 1, 1), (1, w.strides[0], 0, 0), w.dtype)
    batch = [(groups, depth_of_g * w.strides[0], depth_of_g * g.strides[1], channels * output.strides[1])]

    block_channels = even_blocks(channels, max(1, BLOCK_ROWS // per_channel // TILE_ROWS) * TILE_ROWS, TILE_ROWS)
    column_blocks = groups * ceil(channels / block_channels)
    block_images = max(1, min(BLOCK_PIXELS // pixels, ceil(images / ceil(threads / column_blocks))))
    depth = depth_block(depth_of_g, itemsize)
    columns = round_up(block_images * pixels, tile_columns(itemsize))
    tasks = column_blocks * ceil(images / block_images)
    flops = 2 * groups * channels * per_channel * depth_of_g * images * pixels
    add = Launch(
        kernel=CONV2D_INPUT[dtype],
        operands=(panels, g, output),
        sizes=(
            *(images, channels, depth_of_g, block_channels, block_images, depth, columns * depth),
            *(batch[0][2], batch[0][3], *output.strides[:2], *output.shape[2:]),
            *(*grid, *kernel, *axes[0], *axes[1]),
            *geometry(g, grid),
        ),
        tasks=tasks,
        grain=even_grain(tasks, threads, flops / FLOPS_PER_NANOSECOND),
        scratch=columns * (depth + round_up(block_channels * per_channel, ROW_UNIT)) * itemsize,
        flops=flops,
    )
    return [pack_launch(left, batch, panels, threads), add]
