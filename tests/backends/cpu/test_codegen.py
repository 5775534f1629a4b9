"""Generated kernels: canonical, readable, and right where loops are strange: empty, merged, guarded, in small dtypes."""

import re

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.cpu.launch import HEADER
from symcnn.ir.graph import evaluate
from symcnn.ir.variable import apply
from symcnn.ops.avg_pool import AvgPool2d, AvgPool2dGrad
from symcnn.ops.channels_last import ChannelsLast
from symcnn.ops.fill import position_like
from symcnn.ops.lrn import ChannelWindowSum
from symcnn.ops.pool import MaxPool2d, MaxPool2dArgmax, MaxPool2dGrad
from symcnn.ops.window import Window2d


def sources(inputs, outputs, **options):
    return [k.source for k in sc.function(inputs, outputs, device="cpu", **options).kernels]


def agree(inputs, outputs, *arrays, tolerance=1e-6):
    """Values of the kernels equal those of the references; returns the sources."""
    f = sc.function(inputs, outputs, device="cpu")
    found = f(*arrays)
    expected = evaluate(outputs, dict(zip(inputs, arrays, strict=True)))
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    return [k.source for k in f.kernels]


def test_equal_structure_gives_equal_text():
    """Names, sizes, and the batch do not matter: the kernel is compiled once for all of them."""
    texts = set()
    for name, shape in (("x", (None, 8)), ("image", (4, 5)), ("z", (None, None)), ("z", (3, None, 7))):
        x = sc.input(name, shape)
        texts.update(sources([x], sc.tanh(x * 2) + 1))
    assert len(texts) == 1


def test_another_dtype_or_number_is_another_kernel():
    texts = set()
    for dtype, number in (("float32", 2), ("float64", 2), ("float32", 3)):
        x = sc.input("x", (None,), dtype)
        texts.update(sources([x], sc.tanh(x * number)))
    assert len(texts) == 3


def test_numbers_are_written_as_short_as_they_are():
    x = sc.input("x", (None,))
    (source,) = sources([x], x * 0.1 + 1e-5)
    assert "float32(0.1)" in source
    assert "float32(1e-05)" in source


def test_every_kernel_is_python_that_can_be_read():
    x, t = sc.input("x", (None, 1, 9, 9)), sc.input("t", (None,), "int64")
    y = sc.max_pool2d(sc.relu(x), 3, stride=2, padding=1)
    loss = sc.losses.cross_entropy(sc.flatten(y, 1), t)
    for source in sources([x, t], [loss, sc.grad(loss, x)]):
        compile(source, "kernel", "exec")
        assert source.startswith('def kernel(lo, hi, args):\n    """')
        assert max(map(len, source.splitlines())) < 400


def test_neighbouring_axes_become_one_loop():
    x, y = (sc.input(name, (None, 3, 4, 5)) for name in "xy")
    (source,) = agree([x, y], [sc.exp(x) * y], *np.random.default_rng(0).normal(size=(2, 2, 3, 4, 5)).astype("float32"))
    assert source.count("for ") == 1
    assert "%" not in source


def test_positions_are_counters_of_long_axes():
    x = sc.input("x", (None, 3, 4, 5))
    X = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    (source,) = agree([x], [x + position_like(x).astype("float32")], X)
    assert source.count("for ") == 1 and "float32(i0)" in source
    agree([x], [x + position_like(x, (1, 2)).astype("float32")], X)
    agree([x], [x + position_like(x, (3, 1, 0)).astype("float32")], X)
    agree([x], [x[:, :, :, :3] * position_like(x)[:, :, :, :3].astype("float32")], X)
    agree([x], [x * (position_like(x) * 3 + position_like(x, (0, 1))).astype("float32")], X)
    agree([x], [sc.sum(x * position_like(x).astype("float32"), axis=(1, 2, 3))], X, tolerance=1e-4)


def test_a_bias_of_channels_keeps_its_axis():
    x, b = sc.input("x", (None, 3, 4, 5)), sc.input("b", (3, 1, 1))
    rng = np.random.default_rng(0)
    X, B = rng.normal(size=(2, 3, 4, 5)).astype("float32"), rng.normal(size=(3, 1, 1)).astype("float32")
    agree([x, b], [sc.relu(x + b)], X, B)


def test_what_does_not_depend_on_a_loop_is_computed_before_it():
    x = sc.input("x", (None, 8))
    (source,) = sources([x], x - sc.max(x, axis=1, keepdims=True))
    body = source[source.index("for i0") :]
    assert body.index("maximum") < body.index("for i1")


def test_a_branch_keeps_its_loads_inside():
    """Padding reads nothing outside; a long computation below it is written once."""
    x = sc.input("x", (None, 5))
    h = x
    for _ in range(12):
        h = sc.sin(sc.square(h) + 0.5)
    (source,) = agree([x], [sc.pad(h, ((0, 0), (2, 3)))], np.linspace(-1, 1, 10, dtype="float32").reshape(2, 5))
    assert source.count("sin(") == 12
    assert len(source) < 3000


def test_branches_in_branches():
    x = sc.input("x", (4, 4))
    y = sc.pad(sc.exp(sc.pad(sc.square(sc.pad(x, 1)), 1)), 1)
    z = sc.concat([y[:3], sc.tanh(y[3:]) * 2, sc.concat([y, y[::-1]], axis=0)], axis=0)
    X = np.random.default_rng(0).normal(size=(4, 4)).astype("float32")
    agree([x], [z, sc.take(z, [3, -1, 0], axis=1), sc.sum(sc.pad(z, 2), axis=0)], X, tolerance=1e-5)


def test_gathers_of_gathers():
    x, n = sc.input("x", (None, 3)), sc.input("n", (None,), "int64")
    h = x
    for _ in range(12):
        h = sc.take(h, n, axis=0)
    (source,) = agree([x, n], [h], np.arange(12, dtype="float32").reshape(4, 3), np.array([1, 2, 3, 0]))
    assert len(source) < 6000


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "uint64", "bool"])
def test_integers_wrap_around_as_in_numpy(dtype):
    x, y = (sc.input(name, (None, 4), dtype) for name in "xy")
    if dtype == "bool":
        X, Y = np.array([[True, False, True, False]]), np.array([[True, True, False, False]])
        outputs = [
            x & y,
            x | y,
            x ^ y,
            ~x,
            sc.sum(x),
            sc.any(x, axis=1),
            sc.all(x, axis=1),
            x.astype("float32"),
            sc.where(x, 1, 2),
        ]
    else:
        info = np.iinfo(dtype)
        X = np.array([[info.min, info.max, 3, 7]], dtype)
        Y = np.array([[info.max, info.max, 5, 2]], dtype)
        outputs = [x + y, x * y, x - y, sc.maximum(x, y), x // y, x % y, sc.sum(x, axis=1), sc.max(x), sc.min(x, axis=0),
                   sc.argmax(x, axis=1), x < y, x.astype("int8"), sc.square(x), sc.abs(x) if info.min else x]  # fmt: skip
    agree([x, y], outputs, X, Y)


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 0), (1, 1), (1, 4), (3, 1)])
def test_empty_and_single_loops(shape):
    x = sc.input("x", (None, None), "float64")
    X = np.random.default_rng(0).normal(size=shape)
    outputs = [sc.exp(x), sc.sum(x, axis=0), sc.sum(x, axis=1), sc.sum(x), sc.prod(x, axis=1, keepdims=True), x.T * 2,
               sc.concat([x, x * 2], axis=1), sc.pad(x, 1), x @ x.T, x[::-1, 1:] + 1, sc.all(x > 0, axis=0)]  # fmt: skip
    agree([x], outputs, X, tolerance=1e-12)


def test_scalars():
    x, y = sc.input("x", ()), sc.input("y", (), "float64")
    agree([x, y], [x * 2, sc.exp(x) + y, sc.sum(x), sc.reshape(y, (1, 1)) + x, x > y], np.float32(0.3), np.float64(0.1))


def test_reductions_over_any_axes():
    x = sc.input("x", (None, 3, 4, 2), "float64")
    X = np.random.default_rng(0).normal(size=(2, 3, 4, 2))
    axes = [None, 0, 1, 3, (0, 1), (0, 3), (1, 2), (2, 3), (0, 1, 3), (1, 2, 3)]
    outputs = [
        reduce(x, axis=a, keepdims=k) for a in axes for k in (True, False) for reduce in (sc.sum, sc.max, sc.mean)
    ]
    agree([x], outputs, X, tolerance=1e-12)


def test_nan_wins_maxima_and_the_first_of_equals_the_position():
    x = sc.input("x", (None, 4))
    X = np.array([[1, np.nan, 3, np.nan], [2, 2, 1, 2], [-np.inf, -np.inf, -np.inf, -np.inf]], "float32")
    f = sc.function(
        [x], [sc.max(x, axis=1), sc.min(x, axis=1), sc.argmax(x, axis=1), sc.argmin(x, axis=1)], device="cpu"
    )
    found = f(X)
    np.testing.assert_array_equal(found[0], X.max(1))
    np.testing.assert_array_equal(found[1], X.min(1))
    assert found[2].tolist() == X.argmax(1).tolist() == [1, 0, 0]
    assert found[3].tolist() == X.argmin(1).tolist()


def test_many_elements_are_shared_by_threads(monkeypatch):
    """A large launch is cut into chunks of any size; every element is computed once."""
    x = sc.input("x", (None,))
    f = sc.function([x], [x * 2 + 1, sc.sum(x)], device="cpu")
    for n in (1, 1000, 65_537, 1_000_003):
        X = np.arange(n, dtype="float32") % 1000
        doubled, total = f(X)
        np.testing.assert_array_equal(doubled, X * 2 + 1)
        np.testing.assert_allclose(total, X.sum(dtype="float64"), rtol=1e-5)


def test_the_argument_block_is_unpacked_in_order():
    x = sc.input("x", (None, 8))
    (source,) = sources([x], sc.sum(x * 2, axis=1))
    operands = re.findall(r"x\d+ = float32_at\(block\[(\d+)\]\)", source)
    integers = re.findall(r"n\d+ = block\[(\d+)\]", source)
    assert list(map(int, operands)) == list(range(len(operands)))
    first = len(operands) + HEADER
    assert list(map(int, integers)) == list(range(first, first + len(integers)))


# -- folds by rows ---------------------------------------------------------------------------------------------------


def channels_last(op, *operands):
    return apply(ChannelsLast(op), *operands)


@pytest.mark.parametrize("channels", [1, 3, 20, 70])
@pytest.mark.parametrize("geometry", [Window2d((2, 2)), Window2d((2, 2), ((1, 1), (0, 1))), Window2d((1, 1), "same")])
def test_windows_over_pixels_of_many_channels(channels, geometry):
    """Maximum, its place, the average, and their adjoints, with NaN and infinities among the pixels."""
    x = sc.input("x", (None, None, None, channels))
    pool, average = MaxPool2d((3, 3), geometry), AvgPool2d((3, 3), geometry)
    place = channels_last(pool.sibling(MaxPool2dArgmax), x)
    largest = channels_last(pool, x)
    outputs = [
        largest,
        place,
        channels_last(pool.sibling(MaxPool2dGrad), sc.where(sc.isfinite(largest), largest, 1), place, x),
        channels_last(average, sc.where(sc.isfinite(x), x, 1)),
        channels_last(average.sibling(AvgPool2dGrad), sc.where(sc.isfinite(largest), largest, 1), x),
    ]
    X = np.random.default_rng(0).normal(size=(2, 7, 8, channels)).astype("float32")
    X[0, 1, 2, 0], X[1, 3, :, -1], X[0, 4:, 4:, 0] = np.nan, np.inf, -np.inf
    agree([x], outputs, X, tolerance=1e-5)


def test_the_innermost_loop_runs_along_memory_and_conditions_stand_outside():
    x = sc.input("x", (None, 9, 9, 8))
    (source,) = sources([x], channels_last(MaxPool2d((3, 3), Window2d((2, 2), ((1, 1), (1, 1)))), x))
    lines = [line.strip() for line in source.splitlines()]
    loops = [line.split()[1] for line in lines if line.startswith("for ")]
    assert loops[-4:] == ["r0", "r1", "i3", "i3"]
    assert lines.index("for r1 in range(3):") < max(k for k, line in enumerate(lines) if line.startswith("if "))
    assert "if" not in lines[-4]


def test_neighbouring_channels_are_summed_without_conditions():
    x = sc.input("x", (None, 4, 4, None))
    for channels in (1, 2, 3, 9):
        X = np.random.default_rng(0).normal(size=(2, 4, 4, channels)).astype("float32")
        (source,) = agree([x], [channels_last(ChannelWindowSum(2, 1), x)], X)
        assert " if " not in source


def test_a_maximum_and_its_place_are_found_together():
    x = sc.input("x", (None, 8, 8, 5))
    pool = MaxPool2d((2, 2), Window2d((2, 2)))
    outputs = [channels_last(pool, x), channels_last(pool.sibling(MaxPool2dArgmax), x)]
    X = np.random.default_rng(0).normal(size=(2, 8, 8, 5)).astype("float32")
    (source,) = agree([x], outputs, X)
    assert source.count("for r0") == 1
    assert "maximum" not in source


def test_sums_over_a_batch_are_the_same_for_any_number_of_threads(monkeypatch):
    x = sc.input("x", (None, 40, 40, 24))
    X = (np.random.default_rng(0).normal(size=(9, 40, 40, 24)) + 100).astype("float32")
    outputs = [
        sc.sum(x, axis=(0, 1, 2)),
        sc.sum(x),
        sc.max(x, axis=(0, 1, 2)),
        sc.mean(x, axis=(0, 1, 2), keepdims=True),
    ]
    found = []
    for threads in (1, 2):
        monkeypatch.setattr(sc.config, "threads", threads)
        found.append(sc.function([x], outputs, device="cpu")(X))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
    exact = X.astype("float64")
    np.testing.assert_allclose(found[0][0], exact.sum((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(found[0][1], exact.sum(), rtol=1e-6)


@pytest.mark.parametrize("rows", [0, 1, 31, 1000, 4097])
def test_large_folds_in_parts_of_any_size(rows):
    x = sc.input("x", (None, 300), "float64")
    X = np.random.default_rng(0).normal(size=(rows, 300))
    outputs = [sc.sum(x, axis=0), sc.sum(x), sc.any(x > 3, axis=0), sc.sum(x > 0, axis=0), sc.sum(x * x) / 2]
    outputs += [sc.max(x, axis=0), sc.min(x), sc.argmax(x, axis=0), sc.std(x, axis=0)] if rows else []
    agree([x], outputs, X, tolerance=1e-12)


@pytest.mark.parametrize("side", [26, 260])
def test_a_total_beside_what_it_is_the_total_of(side):
    x, t = sc.input("x", (1, side, side), "float64"), sc.input("t", (1, side, side), "float64")
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=x.shape), rng.normal(size=t.shape)
    difference = x - t
    agree([x, t], [difference, sc.mean(difference**2), sc.sum(sc.exp(x), (1, 2), True)], X, T, tolerance=1e-12)


def test_positions_keep_their_axes():
    x = sc.input("x", (None, 3, 4), "float64")
    X = np.random.default_rng(0).normal(size=(2, 3, 4))
    agree([x], sc.grad(sc.sum(sc.prod(x, axis=(0, 2)) ** 2), [x]), X, tolerance=1e-12)


def test_padding_never_wins_even_where_all_pixels_are_infinitely_low():
    x = sc.input("x", (1, 3, 3, 2))
    pool = MaxPool2dArgmax((3, 3), Window2d((1, 1), ((1, 1), (1, 1))))
    X = np.full((1, 3, 3, 2), -np.inf, "float32")
    agree([x], [channels_last(pool, x)], X)
    (place,) = sc.function([x], [channels_last(pool, x)], device="cpu")(X)
    assert place[0, :, :, 0].tolist() == [[4, 3, 3], [1, 0, 0], [1, 0, 0]]


def test_a_window_inside_the_image_is_unrolled():
    x = sc.input("x", (None, 9, 9, 8))
    (source,) = sources([x], channels_last(AvgPool2d((3, 3), Window2d((1, 1), "same")), x))
    inside, edges = source[source.index("for i2") :].split("else:")
    assert inside.index("for i3") < inside.index("for r0")
    assert edges.index("for r0") < edges.rindex("for i3")
