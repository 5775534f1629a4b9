"""Blocks: choosing their sizes, packing them, multiplying them.

A product C = A B of any size is cut into blocks of rows of A that fit the second-level cache. B is packed once into
panels of `tile_columns` columns, ``[panel][depth][columns]``, padded with zeros; a few hundred steps of one panel are
used by all tiles of a block of rows, one after the other.
"""

from math import ceil

from symcnn.backends.cpu.simd import (
    VECTOR_BYTES,
    advance,
    lane_range,
    lanes,
    load,
    load_where,
    store,
    store_where,
    zero,
)
from symcnn.backends.cpu.tuned.arguments import helper
from symcnn.backends.cpu.tuned.tile import TILE_ROWS, TILE_VECTORS, rank_one_updates

# -- Choosing sizes ---------------------------------------------------------------------------------------------------

DEPTH = 512  # steps of a panel of B, 64 KiB
BLOCK_BYTES = 1 << 18  # of A, copied: a quarter of a second-level cache of 1 MiB
BLOCK_ROWS = 240

# To wake the other threads costs about 2 microseconds. What a nanosecond is worth, roughly:
WORTH_SPLITTING = 8000
FLOPS_PER_NANOSECOND = 50


def round_up(number: int, unit: int) -> int:
    """The smallest multiple of `unit` that is not less than `number`."""
    return -(-number // unit) * unit


def even_blocks(extent: int, limit: int, unit: int, multiple: int = 1) -> int:
    """Block length, a multiple of `unit` of about `limit` at most, that cuts `extent` into nearly equal blocks.

    Their number is a multiple of `multiple`, if there are enough units.
    """
    count = max(1, ceil(extent / max(limit, 1)))
    count = min(round_up(count, multiple), max(1, ceil(extent / unit)))
    return max(unit, round_up(ceil(extent / count), unit))


def even_grain(tasks: int, threads: int, nanoseconds: float) -> int:
    """Tasks per chunk for one chunk per thread, whose scratch memory then stays in that core's cache.

    Work that takes one thread less than `WORTH_SPLITTING` nanoseconds is left to one.
    """
    return max(1, tasks if nanoseconds < WORTH_SPLITTING else ceil(tasks / threads))


def row_pitch(length: int, itemsize: int) -> int:
    """Elements from one row of so many to the next in scratch memory.

    An odd number of cache lines: rows a power of two apart would compete for the same few places in a cache.
    """
    line = 64 // itemsize
    return (ceil(length / line) | 1) * line


def vector_length(itemsize: int) -> int:
    """Elements of one vector."""
    return VECTOR_BYTES // itemsize


# -- Multiplying ------------------------------------------------------------------------------------------------------


@helper
def multiply(a, b, c, rows, columns, depth, a_strides, b_strides, c_row, steps, add):
    """C += A B, or C = A B unless `add`.

    Parameters
    ----------
    a : pointer
        Rows of A, readable up to the next multiple of `ROW_UNIT`.
    b : pointer
        Panels of B, readable up to the next whole vector.
    c : pointer
        Row-major, with rows `c_row` apart.
    a_strides : (tile, row, step)
        The distance of a row from the first one of its tile, and ``1 / TILE_ROWS`` of that of two tiles.
    b_strides : (column, step)
        The first is ``1 / tile_columns`` of the distance of two panels.
    steps : int
        Length of a block of depth. It alone decides how sums are rounded.
    """
    a_tile, a_row, a_step = a_strides
    b_column, b_step = b_strides
    width = TILE_VECTORS * lanes(b)
    for first in range(0, max(depth, 1), steps):
        for column in range(0, columns, width):
            panel = advance(b, column * b_column + first * b_step)
            for row in range(0, rows, TILE_ROWS):
                rank_one_updates(
                    1, min(steps, depth - first), advance(a, row * a_tile + first * a_step), 0, a_row, a_step, panel, b_step,
                    advance(c, row * c_row + column), c_row, min(TILE_ROWS, rows - row), columns - column,
                    add or first > 0,
                )  # fmt: skip


@helper
def multiply_lines(a, b, c, rows, columns, lines, depth, a_line, a_row, c_row):
    """C = A B, where a row of A is `lines` pieces of `depth` steps, `a_line` apart, and B is packed.

    The rows of A may overlap: `a_row` is less than `depth` where they are patches of neighbouring pixels.
    """
    width = TILE_VECTORS * lanes(b)
    for column in range(0, columns, width):
        for row in range(0, rows, TILE_ROWS):
            rank_one_updates(
                lines, depth, advance(a, row * a_row), a_line, a_row, 1, advance(b, column * lines * depth), width,
                advance(c, row * c_row + column), c_row, min(TILE_ROWS, rows - row), columns - column, False,
            )  # fmt: skip


# -- Copying ----------------------------------------------------------------------------------------------------------


@helper
def clear(target, count):
    """target[:count] = 0, and up to a vector more."""
    for i in range(0, count, lanes(target)):
        store(target, i, zero(target))


@helper
def erase(target, count):
    """target[:count] = 0, and nothing else."""
    for i in range(0, count, lanes(target)):
        store_where(lane_range(target, 0, count - i), target, i, zero(target))


@helper
def copy_run(target, source, length, first, stop):
    """target[i] = source[i] for ``first <= i < stop`` and 0 for the other ``i < length``; up to a vector more is overwritten."""
    if first <= 0 and stop >= length:
        whole = length - length % lanes(target)
        for i in range(0, whole, lanes(target)):
            store(target, i, load(source, i))
        if whole < length:
            store(target, whole, load_where(lane_range(target, 0, length - whole), source, whole))
    else:
        for i in range(0, length, lanes(target)):
            inside = lane_range(target, first - i, min(stop, length) - i)
            store(target, i, load_where(inside, source, i))
