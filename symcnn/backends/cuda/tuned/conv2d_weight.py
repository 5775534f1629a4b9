"""The weight gradient of a convolution of images with their channels last.

Rows are output channels, columns the taps of the window with their channels, and the sum runs over all pixels of g. It
is far longer than the result is large, so it is cut into pieces, which are added up afterwards.
"""

from __future__ import annotations

from itertools import product as pairs
from math import prod

from symcnn.backends.cuda.launch import Kernel, Launch
from symcnn.backends.cuda.tuned.adding import Adder, piece_view
from symcnn.backends.cuda.tuned.operands import Cotangents, PixelTable
from symcnn.backends.cuda.tuned.precision import is_wide, may_be_wide, one_precision
from symcnn.backends.cuda.tuned.source import Ending
from symcnn.backends.cuda.tuned.template import product
from symcnn.backends.cuda.tuned.tiles import Tile, blocks_for, pieces_for, row_tiles, tile_for, tiles
from symcnn.schedule.plan import View

INTEGERS = (
    *("rows", "columns", "depth", "row_tiles", "steps"),
    *("channels", "seen_h", "seen_w", "of_image", "of_row", "of_pixel"),
    *("count_h", "count_w", "g_image", "g_row", "g_pixel"),
    *("scale_h", "scale_w", "first_h", "first_w", "move_h", "move_w", "taps_w"),
)
PLACES = (
    "column = rest(element, taps_w)",
    "row = quotient(element, taps_w)",
    "channel_at = quotient(row, taps_h)",
    "tap_at = int32(rest(row, taps_h) * taps_w + column)",
    "channel = rest(channel_at, channels)",
    "at = int32((int32(quotient(channel_at, channels) * taps_h * taps_w) + tap_at) * channels + channel)",
)


class Conv2dWeightGrad:
    """The kernels of ``ChannelsLast(Conv2dWeightGrad)``: x (N, H, W, C), g (N, OH, OW, O), shape of w."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types[:2], output_type)

    def algorithm_for(self, op, output: View, operands) -> str:
        return "split-K implicit GEMM"

    def workspace(self, op, output: View, operands, geometry) -> int:
        if not prod(output.shape):
            return 0
        _, pieces, _ = _cut(op, output, operands[1], geometry)
        return output.dtype.itemsize * prod(output.shape) * pieces

    def kernels(self, op, types, output_type, finish, geometry) -> list[Kernel]:
        dtype, (out, *filter_shape) = output_type.dtype.name, output_type.shape
        rows = None if out is None else out // op.inner.window.groups
        columns = None if None in filter_shape else prod(filter_shape)
        channels = filter_shape[0]
        found = [
            _product(tile, dtype, wide)
            for tile in tiles(geometry, dtype, rows, columns, tf32=True)
            for wide in pairs(may_be_wide(rows, dtype), may_be_wide(channels, dtype))
        ]
        return [*found, *_adder(dtype, finish, geometry).kernels()]

    def launches(self, op, types, output_type, output, operands, finish, geometry, workspace) -> list[Launch]:
        (x, g), window, dtype = operands[:2], op.inner.window, output.dtype.name
        out, channels, *kernel_size = output.shape
        count, depth = prod(output.shape), prod(g.shape[:3])
        if not count:
            return []
        launches = []
        tile, pieces, steps = _cut(op, output, g, geometry)
        partial = piece_view(workspace, dtype, pieces * count)
        rows, columns = out // window.groups, count // out
        before = [-pair[0] for pair in window.pads(x.shape[1:3], kernel_size)]
        if depth:
            launches.append(
                Launch(
                    kernel=_product(tile, dtype, (is_wide(rows, g), is_wide(channels, x))),
                    operands=(g, x, partial),
                    sizes=(
                        *(rows, columns, depth, row_tiles(tile, rows), steps),
                        *(channels, *x.shape[1:3], *x.strides[:3]),
                        *(*g.shape[1:3], *g.strides[:3]),
                        *(*window.stride, *before, *window.dilation, kernel_size[1]),
                    ),
                    grid=blocks_for(tile, rows, columns, window.groups, pieces),
                )
            )
        sizes = (channels, *kernel_size)
        launches.append(_adder(dtype, finish, geometry).launch(partial, pieces if depth else 0, count, sizes))
        return launches


def _cut(op, output: View, g: View, geometry) -> tuple[Tile, int, int]:
    """The tile, and into how many pieces of how many steps the sum is cut."""
    groups = op.inner.window.groups
    rows, columns = output.shape[0] // groups, prod(output.shape[1:])
    tile = tile_for(tiles(geometry, output.dtype.name, rows, columns, tf32=True), rows, columns, groups)
    return tile, *pieces_for(tile, rows, columns, prod(g.shape[:3]), groups)


def _adder(dtype: str, finish, geometry) -> Adder:
    return Adder(dtype, finish, ("channels", "taps_h", "taps_w"), PLACES, geometry)


def _product(tile: Tile, dtype: str, wide: tuple[bool, bool]) -> Kernel:
    before = ("g_from = int32(outer * rows)", "image_from = int32(outer * channels)")
    return product(
        "A weight gradient of a convolution.", tile, (dtype, dtype),
        Cotangents(tile, "x0", "left", dtype, wide[0]), PixelTable(tile, "x1", "right", dtype, wide[1]),
        Ending(dtype), INTEGERS, before, (),
    )  # fmt: skip
