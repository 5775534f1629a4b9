"""How a block multiplies a stage that lies in shared memory: by the threads, each on its own, or by tensor cores."""

from __future__ import annotations

from symcnn.backends.cuda.tuned.source import divided, modulo
from symcnn.backends.cuda.tuned.tiles import Tile

WARP = 32
WARP_ROWS = 32


class Threads:
    """Each thread has runs of neighbouring rows and columns, spread over the tile, and multiplies them step by step."""

    def __init__(self, tile: Tile, left, right):
        self.tile, self.left, self.right = tile, left, right

    def setup(self) -> list[str]:
        """Where a thread's part of the tile begins."""
        across = self.tile.columns // self.tile.thread_columns
        return [
            f"own_row = int32({divided('thread', across)} * {self.tile.run})",
            f"own_column = int32({modulo('thread', across)} * {self.tile.run})",
        ]

    def multiply(self) -> list[str]:
        """Add the product of the stage at ``present`` to ``sums``."""
        tile, columns = self.tile, self.tile.thread_columns
        return [
            f"for k in range({tile.depth}):",
            f"    rows_at = uint64(uint32(present + k * {self.left.step_stride} + own_row))",
            f"    columns_at = uint64(uint32(present + k * {self.right.step_stride} + own_column + {self.left.size}))",
            f"    for i in range({tile.thread_rows}):",
            f"        a = shared[rows_at + {self._row('i')}]",
            f"        for j in range({columns}):",
            f"            b = shared[columns_at + {self._column('j')}]",
            f"            sums[i * {columns} + j] += a * b",
        ]

    def spread(self) -> list[str]:
        """Put the sums into shared memory as the tile."""
        tile = self.tile
        return [
            f"own_at = uint64(uint32(own_row * {tile.columns} + own_column))",
            f"for i in range({tile.thread_rows}):",
            f"    for j in range({tile.thread_columns}):",
            f"        at = {self._row('i')} * uint64({tile.columns}) + {self._column('j')}",
            f"        shared[own_at + at] = sums[i * {tile.thread_columns} + j]",
        ]

    def _row(self, number):
        """How far a thread's row `number` is from its first."""
        return _apart(self.tile.rows, self.tile.thread_rows, self.tile.run, number)

    def _column(self, number):
        return _apart(self.tile.columns, self.tile.thread_columns, self.tile.run, number)


def _apart(extent: int, own: int, run: int, number: str) -> str:
    return f"uint64({number} // {run} * {extent // (own // run)} + {number} % {run})"


class TensorCores:
    """Each warp has a rectangle of the tile, and multiplies it in pieces of 16 x 8 x 8.

    See `symcnn.backends.cuda.tensor_cores`.
    """

    def __init__(self, tile: Tile, left, right):
        self.tile, self.left, self.right = tile, left, right
        self.warp_columns = tile.rows * tile.columns // (tile.threads // WARP) // WARP_ROWS

    def setup(self):
        across = self.tile.columns // self.warp_columns
        return [
            f"lane = int32({modulo('thread', WARP)})",
            f"warp = int32({divided('thread', WARP)})",
            f"own_row = int32({divided('warp', across)} * {WARP_ROWS})",
            f"own_column = int32({modulo('warp', across)} * {self.warp_columns})",
        ]

    def multiply(self):
        left, right = self.left, self.right
        place = f"present + (own_row + i * 16) * {left.own_stride} + k * {8 * left.step_stride}"
        other = f"present + {left.size} + (own_column + j * 8) * {right.own_stride} + k * {8 * right.step_stride}"
        return [
            f"for k in range({self.tile.depth // 8}):",
            f"    for i in range({WARP_ROWS // 16}):",
            f"        for j in range({self.warp_columns // 8}):",
            f"            a = uint32({place})",
            f"            b = uint32({other})",
            f"            own = uint32((i * {self.warp_columns // 8} + j) * 4)",
            "            multiply_tiles("
            f"shared, a, {left.own_stride}, {left.step_stride}, b, {right.own_stride}, {right.step_stride}, sums, own, lane)",
        ]

    def spread(self):
        return [
            f"first_at = int32((own_row + (lane >> 2)) * {self.tile.columns} + own_column + 2 * (lane & 3))",
            f"for i in range({WARP_ROWS // 16}):",
            f"    for j in range({self.warp_columns // 8}):",
            "        for k in range(4):",
            f"            at = first_at + (i * 16 + k // 2 * 8) * {self.tile.columns} + j * 8 + k % 2",
            f"            shared[uint32(at)] = sums[(i * {self.warp_columns // 8} + j) * 4 + k]",
        ]
