"""Moving pixels between images and blocks of patches: the only code that knows what a convolution is.

A convolution is the product of a matrix of patches (pixels of the output x taps) and one of weights (taps x output
channels). The entry of the first for pixel ``p = (image, row, column)`` and tap ``t = (i, j, channel)`` is

    image[n, row * step_h + origin_h + i * tap_h, column * step_w + origin_w + j * tap_w, channel]

and 0 outside the image. The channels of a pixel lie side by side, so a patch is made of contiguous runs: KW pixels each
where all channels of an image are used and its taps are neighbours, else one pixel each. The geometry is 17 integers:

grid = (rows, columns)
    of output pixels in one image; p counts them in row-major order, image after image
source = (height, width, stride_n, stride_h, stride_w)
    of the image
window = (channels, kernel_h, step_h, origin_h, tap_h, runs, span, step_w, origin_w, tap_w)
    as in the formula above; a row of the window is `runs` runs of `span` pixels
"""

from symcnn.backends.cpu.simd import advance, lane_range, lanes, load, load_where, store, store_where
from symcnn.backends.cpu.tuned.arguments import helper
from symcnn.backends.cpu.tuned.blocks import copy_run
from symcnn.schedule.plan import View


@helper
def next_pixel(n, row, column, rows, columns):
    """(image, row, column) of the pixel after this one."""
    if column + 1 < columns:
        return n, row, column + 1
    if row + 1 < rows:
        return n, row + 1, 0
    return n + 1, 0, 0


@helper
def gather(target, pitch, image, grid, source, window, first, stop):
    """Copy the patches of the pixels ``first <= p < stop``, the first one to `target`, the next one to ``target + pitch``.

    Up to a vector after each patch is overwritten.
    """
    rows, columns = grid
    height, width, stride_n, stride_h, stride_w = source
    channels, kernel_h, step_h, origin_h, tap_h, runs, span, step_w, origin_w, tap_w = window
    column, row, n = first % columns, first // columns % rows, first // columns // rows
    length = span * channels
    short = lane_range(target, 0, length)
    for p in range(first, stop):
        place = advance(target, (p - first) * pitch)
        y, x = row * step_h + origin_h, column * step_w + origin_w
        line = advance(image, n * stride_n + y * stride_h + x * stride_w)
        inside = y >= 0 and y + (kernel_h - 1) * tap_h < height and x >= 0 and x + (runs - 1) * tap_w + span <= width
        if inside and length <= lanes(target):
            for _ in range(kernel_h):
                for j in range(runs):
                    store(place, 0, load_where(short, line, j * tap_w * stride_w))
                    place = advance(place, length)
                line = advance(line, tap_h * stride_h)
        else:
            for _ in range(kernel_h):
                reach = width if 0 <= y < height else 0
                for j in range(runs):
                    begin = x + j * tap_w
                    run = advance(line, j * tap_w * stride_w)
                    copy_run(place, run, length, -begin * channels, (reach - begin) * channels)
                    place = advance(place, length)
                line = advance(line, tap_h * stride_h)
                y += tap_h
        n, row, column = next_pixel(n, row, column, rows, columns)


@helper
def add_run(target, source, length, first, stop):
    """target[i] += source[i] for ``first <= i < stop`` within the length; nothing else is touched."""
    first, stop = max(first, 0), min(stop, length)
    whole = first + max(0, stop - first) // lanes(target) * lanes(target)
    for i in range(first, whole, lanes(target)):
        store(target, i, load(target, i) + load(source, i))
    if whole < stop:
        rest = lane_range(target, 0, stop - whole)
        store_where(rest, target, whole, load_where(rest, target, whole) + load_where(rest, source, whole))


@helper
def add_patches(image, source, pitch, grid, shape, window, first, stop):
    """The adjoint of `gather`: add the patches of the pixels ``first <= p < stop`` to the image."""
    rows, columns = grid
    height, width, stride_n, stride_h, stride_w = shape
    channels, kernel_h, step_h, origin_h, tap_h, runs, span, step_w, origin_w, tap_w = window
    column, row, n = first % columns, first // columns % rows, first // columns // rows
    length = span * channels
    for p in range(first, stop):
        patch = advance(source, (p - first) * pitch)
        y = row * step_h + origin_h
        line = advance(image, n * stride_n + y * stride_h)
        for _ in range(kernel_h):
            x = column * step_w + origin_w
            reach = width if 0 <= y < height else 0
            for _ in range(runs):
                add_run(advance(line, x * stride_w), patch, length, -x * channels, (reach - x) * channels)
                patch = advance(patch, length)
                x += tap_w
            y += tap_h
            line = advance(line, tap_h * stride_h)
        n, row, column = next_pixel(n, row, column, rows, columns)


def is_flat(view: View) -> bool:
    """Whether the positions along all axes but the last follow each other at one distance, channels side by side."""
    *shape, channels = view.shape
    *strides, inner = view.strides
    expected, even = row_stride(view), True
    for extent, stride in zip(reversed(shape), reversed(strides), strict=True):
        even &= extent == 1 or stride == expected
        expected *= extent
    return even and (inner == 1 or channels == 1)


def row_stride(view: View) -> int:
    """Elements from one position to the next, along the last of the axes before the last that has more than one."""
    axes = zip(reversed(view.shape[:-1]), reversed(view.strides[:-1]), strict=True)
    return next((stride for extent, stride in axes if extent > 1), view.shape[-1])


def geometry(image: View, grid, kernel, window, channels: int) -> tuple[int, ...]:
    """The integers of the grid, the source and the window of a convolution (see above).

    Parameters
    ----------
    image : View
        (N, H, W, C), channels side by side.
    grid, kernel : pair of int
    window : Window2d
    channels : int
        In each group.
    """
    size = image.shape[1:3]
    (top, _), (left, _) = window.pads(size, kernel)
    joined = pixels_joined(image, window, channels)
    runs, span = (1, kernel[1]) if joined else (kernel[1], 1)
    return (
        *grid,
        *(*size, *image.strides[:3]),
        *(channels, kernel[0], window.stride[0], -top, window.dilation[0]),
        *(runs, span, window.stride[1], -left, window.dilation[1]),
    )


def pixels_joined(image: View, window, channels: int) -> bool:
    """Whether a row of a patch is one run of contiguous numbers."""
    return window.dilation[1] == 1 and image.strides[2] == channels


def line_geometry(image: View, grid, kernel, window, channels: int) -> tuple[tuple[int, ...], tuple[int, int, int]]:
    """The geometry by which `gather` copies what all pixels of a line of the grid see, at once; runs must be joined.

    Row i of the window is one run for the whole line, in which patches of neighbouring pixels overlap. Also returns
    the strides of that copy: from one row of the window to the next, from one pixel to the next, and 1.
    """
    span = (grid[1] - 1) * window.stride[1] + kernel[1]
    whole = geometry(image, (grid[0], 1), kernel, window, channels)
    return (*whole[:13], span, *whole[14:]), (span * channels, window.stride[1] * channels, 1)
