"""Every tuned kernel against NumPy in float64, on awkward shapes, strides, paddings, dilations and groups."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from tests.backends.cpu.local_runner import run

pytest.importorskip("numba")
from numba import cfunc, float32

from symcnn.backends.cpu.tuned import TUNED
from symcnn.backends.cpu.tuned.arguments import arguments, operand
from symcnn.backends.cpu.tuned.conv2d import Conv2d
from symcnn.backends.cpu.tuned.conv2d_input import Conv2dInputGrad
from symcnn.backends.cpu.tuned.conv2d_weight import Conv2dWeightGrad
from symcnn.backends.cpu.tuned.depthwise import DepthwiseConv2d, DepthwiseConv2dInputGrad, DepthwiseConv2dWeightGrad
from symcnn.backends.cpu.tuned.gemm import MatMul

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Window:
    """The attributes of a convolution that the kernels read."""

    stride: tuple[int, int] = (1, 1)
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def pads(self, image_hw, kernel_hw):
        return self.padding


def assert_close(actual, expected, depth):
    """Within the rounding of a sum of `depth` products of standard normal numbers."""
    tolerance = 4 * np.finfo(actual.dtype).eps * max(1, depth)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def normal(rng, shape, dtype):
    return rng.standard_normal(shape).astype(dtype)


def spread(array, rng):
    """The same numbers with strides of another order and gaps between them."""
    order = rng.permutation(array.ndim)
    wide = np.full([array.shape[i] + 1 for i in order], np.nan, array.dtype)
    view = wide[tuple(slice(array.shape[i]) for i in order)].transpose(np.argsort(order))
    view[...] = array
    return view


# -- Matrix product ---------------------------------------------------------------------------------------------------

MATRICES = [
    (1, 1, 1), (1, 7, 5), (7, 1, 5), (5, 6, 0), (0, 3, 2), (3, 0, 2), (6, 16, 8), (12, 32, 4), (13, 33, 17), (20, 25, 300),
    (100, 10, 37), (10, 100, 37), (250, 40, 3), (41, 290, 520),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m, n, k", MATRICES)
def test_matmul(m, n, k, dtype):
    rng = np.random.default_rng(m + 10 * n + 100 * k)
    a, b = normal(rng, (m, k), dtype), normal(rng, (k, n), dtype)
    expected = a.astype(np.float64) @ b.astype(np.float64)
    for left in (a, a.T.copy().T, spread(a, rng)):
        for right in (b, b.T.copy().T, spread(b, rng)):
            c = np.full((m, n), np.nan, dtype)
            run(MatMul(), None, c, (left, right))
            assert_close(c, expected, k)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "a_shape, b_shape",
    [
        ((5, 4, 6), (5, 6, 3)),
        ((5, 4, 6), (1, 6, 33)),
        ((1, 40, 6), (7, 6, 3)),
        ((2, 1, 4, 6), (1, 3, 6, 20)),
        ((2, 3, 4, 6), (2, 3, 6, 20)),
        ((2, 3, 2, 2, 4, 6), (1, 3, 1, 2, 6, 5)),
        ((0, 4, 6), (0, 6, 3)),
    ],
)
def test_matmul_broadcasts_batches_with_strides_of_zero(a_shape, b_shape, dtype):
    rng = np.random.default_rng(1)
    a, b = normal(rng, a_shape, dtype), normal(rng, b_shape, dtype)
    batch = np.broadcast_shapes(a_shape[:-2], b_shape[:-2])
    a, b = np.broadcast_to(a, batch + a_shape[-2:]), np.broadcast_to(b, batch + b_shape[-2:])
    expected = a.astype(np.float64) @ b.astype(np.float64)
    c = np.full(expected.shape, np.nan, dtype)
    run(MatMul(), None, c, (a, b), threads=3)
    assert_close(c, expected, a_shape[-1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("many", [1, 4, 7, 33])
@pytest.mark.parametrize("few", [1, 3, 4])
@pytest.mark.parametrize("k", [64, 97, 300])
def test_matmul_of_a_few_vectors_whose_sums_are_contiguous(many, few, k, dtype):
    rng = np.random.default_rng(many + 10 * few + 100 * k)
    a, b = normal(rng, (many, k), dtype), normal(rng, (few, k), dtype)
    expected = a.astype(np.float64) @ b.T.astype(np.float64)
    for left, right, product in ((a, b.T, expected), (b, a.T, expected.T)):
        found = []
        for threads in (1, 3):
            c = np.full(product.shape, np.nan, dtype)
            block = np.array([c.ctypes.data, c.shape[-1]])
            finish = (double_rows.address, block.ctypes.data) if dtype == "float32" else (0, 0)
            run(MatMul(), None, c, (left, right), threads, finish)
            assert_close(c, product * (2 if dtype == "float32" else 1), 2 * k)
            found.append(c)
        np.testing.assert_array_equal(*found)


def test_matmul_into_a_strided_output():
    rng = np.random.default_rng(2)
    a, b = normal(rng, (30, 9), "float32"), normal(rng, (9, 20), "float32")
    wide = np.full((2, 40, 90), 7, np.float32)
    run(MatMul(), None, wide[1, 5:25, 3:63:2].T, (a, b))
    assert_close(wide[1, 5:25, 3:63:2].T, a.astype(np.float64) @ b, 9)
    wide[1, 5:25, 3:63:2] = 7
    assert (wide == 7).all()


def test_matmul_keeps_nan_and_infinity_to_their_rows():
    a, b = np.ones((9, 5), np.float32), np.ones((5, 18), np.float32)
    a[2, 3], a[4, 0] = np.nan, np.inf
    c = np.empty((9, 18), np.float32)
    run(MatMul(), None, c, (a, b))
    np.testing.assert_array_equal(c, np.broadcast_to(a.sum(1, keepdims=True), c.shape))


# -- Convolution ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    x: tuple[int, int, int, int]
    out: int
    kernel: tuple[int, int]
    window: Window = Window()

    def __str__(self):
        w = self.window
        return f"{self.x}-{self.out}x{self.kernel}-s{w.stride}p{w.padding}d{w.dilation}g{w.groups}".replace(" ", "")

    @property
    def w(self):
        return (self.out, self.x[1] // self.window.groups, *self.kernel)

    @property
    def output(self):
        w = self.window
        size = (
            (n + sum(pads) - d * (k - 1) - 1) // s + 1
            for n, pads, d, k, s in zip(self.x[2:], w.padding, w.dilation, self.kernel, w.stride, strict=True)
        )
        return (self.x[0], self.out, *size)


def square(stride=1, pad=0, dilation=1, groups=1):
    return Window((stride, stride), ((pad, pad), (pad, pad)), (dilation, dilation), groups)


CASES = [
    Case((1, 1, 1, 1), 1, (1, 1)),
    Case((0, 2, 5, 5), 3, (3, 3)),
    Case((2, 0, 5, 5), 3, (3, 3), square(pad=1)),
    Case((2, 1, 28, 28), 20, (5, 5)),
    Case((3, 20, 12, 12), 50, (5, 5)),
    Case((2, 3, 9, 7), 5, (3, 3), square(pad=1)),
    Case((2, 5, 6, 6), 7, (1, 1)),
    Case((2, 5, 7, 7), 7, (1, 1), square(stride=2)),
    Case((2, 5, 7, 5), 7, (1, 1), square(pad=2)),
    Case((5, 40, 2, 2), 33, (3, 3), square(pad=1)),
    Case((2, 3, 11, 13), 4, (3, 3), square(stride=2, pad=1)),
    Case((1, 3, 35, 35), 8, (11, 11), square(stride=4, pad=2)),
    Case((2, 3, 9, 9), 4, (2, 2), square(stride=3)),
    Case((2, 4, 12, 10), 6, (3, 3), square(pad=2, dilation=2)),
    Case((2, 4, 13, 15), 6, (3, 3), square(stride=2, pad=2, dilation=2)),
    Case((2, 4, 13, 15), 6, (3, 3), square(stride=2, pad=3, dilation=3)),
    Case((2, 4, 14, 15), 6, (3, 2), Window((3, 2), ((2, 0), (1, 3)), (2, 3), 2)),
    Case((2, 6, 8, 8), 9, (3, 3), square(pad=1, groups=3)),
    Case((2, 13, 8, 8), 13, (3, 3), square(pad=1, groups=13)),
    Case((2, 3, 9, 8), 6, (3, 3), square(stride=2, pad=1, groups=3)),
    Case((2, 3, 1, 40), 4, (1, 5), Window(padding=((0, 0), (4, 0)))),
    Case((2, 3, 40, 1), 4, (5, 1), Window(padding=((1, 4), (0, 0)))),
    Case((2, 3, 17, 45), 70, (3, 4), Window((2, 3), ((2, 0), (1, 3)), (2, 1))),
    Case((2, 2, 3, 3), 2, (3, 3), square(pad=5)),
    Case((1, 300, 5, 5), 260, (1, 1)),
]


def positions(case):
    """For each tap (i, j): it, and the rows and columns of the padded input that it reads, as slices."""

    def seen(axis, tap):
        start, step = tap * case.window.dilation[axis], case.window.stride[axis]
        return slice(start, start + (case.output[2 + axis] - 1) * step + 1, step)

    for i, j in np.ndindex(*case.kernel):
        yield (i, j), (seen(0, i), seen(1, j))


def padded(x, case):
    return np.pad(x, ((0, 0), (0, 0), *case.window.padding))


def grouped(channels, groups):
    """(N, C, H, W) as (N, groups, C / groups, H, W)."""
    n, c, *size = channels.shape
    return channels.reshape(n, groups, c // groups, *size)


def expected_output(x, w, case):
    y, x, groups = np.zeros(case.output), padded(x, case), case.window.groups
    for (i, j), (rows, columns) in positions(case):
        seen = grouped(x[:, :, rows, columns], groups)
        taps = w[:, :, i, j].reshape(groups, w.shape[0] // groups, w.shape[1])
        y += np.einsum("ngchw,gmc->ngmhw", seen, taps).reshape(y.shape)
    return y


def expected_input_gradient(g, w, case):
    dx, groups = padded(np.zeros(case.x), case), case.window.groups
    (top, _), (left, _) = case.window.padding
    g = grouped(g, groups)
    for (i, j), (rows, columns) in positions(case):
        taps = w[:, :, i, j].reshape(groups, w.shape[0] // groups, w.shape[1])
        seen = dx[:, :, rows, columns]
        seen += np.einsum("ngmhw,gmc->ngchw", g, taps).reshape(seen.shape)
    return dx[:, :, top : top + case.x[2], left : left + case.x[3]]


def expected_weight_gradient(x, g, case):
    dw, x, groups = np.zeros(case.w), padded(x, case), case.window.groups
    g = grouped(g, groups)
    for (i, j), (rows, columns) in positions(case):
        seen = grouped(x[:, :, rows, columns], groups)
        dw[:, :, i, j] = np.einsum("ngmhw,ngchw->gmc", g, seen).reshape(case.w[:2])
    return dw


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


@pytest.fixture(params=["contiguous", "strided"])
def arranged(request):
    """How the operands lie in memory."""
    rng = np.random.default_rng(3)
    return (lambda array: array) if request.param == "contiguous" else (lambda array: spread(array, rng))


def name_of(entry):
    return type(entry).__name__


def op_of(case):
    return SimpleNamespace(inner=SimpleNamespace(window=case.window))


def last(array):
    """(N, C, H, W) as a contiguous (N, H, W, C)."""
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1))


def empty(shape, dtype):
    """A result of that (N, C, H, W), with its channels last: as (N, C, H, W) and as it lies in memory."""
    n, c, h, w = shape
    array = np.full((n, h, w, c), np.nan, dtype)
    return array.transpose(0, 3, 1, 2), array


def test_conv2d(case, dtype, arranged):
    rng = np.random.default_rng(4)
    x, w = normal(rng, case.x, dtype), normal(rng, case.w, dtype)
    y, written = empty(case.output, dtype)
    run(Conv2d(), op_of(case), written, (arranged(last(x)), arranged(w)))
    assert_close(y, expected_output(x, w, case), np.prod(case.w[1:]))


def test_conv2d_of_images_with_their_channels_first(case):
    rng = np.random.default_rng(4)
    x, w = normal(rng, case.x, "float32"), normal(rng, case.w, "float32")
    y, written = empty(case.output, "float32")
    run(Conv2d(), op_of(case), written, (x.transpose(0, 2, 3, 1), w))
    assert_close(y, expected_output(x, w, case), np.prod(case.w[1:]))


@pytest.mark.parametrize("threads", [1, 2])
def test_conv2d_input_gradient(case, dtype, arranged, threads):
    rng = np.random.default_rng(5)
    g, w = normal(rng, case.output, dtype), normal(rng, case.w, dtype)
    dx, written = empty(case.x, dtype)
    operands = (arranged(last(g)), arranged(w), None)
    run(Conv2dInputGrad(), op_of(case), written, operands, threads)
    assert_close(dx, expected_input_gradient(g, w, case), case.out * np.prod(case.kernel))


def test_conv2d_weight_gradient(case, dtype, arranged):
    rng = np.random.default_rng(6)
    x, g = normal(rng, case.x, dtype), normal(rng, case.output, dtype)
    dw = np.full(case.w, np.nan, dtype)
    run(Conv2dWeightGrad(), op_of(case), dw, (arranged(last(x)), arranged(last(g)), None))
    assert_close(dw, expected_weight_gradient(x, g, case), g.size // case.out)


DEPTHWISE = [
    Case((2, 1, 5, 5), 1, (3, 3)),
    Case((2, 13, 8, 8), 13, (3, 3), square(pad=1, groups=13)),
    Case((1, 40, 9, 7), 40, (5, 5), square(stride=2, pad=2, groups=40)),
    Case((3, 16, 12, 10), 16, (3, 2), Window((3, 2), ((2, 0), (1, 3)), (2, 3), 16)),
    Case((2, 17, 3, 3), 17, (3, 3), square(pad=5, groups=17)),
    Case((0, 3, 5, 5), 3, (3, 3), square(groups=3)),
]


@pytest.mark.parametrize("case", DEPTHWISE, ids=str)
def test_depthwise_convolutions(case, dtype):
    rng = np.random.default_rng(8)
    op = op_of(case)
    x, w, g = (normal(rng, shape, dtype) for shape in (case.x, case.w, case.output))
    (y, written_y), (dx, written_dx) = (empty(shape, dtype) for shape in (case.output, case.x))
    dw = np.full(case.w, np.nan, dtype)
    run(DepthwiseConv2d(), op, written_y, (last(x), w))
    assert_close(y, expected_output(x, w, case), np.prod(case.w[1:]))
    run(DepthwiseConv2dInputGrad(), op, written_dx, (last(g), w, None))
    assert_close(dx, expected_input_gradient(g, w, case), np.prod(case.kernel))
    run(DepthwiseConv2dWeightGrad(), op, dw, (last(x), last(g), None))
    assert_close(dw, expected_weight_gradient(x, g, case), g.size // case.out)


def random_case(rng):
    """A convolution with an output of at least one pixel."""
    groups = int(rng.integers(1, 4))
    stride, dilation, kernel = (tuple(rng.integers(1, high, 2).tolist()) for high in (4, 4, 5))
    padding = tuple(map(tuple, rng.integers(0, 4, (2, 2)).tolist()))
    size = [
        max(1, d * (k - 1) + 1 - sum(pads)) + int(rng.integers(0, 20))
        for d, k, pads in zip(dilation, kernel, padding, strict=True)
    ]
    channels, out = (groups * int(rng.integers(1, 15)) for _ in range(2))
    return Case((int(rng.integers(1, 5)), channels, *size), out, kernel, Window(stride, padding, dilation, groups))


@pytest.mark.parametrize("seed", range(30))
def test_random_convolutions(seed):
    rng = np.random.default_rng(seed)
    case = random_case(rng)
    op = op_of(case)
    x, w, g = (normal(rng, shape, "float32") for shape in (case.x, case.w, case.output))
    (y, written_y), (dx, written_dx) = (empty(shape, "float32") for shape in (case.output, case.x))
    dw = np.full(case.w, np.nan, np.float32)
    run(Conv2d(), op, written_y, (last(x), w))
    assert_close(y, expected_output(x, w, case), np.prod(case.w[1:]))
    run(Conv2dInputGrad(), op, written_dx, (last(g), w, None))
    assert_close(dx, expected_input_gradient(g, w, case), case.out * np.prod(case.kernel))
    run(Conv2dWeightGrad(), op, dw, (last(x), last(g), None))
    assert_close(dw, expected_weight_gradient(x, g, case), g.size // case.out)


@pytest.mark.parametrize("entry", [MatMul(), Conv2d(), Conv2dInputGrad(), Conv2dWeightGrad()], ids=name_of)
def test_the_number_of_threads_does_not_change_a_bit(entry):
    rng = np.random.default_rng(7)
    case = Case((9, 6, 20, 20), 14, (3, 3), square(pad=1))
    x, w, g = (normal(rng, shape, "float32") for shape in (case.x, case.w, case.output))
    operands, shape = {
        MatMul: ((x[0, 0], x[0, 1]), (20, 20)),
        Conv2d: ((last(x), w), last(g).shape),
        Conv2dInputGrad: ((last(g), w, None), last(x).shape),
        Conv2dWeightGrad: ((last(x), last(g), None), case.w),
    }[type(entry)]
    results = []
    for threads in (1, 2, 5, 64):
        out = np.empty(shape, np.float32)
        run(entry, op_of(case), out, operands, threads)
        results.append(out.tobytes())
    assert len(set(results)) == 1


# -- Contract ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TUNED)
def test_accepts_one_floating_dtype_only(name):
    def types(*dtypes):
        shape = (2, 2) if name == "MatMul" else (2, 2, 2, 2)
        return [SimpleNamespace(dtype=np.dtype(d), shape=shape) for d in dtypes]

    for dtypes in ("fff", "ddd", "ffd", "fdf", "iii", "eee"):
        *operands, output = types(*dtypes)
        assert TUNED[name].accepts(None, operands, output) is (dtypes in ("fff", "ddd"))


# -- Epilogues --------------------------------------------------------------------------------------------------------


@cfunc("void(int64, int64, uintp)", nopython=True)
def double_rows(lo, hi, args):
    """Rows of so many float32 columns, twice as large."""
    block = arguments(args)
    output, columns = operand(block, 0, float32), block[1]
    for i in range(lo * columns, hi * columns):
        output[i] *= 2


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize(
    "a_shape, b_shape",
    [((300, 20), (20, 40)), ((3, 20), (20, 700)), ((50, 20), (20, 700)), ((4, 50, 6), (4, 6, 33)), ((2, 0), (0, 5))],
)
@pytest.mark.parametrize("transposed", [False, True])
def test_matmul_finishes_every_row_once(a_shape, b_shape, transposed, threads):
    rng = np.random.default_rng(9)
    a, b = normal(rng, a_shape, "float32"), normal(rng, b_shape, "float32")
    expected = 2 * (a.astype(np.float64) @ b)
    if transposed:
        b = np.ascontiguousarray(b.swapaxes(-1, -2)).swapaxes(-1, -2)
    c = np.full(expected.shape, np.nan, np.float32)
    block = np.array([c.ctypes.data, c.shape[-1]])
    run(MatMul(), None, c, (a, b), threads, (double_rows.address, block.ctypes.data))
    assert_close(c, expected, 2 * a_shape[-1])


FINISHED = [
    Case((1, 70, 5, 5), 70, (1, 1)),
    Case((9, 6, 10, 10), 14, (3, 3), square(pad=1)),
    Case((1, 64, 7, 7), 96, (3, 3), square(pad=1)),
    Case((1, 40, 7, 7), 96, (3, 3), square(pad=1)),
    Case((1, 48, 7, 7), 48, (4, 4), square(pad=2, groups=6)),
    Case((3, 8, 9, 9), 8, (3, 3), square(stride=2, pad=1, groups=2)),
    Case((1, 48, 9, 9), 48, (3, 3), square(pad=1, groups=48)),
]


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("case", FINISHED, ids=str)
def test_convolutions_finish_every_row_once(case, threads):
    rng = np.random.default_rng(10)
    x, w, g = (normal(rng, shape, "float32") for shape in (case.x, case.w, case.output))
    forward, backward, of_weights = (
        (DepthwiseConv2d(), DepthwiseConv2dInputGrad(), DepthwiseConv2dWeightGrad())
        if case.window.groups == case.out
        else (Conv2d(), Conv2dInputGrad(), Conv2dWeightGrad())
    )
    (y, written_y), (dx, written_dx) = (empty(shape, "float32") for shape in (case.output, case.x))
    dw = np.full(case.w, np.nan, np.float32)
    for entry, operands, written, result, expected in (
        (forward, (last(x), w), written_y, y, expected_output(x, w, case)),
        (backward, (last(g), w, None), written_dx, dx, expected_input_gradient(g, w, case)),
        (of_weights, (last(x), last(g), None), dw, dw, expected_weight_gradient(x, g, case)),
    ):
        block = np.array([written.ctypes.data, written.shape[-1]])
        run(entry, op_of(case), written, operands, threads, (double_rows.address, block.ctypes.data))
        assert_close(result, 2 * expected, 2 * max(g.size // case.out, np.prod(case.w)))
