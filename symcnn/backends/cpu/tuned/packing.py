"""Matrices packed into panels, so that the numbers that meet in one step of a product lie side by side.

A panel holds some columns of a matrix, padded with zeros, as ``[depth][column]``. Columns and depth may each run along
three axes, such as the rows, columns and channels of a window.
"""

from dataclasses import dataclass
from itertools import chain
from math import ceil, prod

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import advance, integers, lane_range, lanes, load_where, store_where
from symcnn.backends.cpu.tuned.arguments import arguments, both_precisions, helper, operand, sizes
from symcnn.backends.cpu.tuned.blocks import even_grain, round_up, vector_length
from symcnn.schedule.plan import View

BATCH_AXES = 4
PACK_DEPTH = 64  # steps of a panel, 8 KiB, that stay in the first-level cache while its columns are filled in


@helper
def batch_offset(axes, batch, which):
    """Offset of batch number `batch` in X (0), W (1) or Y (2).

    `axes` points to (extent, stride in X, in W, in Y) of each batch axis, the last axis first.
    """
    offset = 0
    for axis in range(BATCH_AXES):
        extent = axes[4 * axis]
        offset += batch % extent * axes[4 * axis + 1 + which]
        batch //= extent
    return offset


def pack(dtype):
    """Pack matrices into panels [matrix][panel][depth][column]; a task is one panel.

    Operands: source, panels. Sizes: width of a panel; members on the diagonal of a matrix, elements from one to the
    next; of a member, extents of the three axes of a column and of the three of depth, and their strides; the matrices
    as batch axes, with their strides where X would be.
    """

    def kernel(lo, hi, args):
        block = arguments(args)
        source, panels = operand(block, 0, dtype), operand(block, 1, dtype)
        size = sizes(block, 2)
        width, members, of_member = integers(size, 0, 3)
        columns_i, columns_j, columns_c, depth_i, depth_j, depth_c = integers(size, 3, 6)
        column_i, column_j, column_c, step_i, step_j, step_c = integers(size, 9, 6)
        axes = advance(size, 15)
        per_above = members * columns_c
        columns, steps = columns_i * columns_j * per_above, members * depth_c
        per_matrix = (columns + width - 1) // width
        for task in range(lo, hi):
            first = task % per_matrix * width
            used = min(width, columns - first)
            matrix = advance(source, batch_offset(axes, task // per_matrix, 0))
            panel = advance(panels, task * depth_i * depth_j * steps * width)
            in_vectors = column_c == 1 and columns == columns_c
            for i in range(depth_i):
                for j in range(depth_j):
                    line = advance(matrix, i * step_i + j * step_j)
                    for begin in range(0, steps, PACK_DEPTH):
                        end = min(begin + PACK_DEPTH, steps)
                        if in_vectors:
                            for q in range(0, width, lanes(panel)):
                                inside, there = lane_range(panel, 0, used - q), lane_range(panel, 0, width - q)
                                for t in range(begin, end):
                                    numbers = load_where(inside, line, first + t * step_c + q)
                                    store_where(there, panel, t * width + q, numbers)
                        else:
                            for q in range(width):
                                above, c = (first + q) // per_above, (first + q) % per_above
                                member, c = c // columns_c, c % columns_c
                                column = advance(line, above // columns_j * column_i + above % columns_j * column_j)
                                column = advance(column, member * (of_member - depth_c * step_c) + c * column_c)
                                there = min(max(begin, member * depth_c), end)
                                over = max(there, min(end, (member + 1) * depth_c)) if q < used else there
                                for t in range(begin, there):
                                    panel[t * width + q] = 0
                                for t in range(there, over):
                                    panel[t * width + q] = column[t * step_c]
                                for t in range(over, end):
                                    panel[t * width + q] = 0
                    panel = advance(panel, steps * width)

    return kernel


PACK = both_precisions(pack)


def padded_axes(batch) -> list[int]:
    """The batch axes as integers, filled up with axes of one."""
    return list(chain(*batch, *[(1, 0, 0, 0)] * (BATCH_AXES - len(batch))))


@dataclass(frozen=True)
class Packing:
    """Matrices packed into panels.

    Attributes
    ----------
    source : View
        One of them: the three axes of its columns, then the three of its depth.
    width : int
        Columns of a panel.
    batch : tuple of (extent, stride)
        Their axes, the last one first.
    members, member_stride : int
        So many matrices, so far apart, follow each other on the diagonal of a packed one: its columns count (i, j,
        member, c), its depth likewise, and where the members differ it is zero.
    """

    source: View
    width: int
    batch: tuple[tuple[int, int], ...] = ()
    members: int = 1
    member_stride: int = 0

    @property
    def columns(self) -> int:
        return prod(self.source.shape[:3]) * self.members

    @property
    def matrix(self) -> int:
        """Elements of one packed matrix."""
        return round_up(self.columns, self.width) * prod(self.source.shape[3:]) * self.members

    @property
    def bytes(self) -> int:
        """In whole cache lines, with room to read a vector beyond the end."""
        elements = self.matrix * prod(extent for extent, _ in self.batch) + vector_length(self.source.dtype.itemsize)
        return round_up(elements * self.source.dtype.itemsize, 64)

    def batch_strides(self) -> list[int]:
        """Elements from one packed matrix to the next along each batch axis."""
        extents = [extent for extent, _ in self.batch]
        return [self.matrix * prod(extents[:k]) for k in range(len(extents))]

    def launch(self, panels: View, threads: int) -> Launch:
        count = prod(extent for extent, _ in self.batch)
        tasks = count * ceil(self.columns / self.width)
        return Launch(
            kernel=PACK[self.source.dtype.name],
            operands=(self.source, panels),
            sizes=(
                *(self.width, self.members, self.member_stride, *self.source.shape, *self.source.strides),
                *padded_axes([(extent, stride, 0, 0) for extent, stride in self.batch]),
            ),
            tasks=tasks,
            grain=even_grain(tasks, threads, count * prod(self.source.shape)),
            prepares=self.bytes,
        )
