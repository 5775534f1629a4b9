"""Moving pixels between images and packed blocks: the only code that knows what a convolution is.

A convolution is the product of a matrix of weights (output channels x taps) and a matrix of pixels (taps x output
pixels), which is never stored. Its entry for tap ``t = (channel, i, j)`` and output pixel
``p = (image, row, column)`` is read straight from the image:

    image[n, channel, row * step_h + origin_h + i * tap_h, column * step_w + origin_w + j * tap_w]

and is 0 outside the image. `gather` writes a block of it; `scatter` takes a finished block of results to its place.
Three tuples of integers describe the geometry:

grid = (rows, columns)
    of output pixels in one image; p counts them in row-major order, image after image
source = (height, width, stride_n, stride_c, stride_h, stride_w)
    of the image
window = (kernel_h, kernel_w, step_h, origin_h, tap_h, step_w, origin_w, tap_w)
    as in the formula above

Output pixels are handled in runs that stay within one row, because there the image is read with one stride.
"""

from symcnn.backends.cpu.simd import advance, lanes
from symcnn.backends.cpu.tuned.arguments import helper
from symcnn.backends.cpu.tuned.nchw_blocks import copy, copy_lines
from symcnn.schedule.plan import View


@helper
def gather(target, pitch, image, grid, source, window, taps, pixels):
    """Write the matrix of pixels for the taps[0] <= t < taps[1] and pixels[0] <= p < pixels[1].

    Row t starts at ``target[(t - taps[0]) * pitch]``.
    """
    rows, columns = grid
    height, width, stride_n, stride_c, stride_h, stride_w = source
    kernel_h, kernel_w, step_h, origin_h, tap_h, step_w, origin_w, tap_w = window
    per_channel = kernel_h * kernel_w
    first_channel, first_tap = taps[0] // per_channel, taps[0] % per_channel
    last_channel, last_tap = taps[1] // per_channel, taps[1] % per_channel
    p, stop = pixels
    n, within = p // (rows * columns), p % (rows * columns)
    row, column = within // columns, within % columns
    while p < stop:
        run = min(columns - column, stop - p)
        place, shown = advance(target, p - pixels[0]), advance(image, n * stride_n)
        if per_channel == 1 and stride_c < step_w * stride_w:
            _gather_transposed(place, pitch, shown, row, column, run, source, window, taps)
        else:
            for i in range(kernel_h):
                y = row * step_h + origin_h + i * tap_h
                reach = width if 0 <= y < height else 0
                for j in range(kernel_w):
                    # The same tap of all channels reads the same pixels: one look at the borders serves them all.
                    tap, x = i * kernel_w + j, column * step_w + origin_w + j * tap_w
                    channel = first_channel + (tap < first_tap)
                    channels = last_channel + (tap < last_tap) - channel
                    lines = advance(place, (channel * per_channel + tap - taps[0]) * pitch)
                    seen = advance(shown, channel * stride_c + y * stride_h + x * stride_w)
                    if step_w == 1 and stride_w == 1:
                        copy_lines(lines, per_channel * pitch, seen, stride_c, channels, run, -x, reach - x)
                    else:
                        for _ in range(channels):
                            for q in range(run):
                                inside = 0 <= x + q * step_w < reach
                                lines[q] = seen[q * step_w * stride_w] if inside else 0
                            lines, seen = advance(lines, per_channel * pitch), advance(seen, stride_c)
        p += run
        column = 0
        row += 1
        if row == rows:
            row = 0
            n += 1


@helper
def _gather_transposed(target, pitch, image, row, column, run, source, window, taps):
    """A run seen through a window of one point, in an image whose channels are nearer to each other than its pixels.

    Short stretches of channels keep both the lines that are read and the lines that are written in cache.
    """
    height, width, _, stride_c, stride_h, stride_w = source
    _, _, step_h, origin_h, _, step_w, origin_w, _ = window
    y = row * step_h + origin_h
    for first in range(taps[0], taps[1], lanes(target)):
        last = min(first + lanes(target), taps[1])
        for q in range(run):
            x = (column + q) * step_w + origin_w
            inside = 0 <= y < height and 0 <= x < width
            pixel = advance(image, y * stride_h + x * stride_w)
            for t in range(first, last):
                target[(t - taps[0]) * pitch + q] = pixel[t * stride_c] if inside else 0


@helper
def scatter(image, grid, strides, block, pitch, channels, pixels):
    """Copy row m of a block of results to channel m of the image, for the pixels[0] <= p < pixels[1].

    ``strides = (n, channel, row, column)`` are those of the image.
    """
    rows, columns = grid
    stride_n, stride_c, stride_h, stride_w = strides
    p, stop = pixels
    while p < stop:
        n, within = p // (rows * columns), p % (rows * columns)
        row, column = within // columns, within % columns
        run = min(columns - column, stop - p)
        place = advance(image, n * stride_n + row * stride_h + column * stride_w)
        for m in range(channels):
            result = advance(block, m * pitch + p - pixels[0])
            if stride_w == 1:
                copy(advance(place, m * stride_c), result, run)
            else:
                for q in range(run):
                    place[m * stride_c + q * stride_w] = result[q]
        p += run


UNIT_AXES = ((1, 0, 1), (1, 0, 1))  # output row r sees image row r + i


def joined_rows(grid, strides_hw) -> tuple[int, int]:
    """`grid` as one long row where memory allows it, since longer runs are faster."""
    rows, columns = grid
    stride_h, stride_w = strides_hw
    return (1, rows * columns) if stride_h == columns * stride_w else (rows, columns)


def window_axes(window, size, kernel) -> tuple[tuple[int, int, int], ...]:
    """How the output of a convolution sees an image of that size: (step, origin, tap) of its rows and its columns."""
    before = [pair[0] for pair in window.pads(size, kernel)]
    return tuple((step, -pad, tap) for step, pad, tap in zip(window.stride, before, window.dilation, strict=True))


def geometry(image: View, grid, kernel=(1, 1), axes=UNIT_AXES) -> tuple[int, ...]:
    """The 16 integers of the grid, the source and the window through which a grid of pixels sees an image.

    Parameters
    ----------
    image : View
        NCHW.
    grid, kernel : pair of int
    axes : pair of (step, origin, tap)
        For the rows and for the columns.
    """
    size = image.shape[2:]
    if tuple(kernel) == (1, 1) and axes == UNIT_AXES and grid == size:
        grid = size = joined_rows(grid, image.strides[2:])
    return (*grid, *size, *image.strides, *kernel, *axes[0], *axes[1])
