"""Generated kernels with the block sizes of a GPU: every way of spreading work gives the right numbers, at all sizes."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symcnn as sc
from symcnn.backends.cuda.codegen import FOUR
from symcnn.backends.cuda.compiler import ptx
from symcnn.backends.cuda.launch import SIMULATED
from symcnn.ops.fill import position_like
from tests.backends.cuda.devices import Emulator, Spy, backend_of, made
from tests.backends.cuda.emulation import emulate
from tests.backends.cuda.ptx import lint
from tests.contract.cases import arrays_for, assert_agree, build, example_cases

EMULATED = made(Emulator())
COMPILED = made(Emulator(interpreted=False))  # for many elements
SMALL = made(Emulator(SIMULATED))  # blocks
NAN, INF = float("nan"), float("inf")


def stages_of(f):
    return [stage for step in f.program.steps for stage in backend_of(f.device)._generated(step).stages]


def way(stage) -> str:
    source = stage.kernel.source
    if stage.in_fours:
        return "fours"
    if "thread = int32(cuda.threadIdx.x)" in source:
        return "blocks" if stage.per_block == 1 else "one row"
    return "rows" if re.search(r"^        for i\d", source, re.MULTILINE) else "points"


def ways(inputs, outputs) -> list[str]:
    """How the work of each kernel is spread, in the order in which they run."""
    return list(map(way, stages_of(sc.function(inputs, outputs, device=EMULATED))))


def array(*shape, dtype="float32", seed=0, low=-2.0, high=2.0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def agree(f, expected, *arrays):
    """The results of `f` are those of `expected`, which computes with the same arrays in float64."""
    found = f(*arrays)
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
    with np.errstate(all="ignore"):
        wanted = expected(*wide)
    found, wanted = (list(x) if isinstance(x, (list, tuple)) else [x] for x in (found, wanted))
    for a, b in zip(found, wanted, strict=True):
        assert_agree(a, np.asarray(b).astype(a.dtype))


# ---- which way

BATCH = None
IMAGES = (BATCH, 16, 12, 12)


@pytest.mark.parametrize(
    ("shape", "build", "expected"),
    [
        (IMAGES, lambda x: sc.tanh(x) * 2, ["fours"]),
        (IMAGES, lambda x: x.astype("float64"), ["points"]),  # of other than 4 bytes
        (IMAGES, lambda x: sc.pad(x, 1), ["points"]),
        (IMAGES, lambda x: sc.max_pool2d(x, 2), ["points"]),
        ((BATCH, 10), sc.softmax, ["rows"]),
        ((BATCH, 1000), sc.softmax, ["blocks"]),
        ((1, 1000), sc.softmax, ["one row"]),
        ((1, 40_000), sc.softmax, ["blocks", "one row"]),
        ((BATCH, 16, 24, 24), lambda x: sc.sum(x, axis=(2, 3)), ["blocks"]),
        (IMAGES, lambda x: sc.sum(x, axis=(0, 2, 3)), ["blocks"]),
        ((BATCH, 12, 12, 16), lambda x: sc.sum(x, axis=(0, 1, 2)), ["blocks", "blocks"]),
        ((BATCH, 512), lambda x: sc.sum(x, axis=0), ["points", "blocks"]),
        ((BATCH, 16, 12, 12), lambda x: sc.sum(x, axis=1), ["points"]),
        ((BATCH, 100, 12, 12), lambda x: sc.sum(x, axis=1), ["points"]),  # neighbours read neighbours
        ((BATCH,), sc.sum, ["blocks"]),
        ((40_000,), sc.sum, ["blocks", "blocks"]),
    ],
)
def test_which_way(shape, build, expected):
    x = sc.input("x", shape)
    assert ways([x], build(x)) == expected


def test_new_sizes_take_the_same_kernels():
    x = sc.input("x", (None, 300))
    outputs = [sc.softmax(x), sc.sum(x, axis=0), sc.sum(x), sc.exp(x) + 1]
    f = sc.function([x], outputs, device=made(Spy()))
    spy, found = backend_of(f.device).device, set()
    spy.since()
    for n in (1, 2, 7, 300, 40_000):
        f.bind(x=(n, 300))
        found.add(tuple(k.source for k in f.kernels))
        assert spy.since()["compile"] == 0
    assert len(found) == 1


# ---- a thread per four points


def test_lengths_that_are_no_multiple_of_four():
    x, y, c = sc.input("x", (None,)), sc.input("y", (None,)), sc.input("c", ())
    f = sc.function([x, y, c], sc.exp(x) * c + y, device=EMULATED)
    assert [way(s) for s in stages_of(f)] == ["fours"]
    for n in (*range(1, 10), 1024, 1025, 2051):
        agree(f, lambda x, y, c: np.exp(x) * c + y, array(n), array(n, seed=1), array(seed=2))
    assert f(array(0), array(0), array()).shape == (0,)


def test_operands_that_are_not_aligned():
    """They are moved one by one: `emulate` refuses four at a time from there."""
    x = sc.input("x", (None,))
    f = sc.function([x], sc.exp(x) * 2 + 1, device=EMULATED)
    (stage,) = stages_of(f)
    backend = backend_of(EMULATED)
    for start, n in ((0, 12), (1, 11), (2, 9), (3, 1)):
        X, Y = array(start + n), np.full(start + n, np.float32(7))
        f.bind(x=(n,))
        plan = f._current().plan
        views = [replace(plan.view(v), offset=4 * start) for v in stage.operands]
        moved = SimpleNamespace(types=plan.types, view=dict(zip(stage.operands, views, strict=True)).get)
        launch = backend._launch(moved, stage, {})
        assert launch.sizes[-1] == (n // FOUR * FOUR if start == 0 else 0)
        emulate(launch.kernel, launch.grid, [X[start:], Y[start:]], launch.sizes)
        assert_agree(Y[start:], (np.exp(X[start:].astype(float)) * 2 + 1).astype("float32"))
        assert (Y[:start] == 7).all()


# ---- numbers


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def normalized(x, axis=-1):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5)


def normalize(x, axis=-1):
    centred = x - sc.mean(x, axis=axis, keepdims=True)
    return centred / sc.sqrt(sc.mean(sc.square(centred), axis=axis, keepdims=True) + 1e-5)


FLOATS = {
    "rows": ((None, 10), [(3, 10), (257, 10)], sc.softmax, softmax),
    "blocks": ((None, 300), [(1, 300), (5, 300)], sc.softmax, softmax),
    "one row": ((1, None), [(1, 1), (1, 255), (1, 257), (1, 3000)], sc.softmax, softmax),
    "one row of many blocks": (
        (1, 40_000), [(1, 40_000)], lambda x: [sc.softmax(x), sc.max(x, axis=1)], lambda x: [softmax(x), x.max(1)],
    ),
    "log-softmax": (
        (None, 300), [(5, 300)], sc.log_softmax,
        lambda x: x - x.max(-1, keepdims=True) - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)),
    ),
    "a row and what is said of it": (
        (None, 300), [(5, 300)], lambda x: [normalize(x), sc.mean(x, axis=1)], lambda x: [normalized(x), x.mean(1)],
    ),
    "channels of images": (
        (None, 3, 5, 7), [(1, 3, 5, 7), (11, 3, 5, 7)], lambda x: sc.sum(sc.square(x), axis=(0, 2, 3)),
        lambda x: (x**2).sum((0, 2, 3)),
    ),
    "pixels of images": (
        (None, 3, 9, 11), [(2, 3, 9, 11)], lambda x: [sc.max(x, axis=(2, 3)), sc.sum(x, axis=(2, 3))],
        lambda x: [x.max((2, 3)), x.sum((2, 3))],
    ),
    "axes that do not touch": (
        (None, 9, 3, 11), [(2, 9, 3, 11)], lambda x: sc.sum(x, axis=(1, 3)), lambda x: x.sum((1, 3)),
    ),
    "in parts, of neighbours": ((None, 512), [(1, 512), (150, 512)], lambda x: sc.sum(x, axis=0), lambda x: x.sum(0)),
    "in parts": ((None, 300), [(1, 300), (1000, 300)], lambda x: sc.sum(x, axis=0), lambda x: x.sum(0)),
    "a total": ((40_000,), [(40_000,)], sc.sum, np.sum),
    "padding": (
        (None, 3, 5), [(1, 3, 5), (4, 3, 5)],
        lambda x: sc.pad(sc.square(x), ((0, 0), (1, 2), (2, 0))),
        lambda x: np.pad(x**2, ((0, 0), (1, 2), (2, 0))),
    ),
    "a permutation": (
        (None, 3, 5), [(4, 3, 5)], lambda x: sc.tanh(sc.transpose(x, (2, 0, 1))), lambda x: np.tanh(x.transpose(2, 0, 1)),
    ),
    "reversed and shifted": (
        (None, 5), [(1, 5), (7, 5)], lambda x: sc.concat([x[::-1, 1:], x[:, ::-2]], axis=1),
        lambda x: np.concatenate([x[::-1, 1:], x[:, ::-2]], 1),
    ),
    "windows": (
        (None, 2, 7, 6), [(3, 2, 7, 6)], lambda x: sc.max_pool2d(x, 3, stride=2, padding=1),
        lambda x: np.stack([
            np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-INF)[:, :, i : i + 7 : 2, j : j + 5 : 2]
            for i in range(3) for j in range(3)
        ]).max(0),
    ),
    "a running sum": ((None, 3), [(1, 3), (9, 3)], lambda x: sc.cumsum(x, axis=0), lambda x: np.cumsum(x, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOATS)
def test_numbers(name):
    shape, sizes, build, expected = FLOATS[name]
    x = sc.input("x", shape)
    f = sc.function([x], build(x), device=EMULATED if max(map(np.prod, sizes)) < 5000 else COMPILED)
    for size in sizes:
        agree(f, expected, array(*size))


# ---- which element, and what is no number

ODD = {
    "ties": [1, 3, 3, -2, -2, 3],
    "NaN": [1, 5, NAN, 7, NAN, -1],
    "infinities": [-INF, 4, INF, INF, -INF],
    "the worst there is": [-INF] * 3,
    "the best there is": [INF] * 3,
    "NaN first": [NAN, 1, 2],
    "signs of zero": [0.0, -0.0, 0.0],
}


def test_places_of_extremes():
    """In every thread, the first and the last included, and in threads that have nothing to do."""
    x = sc.input("x", (None, 300))
    outputs = [sc.argmax(x, axis=1), sc.argmin(x, axis=1), sc.max(x, axis=1), sc.min(x, axis=1)]
    f = sc.function([x], outputs, device=EMULATED)
    assert {way(s) for s in stages_of(f)} == {"blocks"}
    rows = []
    for k, values in enumerate(ODD.values()):
        for start, step in ((0, 1), (254, 1), (128, 2), (300 - len(values), 1))[k % 2 :: 2]:
            row = array(300, seed=start, low=-1, high=1)
            row[start : start + step * len(values) : step] = values
            rows.append(row)
    rows += [np.full(300, v, "float32") for v in (NAN, INF, -INF, 1.0)]
    X = np.stack(rows)
    agree(f, lambda x: [x.argmax(1), x.argmin(1), x.max(1), x.min(1)], X)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int32", "int64", "float64"])
def test_other_numbers(dtype, axis):
    """Small integers wrap around as NumPy's do; int64 keeps all its bits."""
    X = array(9, 7, low=-(2**40), high=2**40, dtype="int64")
    X = (X > 2**39) if dtype == "bool" else X.astype(dtype)
    x = sc.input("x", (None, None), dtype)
    builders = [sc.max, sc.min] if dtype == "bool" else [sc.max, sc.min, sc.sum, sc.prod, sc.argmax, sc.argmin]
    outputs = [b(x, axis=axis) for b in builders] + [sc.any(x > 0, axis=axis), sc.all(x > 0, axis=axis)]
    with np.errstate(over="ignore"):
        expected = [getattr(X, b.__name__)(axis=axis) for b in builders]
    expected += [(X > 0).any(axis=axis), (X > 0).all(axis=axis)]
    for found, wanted, v in zip(sc.function([x], outputs, device=SMALL)(X), expected, outputs, strict=True):
        assert found.dtype == v.dtype
        if dtype == "float64":
            np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-3)  # of sums of numbers as large as 2**40
        else:
            np.testing.assert_array_equal(found, np.asarray(wanted).astype(v.dtype))


@pytest.mark.parametrize("device", [COMPILED, EMULATED, made(Spy())], ids=["compiled", "emulated", "simulated"])
def test_values_of_64_bits_that_are_made_of_positions(device):
    """What positions are computed with has 32 bits; not so a value that is as large as it is."""
    x = sc.input("x", (None, 3))
    places = position_like(x)
    f = sc.function([x], [places * 3_000_000_007 + 5, sc.sum(places * 2**33, axis=1)], device=device)
    P = np.arange(21).reshape(7, 3)
    found = f(np.zeros((7, 3), "float32"))
    assert found[0].tolist() == (P * 3_000_000_007 + 5).tolist()
    assert found[1].tolist() == (P * 2**33).sum(1).tolist()


# ---- nothing at all


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty(shape):
    x = sc.input("x", (None, None))
    outputs = [sc.exp(x), sc.sum(x), sc.sum(x, axis=0), sc.sum(x, axis=1), sc.prod(x, axis=1), sc.any(x > 0)]
    X = np.zeros(shape, "float32")
    found = sc.function([x], outputs, device=SMALL)(X)
    for a, b in zip(found, [np.exp(X), X.sum(), X.sum(0), X.sum(1), X.prod(1), (X > 0).any()], strict=True):
        np.testing.assert_array_equal(a, b)


# ---- anything


@st.composite
def reductions(draw):
    shape = draw(
        st.lists(st.sampled_from([1, 2, 3, 5, 70]), min_size=1, max_size=4).filter(lambda s: np.prod(s) < 1000)
    )
    axes = tuple(sorted(draw(st.sets(st.integers(0, len(shape) - 1)))))
    order = tuple(draw(st.permutations(range(len(shape)))))
    known = tuple(draw(st.booleans()) or d == 1 for d in shape)
    kind = draw(st.sampled_from(["sum", "max", "min", "prod"]))
    return tuple(shape), axes, order, known, kind, draw(st.booleans()), draw(st.booleans())


@settings(max_examples=25)
@given(case=reductions())
def test_reductions_of_any_axes_in_any_order(case):
    shape, axes, order, known, kind, fused, kept = case
    x = sc.input("x", tuple(d if k else None for d, k in zip(shape, known, strict=True)))
    X = array(*shape, low=0.5, high=1.5)

    def expression(x, transpose, reduce):
        y = transpose(x, order)
        r = reduce(y * y, axis=axes, keepdims=kept or fused)
        return [y - r, r] if fused else [r]

    f = sc.function([x], expression(x, sc.transpose, getattr(sc, kind)), device=SMALL)
    agree(f, lambda x: expression(x, np.transpose, getattr(np, kind)), X)


# ---- what the compiler of a GPU makes of it


def kernels_of(cases, device, with_gradients=False) -> dict:
    """Kernels that examples of ops need -> the first example that does."""
    found = {}
    for op, example, name in cases:
        arrays = arrays_for(example, "float32")
        inputs, y = build(op, arrays)
        outputs = [y]
        if with_gradients and y.dtype.kind == "f":
            outputs += [sc.grad(sc.sum(y * y), x, disconnected="zeros") for x in inputs if x.dtype.kind == "f"]
        f = sc.function(inputs, outputs, device=device, on_unused_input="ignore")
        for step in f.program.steps:
            found |= {kernel: name for kernel in backend_of(device).kernels_of(step) if kernel not in found}
    return found


def complaints(kernel) -> list[str]:
    text = ptx(kernel, (9, 0))
    found = lint(text, kernel)
    assert "ld.global" in text or not kernel.operands[1:], "reads nothing"
    return found


def test_every_op_compiles_to_plain_instructions(monkeypatch):
    """One example of each op: 32-bit positions, no memory of a thread's own, no calls, no float64 that nobody asked for."""
    monkeypatch.setattr(sc.config, "tuned", False)
    cases = {type(p.values[0]): (*p.values, p.id) for p in reversed(example_cases())}
    kernels = kernels_of(cases.values(), EMULATED)
    assert len(kernels) > 25
    found = {name: bad for kernel, name in kernels.items() if (bad := complaints(kernel))}
    assert found == {}


def test_every_way_compiles_to_plain_instructions():
    x = sc.input("x", (None, 300))
    outputs = [
        sc.log_softmax(x), sc.argmax(x, axis=1), sc.sum(x, axis=0), sc.sum(x), sc.softmax(x[:, :10]), sc.exp(x) * 2,
        x > 0, sc.where(x > 0, x, sc.round(x)).astype("int32"), sc.any(x > 0, axis=1),
    ]  # fmt: skip
    f = sc.function([x], outputs, device=EMULATED)
    assert {way(s) for s in stages_of(f)} == {"fours", "points", "rows", "blocks"}
    for stage in stages_of(f):
        text = ptx(stage.kernel, (8, 0))
        assert lint(text, stage.kernel) == []
        assert ("bar.sync" in text) == (way(stage) == "blocks")
        assert ("ld.global.v4" in text and "st.global.v4" in text) == stage.in_fours


def test_functions_and_gradients_of_the_examples_compile(monkeypatch):
    """A few of all that were checked by hand when this was written: those with the longest kernels."""
    monkeypatch.setattr(sc.config, "tuned", False)
    names = {"AvgPool2d-0", "Conv2dTranspose-4", "SoftmaxCrossEntropy-0"}
    cases = [(*p.values, p.id) for p in example_cases() if p.id in names]
    kernels = kernels_of(cases, EMULATED, with_gradients=True)
    assert {name: bad for kernel, name in kernels.items() if (bad := complaints(kernel))} == {}


def test_long_sums_are_as_exact_as_those_of_numpy():
    """A thread of a block does not add thousands of elements to one growing sum."""
    x = sc.input("x", (None,))
    data = array(300_000, low=0, high=1)
    f = sc.function([x], [sc.sum(x * x), sc.max(x)], device=made(Emulator(SIMULATED, interpreted=False)))
    exact = np.sum(data.astype(np.float64) ** 2)
    total, largest = f(data)
    assert abs(float(total) - exact) < 5e-7 * exact
    assert largest == data.max()
