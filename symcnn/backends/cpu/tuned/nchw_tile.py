"""The two register tiles on which every product in this package runs.

Both hold a small block of the result in vector registers, touch each register once per step and so keep the
multiply-add units busy; everything else in this package exists to feed them.

``rank_one_updates``
    C += A B by rank-one updates. Each step broadcasts one number of A against two vectors of B:
    with 32 registers 12 rows x 2 vectors are 24 sums, 2 vectors of B, 1 broadcast; with 16 registers 6 x 2.
``dot_products``
    C += A B^T, where both operands are contiguous along the axis that is summed. Lanes hold partial sums,
    which are added once at the end: 4 x 6 products with 32 registers, 3 x 4 with 16.

A tile is straight-line code with one name per register, so it is written by a program: `rank_one_source` and
`dot_source` return it as Python. Print one to see what is compiled:

>>> print(dot_source(2, 2))
def dot_products(depth, a, b, pitch, c, stride):
    s0_0 = zero(a)
    s0_1 = zero(a)
    s1_0 = zero(a)
    s1_1 = zero(a)
    for k in range(0, depth, lanes(a)):
        a0 = load(a, 0 * pitch + k)
        a1 = load(a, 1 * pitch + k)
        b0 = load(b, 0 * pitch + k)
        s0_0 = fma(a0, b0, s0_0)
        s1_0 = fma(a1, b0, s1_0)
        b1 = load(b, 1 * pitch + k)
        s0_1 = fma(a0, b1, s0_1)
        s1_1 = fma(a1, b1, s1_1)
    c[0 * stride + 0] += total(s0_0)
    c[0 * stride + 1] += total(s0_1)
    c[1 * stride + 0] += total(s1_0)
    c[1 * stride + 1] += total(s1_1)
"""

from symcnn.backends.cpu import simd
from symcnn.backends.cpu.simd import REGISTERS, VECTOR_BYTES
from symcnn.backends.cpu.tuned.arguments import helper

TILE_VECTORS = 2
TILE_ROWS = 12 if REGISTERS >= 32 else 6
# A ragged last panel is rounded up to this many rows only, at the price of one variant of the tile for each multiple.
ROW_UNIT = TILE_ROWS // 3

DOT_ROWS, DOT_COLUMNS = (4, 6) if REGISTERS >= 32 else (3, 4)


def tile_columns(itemsize: int) -> int:
    """Columns of the rank-one tile for elements of `itemsize` bytes."""
    return TILE_VECTORS * VECTOR_BYTES // itemsize


def rank_one_source(heights, vectors) -> str:
    """Source of ``rank_one_updates(rows, depth, a, b, c, stride)``: C += A B for one tile.

    Parameters
    ----------
    heights : sequence of int
        The values of `rows` to write a variant for.
    vectors : int
        Columns of the tile, in vectors.

    Notes
    -----
    The generated function reads `a` as [depth][rows] and `b` as [depth][vectors * lanes], both packed; row r of C
    starts at ``c[r * stride]``. Starting from the values of C makes a sum that is split into blocks of depth round
    exactly as one that is not.
    """
    lines = ["def rank_one_updates(rows, depth, a, b, c, stride):", "    width = lanes(b)"]
    for branch, rows in enumerate(heights):
        tile = [(r, v) for r in range(rows) for v in range(vectors)]
        lines.append(f"    {'elif' if branch else 'if'} rows == {rows}:")
        for r in range(rows):
            lines.append(f"        c{r} = advance(c, {r} * stride)")
            lines += [f"        s{r}_{v} = load(c{r}, {v} * width)" for v in range(vectors)]
        lines.append("        for k in range(depth):")
        lines += [f"            b{v} = load(b, {v} * width)" for v in range(vectors)]
        for r in range(rows):
            lines.append(f"            a{r} = broadcast(a, {r})")
            lines += [f"            s{r}_{v} = fma(a{r}, b{v}, s{r}_{v})" for v in range(vectors)]
        lines.append(f"            a = advance(a, {rows})")
        lines.append(f"            b = advance(b, {vectors} * width)")
        lines += [f"        store(c{r}, {v} * width, s{r}_{v})" for r, v in tile]
    return "\n".join(lines) + "\n"


def dot_source(rows, columns) -> str:
    """Source of ``dot_products(depth, a, b, pitch, c, stride)``: C += A B^T for one tile.

    Row r of A starts at ``a[r * pitch]`` and row q of B at ``b[q * pitch]``; `depth` is a multiple of the vector
    width. Row r of C starts at ``c[r * stride]``.
    """
    tile = [(r, q) for r in range(rows) for q in range(columns)]
    lines = ["def dot_products(depth, a, b, pitch, c, stride):"]
    lines += [f"    s{r}_{q} = zero(a)" for r, q in tile]
    lines.append("    for k in range(0, depth, lanes(a)):")
    lines += [f"        a{r} = load(a, {r} * pitch + k)" for r in range(rows)]
    for q in range(columns):
        lines.append(f"        b{q} = load(b, {q} * pitch + k)")
        lines += [f"        s{r}_{q} = fma(a{r}, b{q}, s{r}_{q})" for r in range(rows)]
    lines += [f"    c[{r} * stride + {q}] += total(s{r}_{q})" for r, q in tile]
    return "\n".join(lines) + "\n"


def _compiled(source, name):
    names = dict(vars(simd))
    exec(source, names)
    return helper(names[name])


rank_one_updates = _compiled(
    rank_one_source(range(ROW_UNIT, TILE_ROWS + 1, ROW_UNIT), TILE_VECTORS), "rank_one_updates"
)
dot_products = _compiled(dot_source(DOT_ROWS, DOT_COLUMNS), "dot_products")
