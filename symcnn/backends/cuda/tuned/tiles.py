"""Tiles: how much of a product one block of threads computes, and how it is shared among them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil


@dataclass(frozen=True)
class Tile:
    """A block's part of a product.

    Attributes
    ----------
    rows, columns : int
        Of the result, for a block.
    depth : int
        Steps of the sum that are in shared memory at a time.
    thread_rows, thread_columns : int
        Of the result, for a thread.
    run : int
        How many of its rows, and of its columns, are neighbours: what one load from shared memory brings.
    tensor : bool
        Whether tensor cores multiply, in tf32.
    """

    rows: int
    columns: int
    depth: int
    thread_rows: int
    thread_columns: int
    run: int
    tensor: bool = False

    @property
    def threads(self) -> int:
        return self.rows // self.thread_rows * (self.columns // self.thread_columns)

    @property
    def pad(self) -> int:
        """Elements between the steps of an operand in shared memory: so threads that work together meet in no bank."""
        return 8 if self.tensor else self.run


WIDE = Tile(128, 64, 16, 8, 4, 4)
EVEN = Tile(64, 64, 16, 4, 4, 4)
TALL = Tile(128, 32, 16, 4, 4, 4)
FLAT = Tile(32, 128, 16, 4, 4, 4)
SMALL = Tile(8, 8, 4, 2, 2, 2)

LARGE = {"float32": (WIDE, EVEN, TALL, FLAT), "float64": (EVEN, TALL, FLAT)}
NARROW = 32
PROCESSORS = 132  # of an H100; others differ too little to change a choice


MANY = 1 << 20
"""Rows of products that have many."""


def tiles(geometry, dtype: str, rows: int | None, columns: int | None, tf32: bool = False) -> tuple[Tile, ...]:
    """Every tile that products of so many rows and columns may take; ``None`` for numbers that are not known.

    If they may be computed in `tf32`, tensor cores do, where the geometry has them.
    """
    if geometry.tile != "large":
        return (SMALL,)
    found = set()
    if rows is None or columns is None or min(rows, columns) > NARROW:
        found |= {WIDE, EVEN}
    if columns is None or columns <= NARROW:
        found.add(TALL)
    if (rows is None or rows <= NARROW) and (columns is None or columns > NARROW):
        found.add(FLAT)
    tensor = tf32 and dtype == "float32" and geometry.tensor_cores
    return tuple(replace(tile, tensor=tensor) for tile in LARGE[dtype] if tile in found)


def tile_for(among: tuple[Tile, ...], rows: int, columns: int, outer: int) -> Tile:
    """The tile with which `outer` products of so many rows and columns take the least time, roughly.

    Blocks run in rounds of two per processor; the part of a tile beyond the edges is computed for nothing, and small
    tiles load more for each number that they compute.
    """

    def cost(tile):
        blocks = outer * ceil(rows / tile.rows) * ceil(columns / tile.columns)
        work = tile.rows * tile.columns + 24 * (tile.rows + tile.columns)
        return max(blocks, PROCESSORS) * work

    return min(among, key=cost)


def pieces_for(tile: Tile, rows: int, columns: int, depth: int, outer: int) -> tuple[int, int]:
    """(pieces, steps of each) into which the sum is cut so that there are blocks enough for every processor.

    A piece is whole stages, and long enough to be worth being added up afterwards.
    """
    blocks = max(1, outer * ceil(rows / tile.rows) * ceil(columns / tile.columns))
    wanted = max(1, 2 * PROCESSORS // blocks)
    shortest = 8 * tile.depth
    pieces = max(1, min(wanted, depth // shortest))
    steps = max(1, ceil(depth / pieces / tile.depth)) * tile.depth
    return max(1, ceil(depth / steps)), steps


def row_tiles(tile: Tile, rows: int) -> int:
    """How many tiles the rows of one product make."""
    return ceil(rows / tile.rows)


def blocks_for(tile: Tile, rows: int, columns: int, outer: int, pieces: int = 1) -> tuple[int, int, int]:
    """The grid: tiles of rows of one product after the other, tiles of columns, pieces of the sum."""
    return outer * row_tiles(tile, rows), ceil(columns / tile.columns), pieces
