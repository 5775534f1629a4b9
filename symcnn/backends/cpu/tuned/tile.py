"""The register tile on which every product in this package runs: C += A B by rank-one updates.

Each step multiplies a column of A, some rows long, by a row of B, one or two vectors wide: it broadcasts the numbers of
A one after the other against the vectors of B. The block of C stays in registers all the while, which keeps the
multiply-add units busy; everything else in this package exists to feed them. With 32 registers the tile is 12 rows x 2
vectors, that is 24 sums, 2 vectors of B and 1 broadcast; with 16 registers it is 6 x 2.

A is read with any two strides, in place if it likes: row-major (`a_row` = row length, `a_step` = 1), transposed
(`a_row` = 1, `a_step` = row length), or packed. Only the numbers of B that meet in one step must be neighbours.

The tile is emitted as LLVM instructions by a Python loop over its registers. Written as a kernel, which has to name
every register, it would take Numba's type inference seconds.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils

from symcnn.backends.cpu.simd import (
    REGISTERS,
    VECTOR_BYTES,
    emit_broadcast,
    emit_fma,
    emit_lane_range,
    emit_load,
    emit_store,
    emit_zero,
    vector_at,
)
from symcnn.backends.jit import intrinsic

TILE_VECTORS = 2
TILE_ROWS = 12 if REGISTERS >= 32 else 6
# Lower tiles come in multiples of this only; each multiple is one more variant to compile.
ROW_UNIT = TILE_ROWS // 3


def tile_columns(itemsize: int) -> int:
    """Columns of the tile for elements of `itemsize` bytes."""
    return TILE_VECTORS * VECTOR_BYTES // itemsize


@intrinsic
def rank_one_updates(typing, lines, depth, a, a_line, a_row, a_step, b, b_step, c, c_row, rows, columns, add):
    """C += A B, or C = A B unless `add`, for one tile of 1 to `TILE_ROWS` rows and 1 to `tile_columns` columns.

    A row of A is `lines` pieces of `depth` steps each, `a_line` apart: a patch that is read in the image is one for each
    row of the window. Reads ``a[r * a_row + line * a_line + k * a_step]`` for `rows` rows rounded up to `ROW_UNIT`, and
    ``b[(line * depth + k) * b_step + i]`` for `columns` columns rounded up to vectors, so these must exist. Of C, whose
    row r starts at ``c[r * c_row]``, it touches only the first `rows` rows and `columns` columns. To start from the
    values of C makes a sum that is split into blocks of depth round exactly as one that is not.
    """
    vector = vector_at(b)

    def generate(context, builder, signature, arguments):
        name = f"symcnn_rank_one_updates_{vector.dtype}"
        if name not in builder.module.globals:
            shape = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
            _emit_variants(ir.Function(builder.module, shape, name), vector)
        builder.call(builder.module.globals[name], arguments)
        return context.get_dummy_value()

    n = types.int64
    return types.void(n, n, a, n, n, n, b, n, c, n, n, n, types.boolean), generate


def _emit_variants(function, vector):
    """The body of `rank_one_updates` as a function of its own.

    Where it knows a stride, LLVM would load several steps of A at once and run out of registers; so the function is
    neither inlined nor, as one that other modules may call, specialised.
    """
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    rows, columns = function.args[10:12]
    narrow = builder.icmp_signed("<=", columns, ir.Constant(columns.type, vector.lanes))
    for height in range(ROW_UNIT, TILE_ROWS + 1, ROW_UNIT):
        above = builder.icmp_signed(">", rows, ir.Constant(rows.type, height - ROW_UNIT))
        below = builder.icmp_signed("<=", rows, ir.Constant(rows.type, height))
        with builder.if_then(builder.and_(above, below)), builder.if_else(narrow) as cases:
            for vectors, case in enumerate(cases, 1):
                with case:
                    _emit_tile(builder, vector, height, vectors, *function.args)
    builder.ret_void()


def _emit_tile(
    builder, vector, height, vectors, lines, depth, a, a_line, a_row, a_step, b, b_step, c, c_row, rows, columns, add
):
    """The instructions of `rank_one_updates` for `height` rows of so many vectors."""

    def number(n):
        return ir.Constant(rows.type, n)

    places = [number(v * vector.lanes) for v in range(vectors)]
    sums = [[cgutils.alloca_once_value(builder, emit_zero(vector)) for _ in places] for _ in range(height)]

    def move(action):
        """``action(sum, pointer, index, mask)`` for every vector of C that has columns in it."""
        full = builder.icmp_signed(">=", rows, number(height))
        full = builder.and_(full, builder.icmp_signed(">=", columns, number(vectors * vector.lanes)))
        with builder.if_else(full) as (whole, ragged):
            with whole:
                for r, row in enumerate(sums):
                    line = builder.gep(c, [builder.mul(number(r), c_row)])
                    for place, sum_ in zip(places, row, strict=True):
                        action(sum_, line, place, None)
            with ragged:
                masks = [emit_lane_range(builder, vector, number(0), builder.sub(columns, place)) for place in places]
                for r, row in enumerate(sums):
                    with builder.if_then(builder.icmp_signed("<", number(r), rows)):
                        line = builder.gep(c, [builder.mul(number(r), c_row)])
                        for place, sum_, mask in zip(places, row, masks, strict=True):
                            action(sum_, line, place, mask)

    with builder.if_then(add):
        move(lambda sum_, *at: builder.store(emit_load(builder, vector, *at), sum_))
    # If LLVM knew that all rows of A are evenly spaced it would compute every address anew in every step, which costs
    # nearly half of the speed. So the address of each third row passes through an empty instruction, where LLVM loses
    # sight of it; from there x86 reaches the next two rows by scaled indices.
    opaque = ir.FunctionType(a.type, [a.type])
    with cgutils.for_range(builder, lines) as turn:
        start = builder.mul(turn.index, a_line)
        panel = builder.gep(b, [builder.mul(turn.index, builder.mul(depth, b_step))])
        thirds = [
            builder.asm(opaque, "", "=r,0", [builder.gep(a, [place])], side_effect=False)
            for place in (builder.add(start, builder.mul(number(r), a_row)) for r in range(0, height, 3))
        ]
        with cgutils.for_range(builder, depth) as loop:
            step = builder.mul(loop.index, a_step)
            line = builder.gep(panel, [builder.mul(loop.index, b_step)])
            row_of_b = [emit_load(builder, vector, line, place) for place in places]
            for r, row in enumerate(sums):
                x = emit_broadcast(
                    builder, vector, thirds[r // 3], builder.add(step, builder.mul(number(r % 3), a_row))
                )
                for y, sum_ in zip(row_of_b, row, strict=True):
                    builder.store(emit_fma(builder, vector, x, y, builder.load(sum_)), sum_)
    move(lambda sum_, pointer, place, mask: emit_store(builder, vector, pointer, place, builder.load(sum_), mask))
