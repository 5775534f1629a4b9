"""The emulation computes what the simulator does, finds planted mistakes, and refuses what it would emulate wrongly."""

import numpy as np
import pytest

from symcnn.backends.cuda.launch import Kernel
from tests.backends.cuda.emulation import Race, emulate
from tests.backends.cuda.phases import Refused


def kernel(source, operands=("float32", "float32"), integers=1, threads=8):
    return Kernel(source, operands, integers, threads)


def floats(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


ELEMENTWISE = """
def kernel(x0, x1, n0):
    i = cuda.blockIdx.x * 8 + cuda.threadIdx.x
    if i >= n0:
        return
    x1[i] = exp(x0[i]) + float32(1)
"""


def test_threads_of_their_own():
    x, y = floats(21), np.zeros(21, "float32")
    emulate(kernel(ELEMENTWISE), 3, [x, y], [21])
    np.testing.assert_allclose(y, np.exp(x) + 1, rtol=1e-6)
    assert y.dtype == np.float32


REVERSE = """
def kernel(x0, x1, n0):
    a = cuda.shared.array(8, float32)
    t = cuda.threadIdx.x
    i = cuda.blockIdx.x * 8 + t
    a[t] = x0[i]
    cuda.syncthreads()
    x1[i] = a[7 - t]
"""


def test_a_barrier():
    x, y = floats(24), np.zeros(24, "float32")
    emulate(kernel(REVERSE), 3, [x, y], [24])
    np.testing.assert_array_equal(y, x.reshape(3, 8)[:, ::-1].ravel())


@pytest.mark.parametrize("grid", [(2, 3), (1, 2, 3)])
def test_grids(grid):
    places = " + ".join(f"cuda.blockIdx.{a} * {f}" for a, f in zip("xyz", (100, 10, 1), strict=True))
    sizes = " * ".join(f"cuda.gridDim.{a}" for a in "xyz")
    source = f"""
def kernel(x0):
    b = (cuda.blockIdx.z * cuda.gridDim.y + cuda.blockIdx.y) * cuda.gridDim.x + cuda.blockIdx.x
    x0[b * cuda.blockDim.x + cuda.threadIdx.x] = ({places}) * 100 + {sizes}
"""
    x = np.zeros((*(*grid, 1)[:3][::-1], 4), "int32")
    emulate(kernel(source, ("int32",), 0, 4), grid, [x.reshape(-1)], [])
    z, y, b, _ = np.indices(x.shape)
    np.testing.assert_array_equal(x, (100 * b + 10 * y + z) * 100 + 6)


PRODUCT = """
def kernel(x0, x1, x2, n0, n1, n2):
    \"\"\"n0 x n2 times n2 x n1, tiles of 4 x 4, loaded a step ahead.\"\"\"
    a = cuda.shared.array(32, float32)
    b = cuda.shared.array(32, float32)
    acc = cuda.local.array(1, float32)
    t = cuda.threadIdx.x
    r = t // 4
    c = t % 4
    row = int32(cuda.blockIdx.y * 4 + r)
    column = int32(cuda.blockIdx.x * 4 + c)
    steps = (n2 + 3) // 4
    acc[0] = float32(0)
    stage = 0
    a[t] = x0[row * n2 + c] if row < n0 and c < n2 else float32(0)
    b[t] = x1[r * n1 + column] if r < n2 and column < n1 else float32(0)
    cuda.syncthreads()
    for k in range(steps):
        other = 16 - stage
        if k + 1 < steps:
            at = (k + 1) * 4
            a[other + t] = x0[row * n2 + at + c] if row < n0 and at + c < n2 else float32(0)
            b[other + t] = x1[(at + r) * n1 + column] if at + r < n2 and column < n1 else float32(0)
        for j in range(4):
            acc[0] += a[stage + r * 4 + j] * b[stage + j * 4 + c]
        stage = 16 - stage
        cuda.syncthreads()
    if row < n0 and column < n1:
        x2[row * n1 + column] = acc[0]
"""


def product(source=PRODUCT, m=10, n=7, k=9):
    a, b, c = floats(m, k), floats(k, n, seed=1), np.zeros((m, n), "float32")
    emulate(kernel(source, ("float32",) * 3, 3, 16), (2, 3), [a.reshape(-1), b.reshape(-1), c.reshape(-1)], [m, n, k])
    return a, b, c


def test_loops_around_barriers_and_what_a_block_counts():
    a, b, c = product()
    np.testing.assert_allclose(c, a.astype("float64") @ b, atol=1e-5)


def test_it_is_what_the_simulator_computes():
    simulator = pytest.importorskip("numba.cuda.simulator.kernel")
    from numba import cuda, float32, int32

    namespace = {"cuda": cuda, "float32": float32, "int32": int32}
    exec(PRODUCT.replace("float32(0)", "0.0").replace("int32(", "("), namespace)
    a, b, c = product(m=6, n=5, k=6)
    found = np.zeros(c.size, "float32")
    run = simulator.FakeCUDAKernel(namespace["kernel"], False)
    run[(2, 2), 16](a.reshape(-1), b.reshape(-1), found, 6, 5, 6)
    np.testing.assert_allclose(found, c.ravel(), rtol=1e-5, atol=1e-6)


WHILE = """
def kernel(x0, n0):
    a = cuda.shared.array(8, float32)
    t = cuda.threadIdx.x
    a[t] = x0[t]
    half = 4
    cuda.syncthreads()
    while half > 0:
        if t < half:
            a[t] += a[t + half]
        half = half // 2
        cuda.syncthreads()
    if t == 0:
        x0[0] = a[0]
"""


def test_a_tree_of_sums():
    x = floats(8)
    expected = x.sum(dtype="float64")
    emulate(kernel(WHILE, ("float32",)), 1, [x], [8])
    np.testing.assert_allclose(x[0], expected, rtol=1e-5)


def test_threads_that_returned_stay_away():
    source = """
def kernel(x0, x1, n0):
    a = cuda.shared.array(8, float32)
    t = cuda.threadIdx.x
    last = n0 - 1
    if t > last:
        return
    a[t] = x0[t]
    cuda.syncthreads()
    x1[t] = a[last - t]
"""
    x, y = floats(5), np.zeros(5, "float32")
    emulate(kernel(source), 1, [x, y], [5])
    np.testing.assert_array_equal(y, x[::-1])


def test_numbers_keep_their_width():
    source = """
def kernel(x0, x1, n0):
    t = cuda.threadIdx.x
    x1[t] = int64(int32(t * n0)) + quotient(7, 2) * 10 + rest(7, 2)
    x0[t] = float32(16777216) + float32(1)
"""
    x, y = np.zeros(8, "float32"), np.zeros(8, "int64")
    emulate(kernel(source, ("float32", "int64")), 1, [x, y], [2**30])
    np.testing.assert_array_equal(x, np.float32(2**24))
    np.testing.assert_array_equal(y, (np.arange(8) * 2**30).astype("int32") + 31)


def test_operands_may_share_memory():
    x = floats(21)
    expected = np.exp(x) + 1
    emulate(kernel(ELEMENTWISE), 3, [x, x], [21])
    np.testing.assert_allclose(x, expected, rtol=1e-6)


def test_operands_may_point_into_memory():
    source = """
def kernel(x0, x1):
    t = int32(cuda.threadIdx.x)
    x1[t] = x0[-t]
    if t == 7:
        a, b, c, d = load4(x0, 1)
        store4(x1, 8, a, b, c, d)
"""
    x, y = floats(20), np.zeros(20, "float32")
    emulate(kernel(source, integers=0), 1, [(x, 7), (y, 4)], [])
    np.testing.assert_array_equal(y[4:12], x[7::-1])
    np.testing.assert_array_equal(y[12:16], x[8:12])
    assert not y[:4].any()
    with pytest.raises(IndexError, match="outside"):
        emulate(kernel(source, integers=0), 1, [(x, 6), (y, 4)], [])


BARRIER = "    cuda.syncthreads()\n"
LAST = BARRIER + "    if row"


@pytest.mark.parametrize(
    ("source", "threads"),
    [
        (REVERSE.replace(BARRIER, ""), 8),
        (WHILE.replace("        half = half // 2\n    " + BARRIER, "        half = half // 2\n"), 8),
        (WHILE.replace("    half = 4\n" + BARRIER, "    half = 4\n"), 8),
    ],
    ids=["exchange", "tree", "before the tree"],
)
def test_a_missing_barrier_is_found(source, threads):
    assert source not in (REVERSE, WHILE)
    pointers = source.split(")")[0].count("x")
    with pytest.raises(Race, match="no barrier in between"):
        emulate(kernel(source, ("float32",) * pointers, 1, threads), 1, [floats(8), floats(8)][:pointers], [8])


def test_a_missing_barrier_is_found_in_a_loop():
    source = PRODUCT.replace("    stage = 16 - stage\n    " + BARRIER, "    stage = 16 - stage\n")
    assert source.count("syncthreads") == 1
    with pytest.raises(Race, match="no barrier in between"):
        product(source)


TILES = """
def kernel(x0, x1):
    a = cuda.shared.array(192, float32)
    sums = cuda.local.array(4, float32)
    t = int32(cuda.threadIdx.x)
    for k in range(4):
        sums[k] = float32(0)
    for stage in range(2):
        for k in range(6):
            a[t * 6 + k] = x0[stage * 192 + t * 6 + k]
        cuda.syncthreads()
        multiply_tiles(a, 0, 8, 1, 128, 8, 1, sums, 0, t)
        cuda.syncthreads()
    for k in range(4):
        x1[(t // 4 + k // 2 * 8) * 8 + t % 4 * 2 + k % 2] = sums[k]
"""


def tiles(source):
    x, y = floats(2, 24, 8), np.zeros((16, 8), "float32")
    emulate(kernel(source, integers=0, threads=32), 1, [x.reshape(-1), y.reshape(-1)], [])
    return x, y


def test_tiles_of_tensor_cores():
    x, y = tiles(TILES)
    wide = x.astype("float64")
    np.testing.assert_allclose(y, sum(stage[:16] @ stage[16:].T for stage in wide), atol=1e-5)


@pytest.mark.parametrize("barrier", [0, 1])
def test_a_missing_barrier_is_found_around_tensor_cores(barrier):
    parts = TILES.split("        cuda.syncthreads()\n")
    parts[barrier : barrier + 2] = ["".join(parts[barrier : barrier + 2])]
    with pytest.raises(Race, match="no barrier in between"):
        tiles("        cuda.syncthreads()\n".join(parts))


@pytest.mark.parametrize(
    "write",
    ["x0[0] = float32(cuda.threadIdx.x)", "x0[0] = float32(cuda.blockIdx.x)", "x0[cuda.threadIdx.x] = x0[cuda.threadIdx.x] * float32(2) + float32(cuda.blockIdx.x)"],
)  # fmt: skip
def test_two_writers_are_found(write):
    with pytest.raises(Race):
        emulate(kernel(f"def kernel(x0):\n    {write}\n    x0[1] = x0[0]\n", ("float32",), 0), 2, [floats(8)], [])


@pytest.mark.parametrize(("place", "dtype"), [("shared", "float32"), ("local", "float32"), ("shared", "uint8")])
def test_garbage_is_found(place, dtype):
    source = (
        f"def kernel(x0):\n    a = cuda.{place}.array(8, {dtype})\n    x0[cuda.threadIdx.x] = a[cuda.threadIdx.x]\n"
    )
    with pytest.raises(Race):
        emulate(kernel(source, (dtype,), 0), 1, [np.zeros(8, dtype)], [])


@pytest.mark.parametrize(
    "access",
    ["x1[0] = x0[-1]", "x1[0] = x0[n0]", "x1[cuda.threadIdx.x - 1] = x0[0]", "a[n0] = x0[0]", "x1[0] = a[-1]", "b[n0] = x0[0]", "x1[0] = load4(x0, 8)[0]"],
)  # fmt: skip
def test_an_index_out_of_range_is_found(access):
    source = f"""
def kernel(x0, x1, n0):
    a = cuda.shared.array(8, float32)
    b = cuda.local.array(8, float32)
    {access}
"""
    with pytest.raises(IndexError, match="outside of its memory"):
        emulate(kernel(source), 1, [floats(8), floats(8)], [8])


REFUSED = {
    "keep it in an array": """
    total = x0[t]
    cuda.syncthreads()
    x0[t] = float32(0)
    cuda.syncthreads()
    x0[t] = total
""",
    "keep it in an array|loop": """
    total = float32(0)
    for k in range(4):
        total += x0[t]
        cuda.syncthreads()
    x0[t] = total
""",
    "keep it in an array|stale": """
    p = 0
    for k in range(4):
        was = p
        p = 4 - p
        cuda.syncthreads()
        x0[t] = float32(was)
""",
    "keep it in an array|counter": """
    for k in range(4):
        q = k * 2
        cuda.syncthreads()
    x0[t] = float32(q)
""",
    "not all threads need come": """
    if t < 4:
        cuda.syncthreads()
""",
    "stay in it equally long": """
    for k in range(t):
        cuda.syncthreads()
""",
    "stay in it equally long|memory": """
    while x0[0] > float32(0):
        cuda.syncthreads()
""",
    "break or continue": """
    for k in range(4):
        if k == t:
            break
        cuda.syncthreads()
""",
    "a return inside": """
    for k in range(4):
        if k == t:
            return
        cuda.syncthreads()
""",
    "keep it in an array|return": """
    if x0[t] > float32(0):
        return
    x0[t] = float32(1)
    cuda.syncthreads()
    x0[t] = float32(2)
""",
    "x0 is written where a scalar": """
    was = x0[0]
    cuda.syncthreads()
    x0[t] = was
""",
    "used otherwise than with an index": """
    a = cuda.shared.array(8, float32)
    store4(a, 0, float32(0), float32(0), float32(0), float32(0))
""",
    "counted amid a phase": """
    p = 0
    x0[t] = float32(p)
    p = 1 - p
    x0[t] = float32(p)
    cuda.syncthreads()
""",
    "the next thread would see it": """
    n0 = n0 + 1
    x0[t] = float32(n0)
""",
    "write `name = cuda.shared.array": """
    a = cuda.shared.array(n0, float32)
""",
    "one array per line": """
    a = cuda.shared.array(8, float32); b = cuda.shared.array(8, float32)
""",
    "not known to the emulation": """
    cuda.syncwarp()
""",
    "not known to the emulation|y": """
    x0[cuda.threadIdx.y] = float32(0)
""",
}


@pytest.mark.parametrize("rule", REFUSED)
def test_kernels_that_break_a_rule_are_refused(rule):
    source = "def kernel(x0, n0):\n    t = cuda.threadIdx.x" + REFUSED[rule]
    with pytest.raises(Refused, match=rule.split("|")[0]):
        emulate(kernel(source, ("float32",)), 1, [floats(8)], [8])
