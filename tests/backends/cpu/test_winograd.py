"""Winograd convolution against NumPy in float64: exact transforms, awkward shapes, and every layer of the models."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

import symcnn as sc
from symcnn.config import config
from symcnn.ir.variable import apply
from symcnn.ops.channels_last import ChannelsLast
from symcnn.ops.conv import Conv2d, Conv2dInputGrad, Conv2dWeightGrad
from symcnn.ops.window import Window2d
from tests.backends.cpu.local_runner import run, view_of

pytest.importorskip("numba")

from numba import cfunc, float32

from symcnn.backends.cpu import compiler
from symcnn.backends.cpu.compiler import SIGNATURE
from symcnn.backends.cpu.tuned import winograd_transforms as transforms
from symcnn.backends.cpu.tuned.arguments import arguments, operand
from symcnn.backends.cpu.tuned.winograd import WinogradConv2d, WinogradConv2dInputGrad
from symcnn.backends.cpu.tuned.winograd_weight import WinogradConv2dWeightGrad

ENTRIES = {
    Conv2d: WinogradConv2d(),
    Conv2dInputGrad: WinogradConv2dInputGrad(),
    Conv2dWeightGrad: WinogradConv2dWeightGrad(),
}
OPS = pytest.mark.parametrize("op_class", ENTRIES, ids=lambda c: c.__name__)


@dataclass(frozen=True)
class Case:
    """A convolution of x (N, C, H, W) with as many filters as `out`."""

    x: tuple[int, int, int, int]
    out: int
    kernel: int = 3
    padding: tuple[tuple[int, int], tuple[int, int]] = ((1, 1), (1, 1))
    groups: int = 1

    def __str__(self):
        return f"{self.x}-{self.out}x{self.kernel}-p{self.padding}-g{self.groups}".replace(" ", "")

    @property
    def window(self):
        return Window2d(padding=self.padding, groups=self.groups)

    def arrays(self):
        """x and g in (N, H, W, C), and w, standard normal."""
        rng = np.random.default_rng(0)
        n, channels, *size = self.x
        grid = [s + sum(pads) - self.kernel + 1 for s, pads in zip(size, self.padding, strict=True)]
        shapes = (
            (n, *size, channels),
            (self.out, channels // self.groups, self.kernel, self.kernel),
            (n, *grid, self.out),
        )
        return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]

    def operands(self, op_class):
        """What the op takes and, of the right shape, what it makes."""
        x, w, g = self.arrays()
        return {Conv2d: ((x, w), g), Conv2dInputGrad: ((g, w, x), x), Conv2dWeightGrad: ((x, g, w), w)}[op_class]


def spread(array, order, rng):
    """The same numbers, their axes in memory in this order, with gaps between all but the last."""
    wide = np.full([array.shape[i] + (i != order[-1]) for i in order], np.nan, array.dtype)
    view = wide[tuple(slice(array.shape[i]) for i in order)].transpose(np.argsort(order))
    view[...] = array
    return view


def relative_error(actual, expected):
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


def reference(op, operands):
    return op.reference(*(a.astype(np.float64) for a in operands))


def values_for_kernel(op_class, operands):
    """Operands as kernels get them: nothing for those that are taken for their shape."""
    return tuple(None if k in op_class.shape_only else a for k, a in enumerate(operands))


# -- The transforms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel, extent", list(transforms.TILE.items()))
def test_the_matrices_convolve_exactly(kernel, extent):
    rng = np.random.default_rng(0)
    x, w = ([Fraction(int(n)) for n in rng.integers(-9, 10, size)] for size in (transforms.EXTENT, kernel))

    def apply(matrix, vector):
        return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]

    at_points = zip(
        apply(transforms.vanishing_polynomials(), x), apply(transforms.scaled_powers(kernel), w), strict=True
    )
    y = apply(transforms.transposed(transforms.powers(extent)), [a * b for a, b in at_points])
    assert y == [sum(x[i + j] * w[j] for j in range(kernel)) for i in range(extent)]


# -- Shapes -----------------------------------------------------------------------------------------------------------

SHAPES = [
    Case((2, 16, 4, 4), 16),
    Case((1, 16, 1, 1), 16),
    Case((3, 17, 13, 13), 19),
    Case((2, 33, 7, 9), 50),
    Case((2, 20, 12, 12), 50, 5, ((0, 0), (0, 0))),
    Case((2, 24, 7, 7), 33, 5, ((2, 2), (2, 2))),
    Case((1, 16, 27, 3), 32, 5, ((0, 4), (3, 1))),
    Case((2, 48, 6, 11), 64, 3, ((2, 0), (1, 2)), 2),
    Case((5, 60, 5, 5), 48, 3, ((0, 0), (0, 0)), 3),
    Case((1, 16, 2, 30), 100, 3, ((4, 5), (3, 0))),
    Case((1, 150, 9, 8), 130),
]


@OPS
@pytest.mark.parametrize("case", SHAPES, ids=str)
def test_awkward_shapes(case, op_class):
    op = ChannelsLast(op_class(case.window))
    operands, like = case.operands(op_class)
    expected = reference(op, operands)
    rng = np.random.default_rng(1)
    for arrange in (lambda a: a, lambda a: spread(a, (1, 0, 2, 3), rng)):
        output = np.full(like.shape, np.nan, np.float32)
        run(ENTRIES[op_class], op, output, values_for_kernel(op_class, map(arrange, operands)))
        assert relative_error(output, expected) < 4e-6


def test_weights_of_any_strides():
    case = Case((2, 20, 9, 9), 40)
    x, w, g = case.arrays()
    wide = spread(w, (3, 1, 2, 0), np.random.default_rng(2))
    for op_class, operands, like in ((Conv2d, (x, wide), g), (Conv2dInputGrad, (g, wide, x), x)):
        op = ChannelsLast(op_class(case.window))
        output = np.full(like.shape, np.nan, np.float32)
        run(ENTRIES[op_class], op, output, values_for_kernel(op_class, operands))
        assert relative_error(output, reference(op, operands)) < 4e-6
    op = ChannelsLast(Conv2dWeightGrad(case.window))
    output = spread(w, (2, 3, 0, 1), np.random.default_rng(3))
    run(ENTRIES[Conv2dWeightGrad], op, output, (x, g, None))
    assert relative_error(output, reference(op, (x, g, w))) < 4e-6


@OPS
def test_the_number_of_threads_does_not_change_a_bit(op_class):
    case = Case((9, 20, 11, 11), 40)
    operands, like = case.operands(op_class)
    results = []
    for threads in (1, 2, 5, 64):
        output = np.empty_like(like)
        run(
            ENTRIES[op_class],
            ChannelsLast(op_class(case.window)),
            output,
            values_for_kernel(op_class, operands),
            threads,
        )
        results.append(output.tobytes())
    assert len(set(results)) == 1


def negate(lo, hi, args):
    block = arguments(args)
    y = operand(block, 0, float32)
    for i in range(lo * block[1], hi * block[1]):
        y[i] = -y[i]


@OPS
@pytest.mark.parametrize("case", [SHAPES[2], SHAPES[4], SHAPES[7]], ids=str)
def test_every_row_is_finished_once(case, op_class):
    operands, like = case.operands(op_class)
    op, entry = ChannelsLast(op_class(case.window)), ENTRIES[op_class]
    plain, negated = (np.full(like.shape, np.nan, np.float32) for _ in range(2))
    compiled = cfunc(SIGNATURE)(negate)
    block = np.array([negated.ctypes.data, like.shape[-1]], np.int64)
    run(entry, op, plain, values_for_kernel(op_class, operands))
    run(entry, op, negated, values_for_kernel(op_class, operands), epilogue=(compiled.address, block.ctypes.data))
    np.testing.assert_array_equal(negated, -plain)


# -- Accuracy ---------------------------------------------------------------------------------------------------------


def layers():
    """The convolutions of LeNet, cs231n's network, AlexNet and GoogLeNet that may take Winograd's algorithm."""
    yield Case((2, 20, 12, 12), 50, 5, ((0, 0), (0, 0)))
    for channels, out, size in ((32, 32, 32), (32, 64, 16), (64, 64, 16), (64, 128, 8), (128, 128, 8)):
        yield Case((1, channels, size, size), out)
    yield Case((1, 96, 27, 27), 256, 5, ((2, 2), (2, 2)), 2)
    for channels, out, groups in ((256, 384, 1), (384, 384, 2), (384, 256, 2)):
        yield Case((1, channels, 13, 13), out, groups=groups)
    yield Case((1, 64, 56, 56), 192)
    for channels, out, size in (
        *((96, 128, 28), (128, 192, 28), (96, 208, 14), (112, 224, 14), (128, 256, 14), (144, 288, 14)),
        *((160, 320, 14), (160, 320, 7), (192, 384, 7)),
    ):
        yield Case((1, channels, size, size), out)
    for channels, out, size in (
        *((16, 32, 28), (32, 96, 28), (16, 48, 14), (24, 64, 14), (32, 64, 14), (32, 128, 14), (32, 128, 7)),
        (48, 128, 7),
    ):
        yield Case((1, channels, size, size), out, 5, ((2, 2), (2, 2)))


@OPS
@pytest.mark.parametrize("case", list(layers()), ids=str)
def test_accuracy_on_layers_of_the_models(case, op_class):
    op = ChannelsLast(op_class(case.window))
    operands, like = case.operands(op_class)
    output = np.empty_like(like)
    run(ENTRIES[op_class], op, output, values_for_kernel(op_class, operands))
    assert relative_error(output, reference(op, operands)) < 1e-5


# -- Selection --------------------------------------------------------------------------------------------------------


def suits(op_class, case, window=None, change=lambda a: a):
    operands, like = case.operands(op_class)
    op = ChannelsLast(op_class(window or case.window))
    views = [view_of(change(a), k) for k, a in enumerate((*operands, like))]
    views[:-1] = values_for_kernel(op_class, views[:-1])
    return ENTRIES[op_class].suits(op, views[-1], tuple(views[:-1]))


@OPS
def test_which_convolutions_it_takes(op_class, monkeypatch):
    wide = Case((16, 64, 16, 16), 64)
    assert suits(op_class, wide)
    assert not suits(op_class, wide, change=lambda a: a.astype(np.float64))
    assert not suits(op_class, wide, window=Window2d(stride=(1, 2), padding=wide.padding))
    assert not suits(op_class, wide, window=Window2d(dilation=(2, 1), padding=wide.padding))
    assert not suits(op_class, wide, change=lambda a: spread(a, (0, 3, 1, 2), np.random.default_rng(0)))
    assert not suits(op_class, Case((16, 3, 16, 16), 64))
    assert not suits(op_class, Case((16, 64, 16, 16), 3))
    assert not suits(op_class, Case((16, 64, 16, 16), 64, 1, ((0, 0), (0, 0))))
    assert not suits(op_class, Case((0, 64, 16, 16), 64))
    monkeypatch.setattr(config, "winograd", False)
    assert not suits(op_class, wide)


def test_small_batches_go_direct_and_compile_nothing():
    x, w = sc.input("x", (None, 8, 8, 64)), sc.constant(np.ones((64, 64, 3, 3), np.float32))
    f = sc.function([x], apply(ChannelsLast(Conv2d(Window2d(padding=((1, 1), (1, 1))))), x, w))
    algorithms = []
    seconds = None
    for batch in (64, 1):
        y = f(np.ones((batch, 8, 8, 64), np.float32))
        np.testing.assert_allclose(y[:, 1:-1, 1:-1], 9 * 64, rtol=1e-5)
        algorithms.append(f.kernels[-1].source.splitlines()[0])
        seconds = seconds or compiler.seconds
    assert algorithms[0].startswith('"""Winograd') and not algorithms[1].startswith('"""Winograd')
    assert compiler.seconds == seconds
