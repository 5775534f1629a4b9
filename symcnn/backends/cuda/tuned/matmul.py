"""Products of matrices and of stacks of them, with any strides."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from symcnn.backends.cuda.launch import ON_DEVICE, Kernel, Launch
from symcnn.backends.cuda.tuned.adding import Adder, piece_view
from symcnn.backends.cuda.tuned.operands import Matrix
from symcnn.backends.cuda.tuned.precision import one_precision
from symcnn.backends.cuda.tuned.source import Ending
from symcnn.backends.cuda.tuned.template import product
from symcnn.backends.cuda.tuned.tiles import Tile, blocks_for, pieces_for, row_tiles, tile_for, tiles
from symcnn.schedule.plan import View

PLACES = ("row = quotient(element, columns)", "column = rest(element, columns)", "at = element")


class MatMul:
    """The kernels of ``MatMul``: (..., m, k) @ (..., k, n), leading axes broadcast."""

    def accepts(self, op, types, output_type) -> bool:
        return one_precision(*types, output_type)

    def workspace(self, op, output: View, operands, geometry) -> int:
        a, b = operands
        cut = _Cut.of(output, a, b, geometry)
        return output.dtype.itemsize * cut.pieces * prod(output.shape) if cut.pieces > 1 else 0

    def algorithm_for(self, op, output: View, operands) -> str:
        a, b = operands
        return "split-K product" if _Cut.of(output, a, b, ON_DEVICE).pieces > 1 else "product"

    def kernels(self, op, types, output_type, finish, geometry) -> list[Kernel]:
        dtype, axes = output_type.dtype.name, len(output_type.shape) - 2
        endings, found = (Ending(dtype, finish), Ending(dtype)), tiles(geometry, dtype, *_known(types))
        products = [_product(tile, dtype, axes, ending) for tile in found for ending in endings]
        return [*products, *_adder(dtype, finish, geometry).kernels()]

    def launches(self, op, types, output_type, output, operands, finish, geometry, workspace) -> list[Launch]:
        count = prod(output.shape)
        if not count:
            return []
        dtype, axes = output.dtype.name, len(output.shape) - 2
        cut = _Cut.of(output, operands[0], operands[1], geometry)
        partial = piece_view(workspace, dtype, cut.pieces * count) if cut.pieces > 1 else None
        ending = Ending(dtype, finish if partial is None else None)
        launches = [
            Launch(
                kernel=_product(cut.tile, dtype, axes, ending),
                operands=(*operands, *ending.views(partial)),
                sizes=(*cut.sizes(axes), *ending.sizes()),
                grid=blocks_for(cut.tile, cut.rows, cut.columns, prod(extent for extent, *_ in cut.batch), cut.pieces),
            )
        ]
        if partial is not None:
            launches.append(_adder(dtype, finish, geometry).launch(partial, cut.pieces, count, (cut.columns,)))
        return launches


def _adder(dtype: str, finish, geometry) -> Adder:
    return Adder(dtype, finish, ("columns",), PLACES, geometry)


def _product(tile: Tile, dtype: str, axes: int, ending: Ending) -> Kernel:
    """One product of each index of `axes` leading axes."""
    integers = ["rows", "columns", "depth", "row_tiles", "steps"]
    integers += [f"{side}_{what}" for side in ("left", "right") for what in ("own", "step", "along")]
    integers += [f"{side}_{k}" for k in range(axes) for side in ("extent", "left", "right")]
    before, which = [], "outer"
    for k in reversed(range(axes)):
        before += [f"at_{k} = rest({which}, extent_{k})", f"before_{k} = quotient({which}, extent_{k})"]
        which = f"before_{k}"
    for side in ("left", "right"):
        offset = " + ".join(f"at_{k} * {side}_{k}" for k in range(axes)) or "0"
        before.append(f"{side}_from = int32({offset})")
    return product(
        "A product of matrices.", tile, (dtype, dtype),
        Matrix(tile, "x0", "left", dtype), Matrix(tile, "x1", "right", dtype),
        ending, tuple(integers), before,
    )  # fmt: skip


@dataclass(frozen=True)
class _Cut:
    """How a product is cut into blocks.

    Attributes
    ----------
    tile : Tile
    rows, columns, depth : int
    pieces, steps : int
        Of the sum, and of each piece of it.
    left, right : (own stride, step stride)
    batch : tuple of (extent, stride of the left side, stride of the right)
        The leading axes, last one last.
    """

    tile: Tile
    rows: int
    columns: int
    depth: int
    pieces: int
    steps: int
    left: tuple[int, int]
    right: tuple[int, int]
    batch: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, c: View, a: View, b: View, geometry) -> _Cut:
        (rows, depth), columns = a.shape[-2:], b.shape[-1]
        batch = _leading_axes(c.shape[:-2], _leading_strides(a, c), _leading_strides(b, c))
        if batch and batch[-1][1:] == (rows * a.strides[-2], 0):
            # One right side for every row of a contiguous stack: it is one tall product.
            rows *= batch.pop()[0]
        outer, dtype = prod(extent for extent, *_ in batch), c.dtype.name
        tile = tile_for(tiles(geometry, dtype, rows, columns), rows, columns, outer)
        pieces, steps = pieces_for(tile, rows, columns, depth, outer)
        left, right = (a.strides[-2], a.strides[-1]), (b.strides[-1], b.strides[-2])
        return cls(tile, rows, columns, depth, pieces, steps, left, right, tuple(batch))

    def sizes(self, axes: int) -> tuple[int, ...]:
        batch = [(1, 0, 0)] * (axes - len(self.batch)) + list(self.batch)
        return (
            *(self.rows, self.columns, self.depth, row_tiles(self.tile, self.rows), self.steps),
            *(*self.left, _is_along(*self.left), *self.right, _is_along(*self.right)),
            *(number for axis in batch for number in axis),
        )


def _known(types) -> tuple[int | None, int | None]:
    """The rows and columns of a product, if they are known: leading axes may become rows."""
    a, b = (t.shape for t in types)
    return (a[-2] if len(a) == 2 else None), b[-1]


def _is_along(own: int, step: int) -> int:
    """Whether neighbours in memory are neighbouring steps."""
    return int(abs(step) < abs(own))


def _leading_strides(x: View, c: View) -> tuple[int, ...]:
    """Strides of `x` along the leading axes of `c`: 0 where `x` is broadcast."""
    missing = len(c.shape) - len(x.shape)
    leading = zip(x.shape[:-2], x.strides[:-2], strict=True)
    return (*[0] * missing, *(0 if size == 1 else stride for size, stride in leading))


def _leading_axes(shape, left, right) -> list[tuple[int, int, int]]:
    """Leading axes as (extent, strides), with axes that act as one merged."""
    axes: list[tuple[int, int, int]] = []
    for extent, *strides in zip(shape, left, right, strict=True):
        if extent == 1:
            continue
        if axes and all(outer == extent * inner for outer, inner in zip(axes[-1][1:], strides, strict=True)):
            axes[-1] = (extent * axes[-1][0], strides[0], strides[1])
        else:
            axes.append((extent, strides[0], strides[1]))
    return axes
