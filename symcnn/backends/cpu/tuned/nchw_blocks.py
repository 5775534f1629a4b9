"""Blocks: choosing their sizes, moving them, multiplying them.

A product C = A B of any size is cut into blocks that fit the caches:

* A is packed into panels of `TILE_ROWS` rows stored depth-major, ``[depth][rows]``; a ragged last panel is narrower,
  a multiple of `ROW_UNIT`;
* a block of B, `depth` x `columns`, is packed into panels of `tile_columns` columns, ``[depth][columns]``;
* the block of C is kept row-major in scratch memory.

All three are padded with rows and columns that nobody reads back, so no edge is left for the multiplication to handle:
edges live in the packing and in the final copy of C to its place. That copy is also what lets C have any strides.
"""

from math import ceil

from symcnn.backends.cpu.simd import advance, lane_range, lanes, load, load_where, store, store_where, zero
from symcnn.backends.cpu.tuned.arguments import helper
from symcnn.backends.cpu.tuned.nchw_tile import ROW_UNIT, TILE_ROWS, TILE_VECTORS, rank_one_updates, tile_columns

# -- Choosing sizes ---------------------------------------------------------------------------------------------------

# At most 256 x 256 float32 numbers of B and 240 x 256 of C: together they fill half of a second-level cache of 1 MiB,
# from where B streams while a panel of A (12 KiB) stays in the first-level cache.
DEPTH_BYTES = 1024
COLUMN_BYTES = 1024
BLOCK_ROWS = 240

# To wake the other threads costs about 2 microseconds. What a nanosecond is worth, roughly:
WORTH_SPLITTING = 8000
FLOPS_PER_NANOSECOND = 50


def round_up(number: int, unit: int) -> int:
    """The smallest multiple of `unit` that is not less than `number`."""
    return -(-number // unit) * unit


def even_blocks(extent: int, limit: int, unit: int) -> int:
    """Block length, a multiple of `unit` of about `limit` at most, that cuts `extent` into nearly equal blocks."""
    count = max(1, ceil(extent / limit))
    return max(unit, round_up(ceil(extent / count), unit))


def depth_block(depth: int, itemsize: int) -> int:
    """How much of the summed axis is packed at a time: the same for any thread count, so that sums are."""
    return even_blocks(depth, DEPTH_BYTES // itemsize, 1)


def product_blocks(m: int, n: int, itemsize: int, others: int, threads: int) -> tuple[int, int]:
    """Rows and columns of a block of C, for `others` products of m x n on so many threads."""
    unit = tile_columns(itemsize)
    rows = even_blocks(m, BLOCK_ROWS, TILE_ROWS)
    columns = even_blocks(n, COLUMN_BYTES // itemsize, unit)
    while others * ceil(m / rows) * ceil(n / columns) < threads:
        if columns > unit and columns >= rows:
            columns = even_blocks(n, columns // 2, unit)
        elif rows > TILE_ROWS:
            rows = even_blocks(m, rows // 2, TILE_ROWS)
        else:
            break
    return rows, columns


def even_grain(tasks: int, threads: int, nanoseconds: float) -> int:
    """Tasks per chunk for one chunk per thread, whose scratch memory then stays in that core's cache.

    Work that takes one thread less than `WORTH_SPLITTING` nanoseconds is left to one.
    """
    return max(1, tasks if nanoseconds < WORTH_SPLITTING else ceil(tasks / threads))


def padded_size(m: int, n: int, itemsize: int) -> int:
    """Elements that the tile computes for an m x n result."""
    return round_up(m, ROW_UNIT) * round_up(n, tile_columns(itemsize))


# -- Copying ----------------------------------------------------------------------------------------------------------


@helper
def pad(extent, unit):
    """`round_up` for kernels."""
    return (extent + unit - 1) // unit * unit


@helper
def clear(target, count):
    """target[:count] = 0; `count` is a multiple of the vector width."""
    for i in range(0, count, lanes(target)):
        store(target, i, zero(target))


@helper
def copy_lines(target, target_pitch, source, source_pitch, lines, length, first, stop):
    """Copy so many lines of `length` elements: those at ``first <= i < stop``, and 0 in place of the others.

    No memory outside of the lines is touched.
    """
    stop = min(stop, length)
    for i in range(0, length, lanes(target)):
        wanted, inside = lane_range(target, 0, length - i), lane_range(target, first - i, stop - i)
        for line in range(lines):
            store_where(wanted, target, line * target_pitch + i, load_where(inside, source, line * source_pitch + i))


@helper
def copy(target, source, count):
    """target[:count] = source[:count]."""
    whole = count - count % lanes(target)
    for i in range(0, whole, lanes(target)):
        store(target, i, load(source, i))
    if whole < count:
        rest = lane_range(target, 0, count - whole)
        store_where(rest, target, whole, load_where(rest, source, whole))


# -- Multiplying ------------------------------------------------------------------------------------------------------


@helper
def panel_rows(rows_left):
    """Rows of the panel of A that starts `rows_left` rows before the end."""
    return min(TILE_ROWS, pad(rows_left, ROW_UNIT))


@helper
def multiply(a, a_depth, first, depth, b, c, rows, columns):
    """C += A B on packed blocks.

    Parameters
    ----------
    a : pointer
        Panels of A, each `a_depth` steps deep, of which the `depth` steps from `first` on are used.
    b : pointer
        Panels of B, each `depth` steps deep.
    c : pointer
        Block of C, row-major, its rows padded to `ROW_UNIT` and its `columns` a multiple of the tile.
    """
    width = TILE_VECTORS * lanes(b)
    for row in range(0, rows, TILE_ROWS):
        height = panel_rows(rows - row)
        panel = advance(a, row * a_depth + first * height)
        for column in range(0, columns, width):
            place = advance(c, row * columns + column)
            rank_one_updates(height, depth, panel, advance(b, column * depth), place, columns)
