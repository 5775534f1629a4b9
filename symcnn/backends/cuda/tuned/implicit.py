"""Convolution and its input gradient as products that gather their left side: implicit GEMM.

Rows are the pixels of the result, steps the taps of a window with their channels, columns the channels of the result.
What the two have in common is here; a `Problem` says in which they differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product as pairs
from math import prod

import numpy as np

from symcnn.backends.cuda.launch import Kernel, Launch
from symcnn.backends.cuda.tuned.adding import Adder, piece_view
from symcnn.backends.cuda.tuned.operands import Filters, Matrix, Patches
from symcnn.backends.cuda.tuned.packing import matrix_size, packer, packing
from symcnn.backends.cuda.tuned.precision import VECTOR, is_wide, may_be_wide, one_precision
from symcnn.backends.cuda.tuned.source import Ending
from symcnn.backends.cuda.tuned.template import product
from symcnn.backends.cuda.tuned.tiles import MANY, Tile, blocks_for, pieces_for, row_tiles, tile_for, tiles
from symcnn.schedule.plan import View

PRODUCT = ("rows", "columns", "row_tiles", "steps")
IMAGE = ("channels", "seen_h", "seen_w", "of_image", "of_row", "of_pixel", "count_h", "count_w")
RIGHT = {
    Filters: ("of_group", "of_channel", "of_column", "filter_row", "filter_column"),
    Matrix: ("right_group", "right_class", "right_own", "right_step", "right_along"),
}
PLACES = (
    "line = quotient(element, columns)",
    "row = rest(line, rows)",
    "column = int32(quotient(line, rows) * columns + rest(element, columns))",
    "at = element",
)
NEAR = 1 << 16  # bytes that the nearest cache holds beside everything else


@dataclass(frozen=True)
class Problem:
    """What is to be multiplied.

    Attributes
    ----------
    image, filters : View
    groups, classes : int
        There is a product for each group and class of pixels; see `symcnn.backends.cuda.tuned.conv2d_input`.
    rows, columns : int
        Of a product.
    channels : int
        Of the image, in a group.
    seen_channel : int
        Which axis of the filters the channels of the image are; the other one's are those of the result.
    count : (int, int)
        Rows and columns of pixels.
    jump : (int, int)
        How far the taps of a class are apart in the window.
    window : dict
        Name -> integer: what else the kernel takes.
    """

    image: View
    filters: View
    groups: int
    classes: int
    rows: int
    columns: int
    channels: int
    seen_channel: int
    count: tuple[int, int]
    jump: tuple[int, int]
    window: dict[str, int]

    @property
    def matrix(self) -> int:
        """Elements of the filters of a product, if it has as many taps as any."""
        return matrix_size(self.channels, self.columns, self.filters.shape[2:], self.jump)

    @property
    def packed(self) -> bool:
        return right_side(self.filters.shape) is Matrix and self.filters.shape[2:] != (1, 1)

    @property
    def packed_count(self) -> int:
        return self.groups * prod(self.jump) * self.matrix if self.packed else 0

    @property
    def wide(self) -> tuple[bool, bool]:
        """Whether four neighbours can be loaded at once: channels of the image, and numbers of the filters."""
        if self.packed:
            right = self.filters.dtype == np.dtype("float32") and self.columns % VECTOR == 0
        else:
            right = is_wide(self.filters.shape[1], replace(self.filters, strides=(*self.filters.strides[:2], 0, 0)), 1)
        return is_wide(self.channels, self.image), right

    def strides(self) -> tuple[int, ...]:
        """Of the filters: from one group, channel, column, row tap and column tap to the next."""
        strides = self.filters.strides
        per_group = self.channels if self.seen_channel == 0 else self.columns
        return per_group * strides[0], strides[self.seen_channel], strides[1 - self.seen_channel], *strides[2:]

    def cut(self, geometry) -> tuple[Tile, int, int]:
        """The tile, and into how many pieces of how many steps the sum is cut."""
        dtype, outer = self.image.dtype.name, self.groups * self.classes
        tile = tile_for(tiles(geometry, dtype, MANY, self.columns, tf32=True), self.rows, self.columns, outer)
        depth = self.channels * prod(self.filters.shape[2:])
        if self.classes > 1:
            return tile, 1, max(depth, 1)
        return tile, *pieces_for(tile, self.rows, self.columns, depth, outer)

    def integers(self, tile: Tile, steps: int) -> dict[str, int]:
        """The arguments of the kernel by name."""
        (_, height, width, _), strides = self.image.shape, self.strides()
        found = {
            "rows": self.rows, "columns": self.columns, "row_tiles": row_tiles(tile, self.rows), "steps": steps,
            "channels": max(self.channels, 1), "seen_h": height, "seen_w": width,
            "of_image": self.image.strides[0], "of_row": self.image.strides[1], "of_pixel": self.image.strides[2],
            "count_h": self.count[0], "count_w": self.count[1],
        }  # fmt: skip
        found |= self.window
        if right_side(self.filters.shape) is Filters:
            return found | dict(zip(RIGHT[Filters], strides, strict=True))
        numbers = (prod(self.jump) * self.matrix, self.matrix, 1, self.columns, 0)
        if not self.packed:
            of_group, of_channel, of_column, *_ = strides
            numbers = (of_group, 0, of_column, of_channel, int(of_channel < of_column))
        return found | dict(zip(RIGHT[Matrix], numbers, strict=True))


def right_side(shape):
    """How the filters (O, C / groups, KH, KW) are read: packed (or 1 x 1) as a `Matrix`, else as `Filters`; ``None`` if
    that cannot be said yet."""
    *channels, height, width = shape
    if (height, width) == (1, 1):
        return Matrix
    if None in shape:
        return None
    return Matrix if 4 * prod(shape) > NEAR and 1 not in channels else Filters


class Implicit:
    """The entries of convolutions and input gradients.

    Attributes
    ----------
    title : str
    seen_channel : int
        See `Problem`.
    window : tuple of str
        The names of `Problem.window`.
    """

    title: str
    seen_channel: int
    window: tuple[str, ...]

    def problem(self, op, output: View, operands) -> Problem:
        """What is to be multiplied for these sizes."""
        raise NotImplementedError

    def before(self, right) -> list[str]:
        """Lines that compute, for product number ``outer``, where its operands begin, ``depth``, and what `Patches` need."""
        raise NotImplementedError

    def place(self, op) -> list[str]:
        """Lines that find the ``row`` and ``column`` of the result, and whether it is ``inside``."""
        raise NotImplementedError

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types, output_type)

    def algorithm_for(self, op, output: View, operands) -> str:
        return "implicit GEMM"

    def workspace(self, op, output: View, operands, geometry) -> int:
        if not prod(output.shape):
            return 0
        problem, itemsize = self.problem(op, output, operands), output.dtype.itemsize
        _, pieces, _ = problem.cut(geometry)
        return itemsize * (problem.packed_count + (pieces * prod(output.shape) if pieces > 1 else 0))

    def kernels(self, op, types, output_type, finish, geometry) -> list[Kernel]:
        dtype, made = output_type.dtype.name, output_type.shape[3]
        columns = None if made is None else made // op.inner.window.groups
        right = right_side(types[1].shape)
        endings = Ending(dtype, finish), Ending(dtype)
        found = [
            self._product(op, tile, side, wide, ending)
            for tile in tiles(geometry, dtype, MANY, columns, tf32=True)
            for side in ((Matrix, Filters) if right is None else (right,))
            for wide in self._widths(types[1].shape, op.inner.window.groups, columns, dtype)
            for ending in endings
        ]
        return [packer(dtype, geometry), *found, *Adder(dtype, finish, ("rows", "columns"), PLACES, geometry).kernels()]

    def _widths(self, shape, groups: int, columns: int | None, dtype: str):
        """Whether either side may be loaded four numbers at a time, if operands are contiguous."""
        seen = shape[self.seen_channel]
        channels = seen if seen is None or self.seen_channel == 1 else seen // groups
        inner = shape[1] if tuple(shape[2:]) == (1, 1) else columns
        right = (False,) if right_side(shape) is Filters else may_be_wide(inner, dtype)
        return dict.fromkeys(pairs(may_be_wide(channels, dtype), right))

    def launches(self, op, types, output_type, output, operands, finish, geometry, workspace) -> list[Launch]:
        count, dtype = prod(output.shape), output.dtype.name
        if not count:
            return []
        problem, launches = self.problem(op, output, operands), []
        filters, partial = problem.filters, None
        if problem.packed:
            filters = piece_view(workspace, dtype, problem.packed_count)
            launches.append(packing(problem, filters, geometry))
        tile, pieces, steps = problem.cut(geometry)
        if pieces > 1:
            partial = piece_view(workspace, dtype, pieces * count, output.dtype.itemsize * problem.packed_count)
        ending = Ending(dtype, finish if partial is None else None)
        right = right_side(problem.filters.shape)
        integers = problem.integers(tile, steps)
        launches.append(
            Launch(
                kernel=self._product(op, tile, right, problem.wide, ending),
                operands=(problem.image, filters, *ending.views(partial)),
                sizes=(*(integers[name] for name in self._integers(right)), *ending.sizes()),
                grid=blocks_for(tile, problem.rows, problem.columns, problem.groups * problem.classes, pieces),
            )
        )
        if partial is not None:
            adder = Adder(dtype, finish, ("rows", "columns"), PLACES, geometry)
            launches.append(adder.launch(partial, pieces, count, (problem.rows, problem.columns)))
        return launches

    def _integers(self, right) -> tuple[str, ...]:
        return (*PRODUCT, *IMAGE, *self.window, *RIGHT[right])

    def _product(self, op, tile: Tile, right, wide: tuple[bool, bool], ending: Ending) -> Kernel:
        dtype = ending.dtype
        place = self.place(op) if ending.finish else []
        guarded = any(line.startswith("inside =") for line in place)
        return product(
            self.title, tile, (dtype, dtype), Patches(tile, "x0", "left", dtype, wide[0]), right(tile, "x1", "right", dtype, right is Matrix and wide[1]),
            ending, self._integers(right), self.before(right), place, guarded,
        )  # fmt: skip
