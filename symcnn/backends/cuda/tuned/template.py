"""The one template of all products: tiles of both sides pass through shared memory, and every thread sums its part.

    for each stage of the sum:
        fetch the next stage of both sides into registers       (an operand knows where its elements are)
        multiply the stage that lies in shared memory           (see `multiplying`)
        put what was fetched into the other half of it
        wait for all threads

Each thread fetches a few elements of each side. While they are on their way, it multiplies. When the sum is done, the
tile passes through shared memory once more, so that neighbouring threads finish neighbouring elements.

How the two sides lie in shared memory is theirs to say, so that neither those who write nor those who read it wait for
each other.
"""

from __future__ import annotations

from symcnn.backends.cuda.tuned.multiplying import TensorCores, Threads
from symcnn.backends.cuda.tuned.source import Ending, divided, indent, kernel, modulo
from symcnn.backends.cuda.tuned.tiles import Tile


def product(
    title: str,
    tile: Tile,
    inputs: tuple[str, ...],
    left,
    right,
    ending: Ending,
    integers: tuple[str, ...],
    before=(),
    place=("row = int32(outer * rows + line)", "column = across"),
    guarded: bool = False,
):
    """The kernel of a product.

    Parameters
    ----------
    left, right : operand
        See `symcnn.backends.cuda.tuned.operands`.
    integers : tuple of str
        What `before` and the operands need, and ``rows``, ``columns``, ``depth``, ``row_tiles`` (how many tiles the rows
        of one product make) and ``steps`` (of a piece of the sum), in the order of the arguments.
    before : lines
        What the operands need computed first; ``outer`` is the number of the product.
    place : lines
        ``row`` and ``column`` of the result, given ``outer``, ``line`` and ``across``.
    guarded : bool
        Whether `place` says ``inside``, too: only elements that are get stored.
    """
    dtype = ending.dtype
    own = tile.thread_rows * tile.thread_columns
    multiplying = (TensorCores if tile.tensor else Threads)(tile, left, right)
    stage = left.size + right.size
    count = tile.rows * tile.columns // tile.threads
    left_count, right_count = (side.count * side.vector for side in (left, right))
    store = ending.store("int32(((piece * outers + outer) * rows + line) * columns + across)")
    finish = [*place, "if inside:", *indent(store)] if guarded else [*place, *store]
    body = [
        f"shared = cuda.shared.array({max(2 * stage, tile.rows * tile.columns)}, {dtype})",
        *left.shared(),
        *right.shared(),
        f"sums = cuda.local.array({own}, {dtype})",
        f"lefts = cuda.local.array({left_count}, {dtype})",
        f"rights = cuda.local.array({right_count}, {dtype})",
        *left.local(),
        *right.local(),
        "thread = int32(cuda.threadIdx.x)",
        "outers = quotient(int32(cuda.gridDim.x), row_tiles)",
        "outer = quotient(int32(cuda.blockIdx.x), row_tiles)",
        f"first_row = int32(rest(int32(cuda.blockIdx.x), row_tiles) * {tile.rows})",
        f"first_column = int32(cuda.blockIdx.y * {tile.columns})",
        "piece = int32(cuda.blockIdx.z)",
        *before,
        "begin = int32(piece * steps)",
        "end = min(int32(begin + steps), depth)",
        f"stages = int32(max(end - begin + {tile.depth - 1}, 0) >> {tile.depth.bit_length() - 1})",
        *multiplying.setup(),
        *left.setup(),
        *right.setup(),
        f"for s in range({own}):",
        f"    sums[s] = {dtype}(0)",
        *left.prologue(),
        *right.prologue(),
        "for stage in range(stages + 1):",
        *indent(
            [
                f"start = int32(begin + stage * {tile.depth})",
                *left.fetch("lefts"),
                *right.fetch("rights"),
                f"present = int32(((stage + 1) & 1) * {stage})",
                "if stage > 0:",
                *indent(multiplying.multiply()),
                f"coming = int32((stage & 1) * {stage})",
                *left.put("lefts", "coming"),
                *right.put("rights", f"coming + {left.size}"),
                *left.epilogue(),
                *right.epilogue(),
                "cuda.syncthreads()",
            ]
        ),
        *multiplying.spread(),
        "cuda.syncthreads()",
        f"for e in range({count}):",
        f"    at = int32(thread + e * {tile.threads})",
        f"    line = int32(first_row + {divided('at', tile.columns)})",
        f"    across = int32(first_column + {modulo('at', tile.columns)})",
        "    if line < rows and across < columns:",
        "        value = shared[uint32(at)]",
        *indent(finish, 2),
    ]  # fmt: skip
    return kernel(title, inputs, ending, integers, tile.threads, body)
