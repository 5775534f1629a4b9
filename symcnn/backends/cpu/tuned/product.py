"""The one product behind `MatMul`, `Conv2d` and its gradient: Y[p, k] = sum_t X[p, t] W[t, k], in batches and in groups.

X is a matrix or the patches of an image (see `pixels`); it is read in place where its rows lie well, else a block of
rows is copied to scratch memory. W is packed once, or read in place where it is used for a few rows only. Y is written
to its place where channels lie side by side, else to scratch memory and copied; or left there, where an epilogue is
its only reader.

Launches: `pack` (see `packing`) packs matrices, `product` computes Y block by block, and `finish_rows` runs the
epilogue where the tasks of `product` are parts of rows.
"""

from dataclasses import dataclass, replace
from math import ceil, prod
from typing import Any

import numpy as np

from symcnn.backends.cpu.launch import Launch
from symcnn.backends.cpu.simd import advance, integers, lanes
from symcnn.backends.cpu.tuned.arguments import (
    arguments,
    both_precisions,
    finish,
    finish_kept,
    keeps_rows,
    operand,
    scratch,
    sizes,
)
from symcnn.backends.cpu.tuned.blocks import (
    BLOCK_BYTES,
    BLOCK_ROWS,
    DEPTH,
    FLOPS_PER_NANOSECOND,
    WORTH_SPLITTING,
    even_blocks,
    even_grain,
    multiply,
    multiply_lines,
    round_up,
    row_pitch,
    vector_length,
)
from symcnn.backends.cpu.tuned.packing import Packing, batch_offset, padded_axes
from symcnn.backends.cpu.tuned.pixels import gather, is_flat, row_stride
from symcnn.backends.cpu.tuned.tile import ROW_UNIT, TILE_ROWS, TILE_VECTORS, tile_columns
from symcnn.schedule.plan import NOWHERE, View

# When X is read in place: blocks whose rows are a multiple of ROW_UNIT, or all. Of images with few channels, a copy of
# whole lines of windows is read as patches that overlap (see `pixels.line_geometry`).
NEVER, WHOLE_UNITS, ALWAYS, IN_LINES = range(4)
FINISH_ROWS = 256
# Steps and columns of a block of W that is read in place: few steps in long runs, because what is read waits for
# memory, which likes neither many pages at a time nor short pieces. More rows of Y want somewhat longer sums.
IN_PLACE_FOR_VERY_FEW, IN_PLACE = (8, 2048), (16, 2048)
VERY_FEW_ROWS = 4


def product(dtype):
    """Y[p, k] = sum_t X[p, t] W[t, k]; a task is some rows, and some columns, of one batch.

    Operands: X, W in place, packed W, Y. Sizes: rows, columns and depth of one group, groups; rows in a block, parts of
    a row, columns in a part; columns of W that are read in place, steps of a block of depth; whether X is read in
    place, Y written in place, rows finished here; the pitches of blocks of X and of Y, where the latter begin;
    strides of X by tile, row and step, of W in place by step, of Y by row; strides of a group of X, packed W, Y;
    grid and strides of Y; geometry of X (see `pixels`); the batch axes.
    """
    itemsize = dtype.bitwidth // 8

    def kernel(lo, hi, args):
        block = arguments(args)
        x, w = operand(block, 0, dtype), operand(block, 1, dtype)
        panels, y = operand(block, 2, dtype), operand(block, 3, dtype)
        size = sizes(block, 4)
        rows, columns, depth, groups, block_rows, parts, part_columns, in_place, steps = integers(size, 0, 9)
        x_in_place, y_in_place, finishes, x_pitch, y_pitch, results_at = integers(size, 9, 6)
        x_tile, x_row, x_step, w_step, y_row = integers(size, 15, 5)
        x_group, panels_group, y_group = integers(size, 20, 3)
        y_grid_rows, y_grid_columns, y_n, y_h, y_w, y_channel = integers(size, 23, 6)
        grid, source, window = integers(size, 29, 2), integers(size, 31, 5), integers(size, 36, 10)
        axes = advance(size, 46)
        patches = scratch(block, 4, lo, dtype)
        results = advance(patches, results_at)
        kept = keeps_rows(block, 4)
        width = TILE_VECTORS * lanes(x)

        per_batch = (rows + block_rows - 1) // block_rows
        for task in range(lo, hi):
            batch = task // (parts * per_batch)
            first = task // parts % per_batch * block_rows
            stop = min(first + block_rows, rows)
            column = task % parts * part_columns
            end = min(column + part_columns, columns)
            for group in range(groups):
                seen = advance(x, batch_offset(axes, batch, 0) + group * x_group)
                if x_in_place == IN_LINES:
                    gather(
                        patches, x_pitch, seen, grid, source, window, first // y_grid_columns, stop // y_grid_columns
                    )
                    left, strides = patches, (x_tile, x_row, x_step)
                elif x_in_place == ALWAYS or (x_in_place == WHOLE_UNITS and (stop - first) % ROW_UNIT == 0):
                    left, strides = advance(seen, first * x_tile), (x_tile, x_row, x_step)
                else:
                    gather(patches, x_pitch, seen, grid, source, window, first, stop)
                    left, strides = patches, (x_pitch, x_pitch, 1)
                target = advance(y, batch_offset(axes, batch, 2) + group * y_group)
                if y_in_place:
                    place, pitch = advance(target, first * y_row + column), y_row
                else:
                    place, pitch = results, y_pitch
                # The columns of W that are read in place, then those that are packed.
                turn = column
                if x_in_place == IN_LINES:
                    right = advance(panels, batch_offset(axes, batch, 1) + group * panels_group + column * depth)
                    for p in range(0, stop - first, y_grid_columns):
                        multiply_lines(
                            advance(left, p // y_grid_columns * x_pitch), right, advance(place, p * pitch),
                            y_grid_columns, end - column, window[1], depth // window[1], x_tile, x_row, pitch,
                        )  # fmt: skip
                    turn = end
                while turn < end:
                    if turn < in_place:
                        right = advance(w, turn)
                        right_strides, turn_end = (1, w_step), min(end, in_place)
                    else:
                        offset = batch_offset(axes, batch, 1) + group * panels_group
                        right = advance(panels, offset + (turn - in_place) * depth)
                        right_strides, turn_end = (depth, width), end
                    multiply(
                        left, right, advance(place, turn - column), stop - first, turn_end - turn, depth,
                        strides, right_strides, pitch, steps, False,
                    )  # fmt: skip
                    turn = turn_end
                if not y_in_place and not kept:
                    for p in range(first, stop):
                        n, row = p // (y_grid_rows * y_grid_columns), p // y_grid_columns % y_grid_rows
                        pixel = advance(target, n * y_n + row * y_h + p % y_grid_columns * y_w + column * y_channel)
                        for k in range(end - column):
                            pixel[k * y_channel] = results[(p - first) * y_pitch + k]
            if kept:
                finish_kept(block, 4, lo, results_at * itemsize, first, stop, columns * itemsize)
            elif finishes:
                finish(block, 4, batch * rows + first, batch * rows + stop)

    return kernel


def finish_rows(dtype):
    """Run the epilogue on all rows; a task is `FINISH_ROWS` of them. Operand: Y. Sizes: rows."""

    def kernel(lo, hi, args):
        block = arguments(args)
        finish(block, 1, lo * FINISH_ROWS, min(hi * FINISH_ROWS, sizes(block, 1)[0]))

    return kernel


PRODUCT = both_precisions(product)
FINISH_ROWS_OF = both_precisions(finish_rows)


def one_precision(*types) -> bool:
    """Whether all types are float32 or all are float64."""
    dtypes = {np.dtype(t.dtype) for t in types}
    return len(dtypes) == 1 and dtypes.pop().name in PRODUCT


@dataclass(frozen=True)
class Product:
    """One batched and grouped product Y = X W.

    Attributes
    ----------
    x : View or Packing
    x_strides : (tile, row, step)
        How X is read in place (see `blocks.multiply`).
    x_in_place : int
        `NEVER`, `WHOLE_UNITS`, `ALWAYS` or `IN_LINES`; for the last, strides are of (row of the window, pixel, 1).
    geometry : tuple of int
        How it is copied otherwise (see `pixels`).
    w : View
        (depth, columns) of one group.
    in_place : int
        How many columns of W are read from there, whole panels.
    packing : Packing or None
        The other columns of W.
    y : View
        (images, rows, columns, channels of all groups).
    rows, columns, depth, groups : int
        Sizes of the product of one group.
    group_strides : (of X, of Y)
    batch : list of (extent, stride of X, of W, of Y)
        Axes beyond those of the views, the last one first; X and W as they are read.
    whole_rows : bool
        Whether row p of Y is row p of the output.
    """

    x: View | Packing
    x_strides: tuple[int, int, int]
    x_in_place: int
    geometry: tuple[int, ...]
    w: View
    in_place: int
    packing: Packing | None
    y: View
    rows: int
    columns: int
    depth: int
    groups: int = 1
    group_strides: tuple[int, int] = (0, 0)
    batch: tuple[tuple[int, int, int, int], ...] = ()
    whole_rows: bool = True

    @property
    def packings(self) -> list[Packing]:
        return [p for p in (self.packing, self.x) if isinstance(p, Packing)]

    @property
    def workspace(self) -> int:
        """Bytes of the packed operands."""
        return sum(p.bytes for p in self.packings)

    def launches(self, workspace: Any, threads: int) -> list[Launch]:
        """All launches; `workspace` is a view of as many bytes as `workspace` says."""
        dtype, itemsize, y = self.y.dtype, self.y.dtype.itemsize, self.y
        batches = prod(extent for extent, *_ in self.batch)
        flops = 2 * batches * self.groups * self.rows * self.columns * self.depth
        asked = flops // (self.packing.members if self.packing else 1)
        if not batches * self.groups * self.rows * self.columns:
            return []
        launches, packed = [], {}
        for packing in self.packings:
            packed[packing] = replace(y, buffer=workspace.buffer, offset=workspace.offset)
            workspace = replace(workspace, offset=workspace.offset + packing.bytes)
            launches.append(packing.launch(packed[packing], threads))

        kept = y.buffer == NOWHERE
        block_rows, part = self._blocks(threads if flops > FLOPS_PER_NANOSECOND * WORTH_SPLITTING else 1)
        if kept:
            limit = max(1, BLOCK_BYTES // (self.columns * itemsize) // TILE_ROWS) * TILE_ROWS
            block_rows, part = even_blocks(self.rows, limit, self._unit, threads), self.columns
        parts = ceil(self.columns / part)
        x_pitch = row_pitch(self._copied + vector_length(itemsize), itemsize)
        y_in_place = is_flat(y) and not kept
        y_pitch = self.columns if kept else row_pitch(part, itemsize)
        results_at = 0 if self.x_in_place == ALWAYS else round_up(block_rows // self._line + 1, ROW_UNIT) * x_pitch
        tasks = batches * ceil(self.rows / block_rows) * parts
        finishes = kept or (self.whole_rows and parts == 1)
        steps = even_blocks(self.depth, self._in_place_block[0] if self.in_place else DEPTH, 1)
        launches.append(
            Launch(
                kernel=PRODUCT[dtype.name],
                operands=(packed.get(self.x, self.x), self.w, packed.get(self.packing, y), y),
                sizes=(
                    *(self.rows, self.columns, self.depth, self.groups, block_rows, parts, part, self.in_place, steps),
                    *(self.x_in_place, y_in_place, finishes, x_pitch, y_pitch, results_at),
                    *(*self.x_strides, self.w.strides[0], row_stride(y)),
                    *(self.group_strides[0], self.packing.matrix if self.packing else 0, self.group_strides[1]),
                    *(*y.shape[1:3], *y.strides),
                    *self.geometry,
                    *padded_axes(self.batch),
                ),
                tasks=tasks,
                grain=even_grain(tasks, threads, flops / FLOPS_PER_NANOSECOND),
                scratch=(results_at + (0 if y_in_place else block_rows * y_pitch)) * itemsize,
                flops=asked,
            )
        )
        if not finishes:
            rows = batches * self.rows if self.whole_rows else batches * self.columns
            launches.append(finish_launch(y, rows, threads))
        return launches

    @property
    def _line(self) -> int:
        """Rows of X that are copied as one, and read up to the next multiple of `ROW_UNIT`."""
        return self.y.shape[2] if self.x_in_place == IN_LINES else 1

    @property
    def _unit(self) -> int:
        """Rows that a block is made of."""
        return self._line if self.x_in_place == IN_LINES else TILE_ROWS

    @property
    def _copied(self) -> int:
        """Elements of a copied row of X, or line of rows."""
        return self.x_strides[0] * self.geometry[8] if self.x_in_place == IN_LINES else self.depth

    @property
    def _in_place_block(self) -> tuple[int, int]:
        return IN_PLACE_FOR_VERY_FEW if self.rows <= VERY_FEW_ROWS else IN_PLACE

    def _blocks(self, threads: int) -> tuple[int, int]:
        """Rows of a block and columns of a part, so that every thread has a share."""
        itemsize = self.y.dtype.itemsize
        unit = tile_columns(itemsize)
        if self.in_place:
            return self.rows, even_blocks(self.columns, self._in_place_block[1], unit, threads)
        limit = BLOCK_ROWS
        if self.x_in_place == NEVER:
            copied = BLOCK_BYTES
            if (
                self.columns > self.rows
            ):  # each block reads all of W, which then costs more than a copy of X that is too large
                copied = 4 * BLOCK_BYTES
            limit = min(limit, max(2 * TILE_ROWS, copied // (self.depth * itemsize + 1)))
        batches = prod(extent for extent, *_ in self.batch)
        if batches == 1 and self.rows < 4 * TILE_ROWS * threads and self.columns >= unit * threads:
            return even_blocks(self.rows, limit, self._unit), even_blocks(self.columns, self.columns, unit, threads)
        rows = even_blocks(self.rows, limit, self._unit, threads if batches == 1 else 1)
        return rows, round_up(self.columns, unit)


def finish_launch(y: View, rows: int, threads: int) -> Launch:
    """The launch that runs the epilogue on all rows of an output."""
    tasks = ceil(rows / FINISH_ROWS)
    return Launch(FINISH_ROWS_OF[y.dtype.name], (y,), (rows,), tasks, even_grain(tasks, threads, prod(y.shape) / 4))
