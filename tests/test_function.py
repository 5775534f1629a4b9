"""`function`: structure of inputs and outputs, updates, givens, calls, threads, late binding."""

import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symcnn as sc
from symcnn.backends.base import BACKENDS
from tests.pretended_gpu import OnDevice

A = np.random.default_rng(0).normal(size=(3, 3)).astype("float32")
B = np.random.default_rng(1).normal(size=(3, 3)).astype("float32")
each_device = pytest.mark.parametrize("device", BACKENDS)


# ---- structure


@each_device
def test_outputs_come_back_as_they_were_given(device):
    x = sc.input("x", (2,))
    X = np.array([1, 2], "float32")
    build = lambda outputs: sc.function([x], outputs, device=device, on_unused_input="ignore")(X)  # noqa: E731
    assert isinstance(build(2 * x), np.ndarray)
    assert [type(build(kind([2 * x, x]))) for kind in (list, tuple)] == [list, tuple]
    found = build({"double": 2 * x, "sum": sc.sum(x)})
    assert list(found) == ["double", "sum"]
    assert found["sum"] == 3
    assert build([]) == []
    assert build(()) == ()
    assert build([x])[0].tolist() == [1, 2]


@each_device
def test_outputs_that_are_leaves(device):
    x, s = sc.input("x", (2,)), sc.shared(np.ones(3), "s")
    found = sc.function([x], [x, s, sc.constant([7, 8]), 3.5, np.arange(2)], device=device)([1, 2])
    assert [f.tolist() for f in found] == [[1, 2], [1, 1, 1], [7, 8], 3.5, [0, 1]]


@each_device
def test_a_single_input_needs_no_list(device):
    x = sc.input("x", ())
    assert sc.function(x, x + 1, device=device)(1.0) == 2


@each_device
def test_without_inputs(device):
    assert sc.function([], sc.sum(sc.ones((2, 3))), device=device)() == 6


@each_device
def test_by_name_and_by_position(device):
    x, y = sc.input("x", ()), sc.input("y", ())
    f = sc.function([x, y], x - y, device=device)
    assert f(5, 3) == f(5, y=3) == f(y=3, x=5) == 2


def test_types_of_results():
    x = sc.input("x", (None, 2), "float64")
    f = sc.function([x], [x > 0, sc.sum(x), sc.argmax(x, axis=1)], device="cpu")
    mask, total, best = f(np.ones((3, 2)))
    assert (mask.dtype, mask.shape) == (np.dtype(bool), (3, 2))
    assert (total.dtype, total.shape) == (np.dtype("float64"), ())
    assert (best.dtype, best.shape) == (np.dtype("int64"), (3,))


# ---- updates: all of them see the old values


def softmax(a):
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


UPDATES = {
    "swap": (lambda a, b: {a: b, b: a}, lambda a, b: (b, a)),
    "chain": (lambda a, b: {a: b, b: b + 1}, lambda a, b: (b, b + 1)),
    "chain back": (lambda a, b: {b: a, a: a * 2}, lambda a, b: (a * 2, a)),
    "both from both": (lambda a, b: {a: a + b, b: a - b}, lambda a, b: (a + b, a - b)),
    "cross": (lambda a, b: {a: b * 2, b: a.T}, lambda a, b: (b * 2, a.T)),
    "transpose": (lambda a, b: {a: a.T}, lambda a, b: (a.T, b)),
    "with its transpose": (lambda a, b: {a: a.T + a}, lambda a, b: (a.T + a, b)),
    "reverse": (lambda a, b: {a: a[::-1]}, lambda a, b: (a[::-1], b)),
    "twice its reverse": (lambda a, b: {a: a[::-1] * 2}, lambda a, b: (a[::-1] * 2, b)),
    "shift": (lambda a, b: {a: sc.concat([a[1:], a[:1]], axis=0)}, lambda a, b: (np.roll(a, -1, 0), b)),
    "its first row": (lambda a, b: {a: a + a[0]}, lambda a, b: (a + a[0], b)),
    "product": (lambda a, b: {a: a @ b, b: b @ a}, lambda a, b: (a @ b, b @ a)),
    "square": (lambda a, b: {a: a @ a}, lambda a, b: (a @ a, b)),
    "rows": (
        lambda a, b: {a: a / sc.sum(sc.square(a), axis=1, keepdims=True)},
        lambda a, b: (a / (a**2).sum(1, keepdims=True), b),
    ),
    "softmax": (lambda a, b: {a: sc.softmax(a), b: b - sc.mean(b)}, lambda a, b: (softmax(a), b - b.mean())),
    "sums": (lambda a, b: {a: a + sc.sum(b), b: b + sc.sum(a)}, lambda a, b: (a + b.sum(), b + a.sum())),
    "constants": (lambda a, b: {a: sc.zeros((3, 3)), b: sc.constant(A)}, lambda a, b: (0 * a, A)),
    "reshaped": (lambda a, b: {a: sc.reshape(sc.reshape(b, (9,)) * 2, (3, 3)), b: a.T}, lambda a, b: (b * 2, a.T)),
    "itself": (lambda a, b: {a: a, b: b + 0}, lambda a, b: (a, b)),
    "the same for both": (lambda a, b: {a: a + b, b: a + b}, lambda a, b: (a + b, a + b)),
    "momentum": (
        lambda a, b: {a: 0.9 * a - 0.1 * b, b: b + (0.9 * a - 0.1 * b)},
        lambda a, b: (0.9 * a - 0.1 * b, b + 0.9 * a - 0.1 * b),
    ),
}

OUTPUTS = {
    "none": (lambda a, b: [], lambda a, b: []),
    "old values": (lambda a, b: [a, b, a.T], lambda a, b: [a, b, a.T]),
    "computed from old": (
        lambda a, b: [sc.sum(a @ b), sc.max(a, axis=0), sc.exp(b)],
        lambda a, b: [np.sum(a @ b), a.max(0), np.exp(b)],
    ),
    "likewise": (
        lambda a, b: [a + b, 0.9 * a - 0.1 * b, b + 1, a + b],
        lambda a, b: [a + b, 0.9 * a - 0.1 * b, b + 1, a + b],
    ),
}


@each_device
@pytest.mark.parametrize("outputs", OUTPUTS)
@pytest.mark.parametrize("updates", UPDATES)
def test_updates_see_the_old_values(device, updates, outputs):
    a, b = sc.shared(A, "a"), sc.shared(B, "b")
    build, expected = UPDATES[updates]
    shown, shown_expected = OUTPUTS[outputs]
    step = sc.function([], shown(a, b), updates=build(a, b), device=device)
    x, y = A, B
    results = []
    for _ in range(2):
        results.append((step(), shown_expected(x, y)))
        x, y = (np.array(v) for v in expected(x, y))
        np.testing.assert_allclose(a.get_value(), x, rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose(b.get_value(), y, rtol=2e-5, atol=2e-5)
    for found, wanted in results:  # the first call's results too: the second has not touched them
        for f, w in zip(found, wanted, strict=True):
            np.testing.assert_allclose(f, w, rtol=2e-5, atol=2e-5)


@st.composite
def programs(draw):
    """Updates of three Shareds by expressions of all of them, and some outputs."""
    shareds = [sc.shared(np.random.default_rng(k).normal(size=(3, 3)), f"s{k}") for k in range(3)]
    made = list(shareds)
    for _ in range(draw(st.integers(1, 8))):
        x, y = draw(st.sampled_from(made)), draw(st.sampled_from(made))
        choices = [x + y, x * 0.5, x.T, x[::-1], sc.tanh(x) - y, sc.softmax(x), x - sc.mean(y), 0.3 * (x @ y),
                   sc.sum(x, axis=1, keepdims=True) * 0.1 + y, sc.reshape(x.T, (3, 3)), sc.reshape(sc.reshape(x, (9,))[::-1], (3, 3))]  # fmt: skip
        made.append(draw(st.sampled_from(choices)))
    chosen = draw(st.lists(st.sampled_from(shareds), unique=True, min_size=1))
    updates = {s: draw(st.sampled_from(made)) for s in chosen}
    return shareds, updates, draw(st.lists(st.sampled_from(made), max_size=3))


@settings(max_examples=60)
@given(programs())
def test_any_updates_agree_with_the_reference(program):
    assert_agrees(program, "cpu")


@settings(max_examples=10)
@given(programs())
def test_any_updates_agree_with_the_reference_in_the_simulator(program):
    assert_agrees(program, "cuda")


def assert_agrees(program, device):
    shareds, updates, outputs = program
    start = [s.get_value() for s in shareds]
    seen = []
    for which in (device, "reference"):
        for s, v in zip(shareds, start, strict=True):
            s.set_value(v)
        step = sc.function([], outputs, updates=updates, device=which)
        results = [r for _ in range(2) for r in step()]
        seen.append([*results, *(s.get_value() for s in shareds)])
    for found, expected in zip(*seen, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@each_device
def test_an_update_is_written_in_place_where_it_can_be(device):
    w, v = sc.shared(A, "w"), sc.shared(B, "v")
    x = sc.input("x", (None, 3))
    before = w.storage.ctypes.data
    step = sc.function([x], sc.sum(x @ w), updates={w: w - 0.1 * sc.grad(sc.sum(x @ w), w), v: v * 2}, device=device)
    step(np.ones((2, 3)))
    assert w.storage.ctypes.data == before
    if device == "cpu":
        assert {b.home for b in step.memory_plan.buffers if b.kind == "update"} == {w, v}


@each_device
def test_a_shared_that_others_read_later_is_not_overwritten_too_early(device):
    w = sc.shared(A, "w")
    x = sc.input("x", (3, 3))
    y = sc.tanh(x @ w)
    outputs = [y, sc.sum(y @ w, axis=0), sc.softmax(w, axis=0), w]
    step = sc.function([x], outputs, updates={w: w * 0.5 + 1}, device=device)
    first = step(B)
    y0 = np.tanh(B @ A)
    for f, e in zip(first, [y0, (y0 @ A).sum(0), softmax(A.T).T, A], strict=True):
        np.testing.assert_allclose(f, e, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(w.get_value(), A * 0.5 + 1, rtol=1e-6)


@each_device
def test_updates_of_scalars_and_integers(device):
    n, s = sc.shared(0, "n"), sc.shared(1.0, "s")
    step = sc.function([], n, updates=[(n, n + 1), (s, 0)], device=device)  # pairs are a dict, a number takes the dtype
    assert [int(step()) for _ in range(3)] == [0, 1, 2]
    assert (n.get_value(), s.get_value()) == (3, 0)
    assert n.dtype == np.int64


@each_device
def test_an_update_that_turns_out_to_have_another_shape(device):
    x, s = sc.input("x", (None, 3)), sc.shared(A, "s")
    step = sc.function([x], [], updates={s: x * 2}, device=device)
    for n in (1, 2, 5):
        with pytest.raises(sc.ShapeError, match="update of <s"):
            step(np.ones((n, 3)))
    np.testing.assert_array_equal(s.get_value(), A)
    step(np.ones((3, 3)))
    np.testing.assert_array_equal(s.get_value(), np.full((3, 3), 2))


@each_device
def test_set_value_is_seen(device):
    s = sc.shared(np.zeros(2))
    f = sc.function([], s + 1, device=device)
    s.set_value([4, 5])
    assert f().tolist() == [5, 6]


# ---- givens


@each_device
def test_givens(device):
    x, y = sc.input("x", (None,)), sc.input("y", (None,))
    h = x * 2
    assert sc.function([y], sc.sum(h), givens={x: y + 1}, device=device)([1, 2]) == 10
    assert sc.function([x], sc.sum(h + 1), givens={h: x * 3}, device=device)([1, 2]) == 11
    assert sc.function([x], sc.sum(h), givens={x: x + 1}, device=device)([1, 2]) == 10  # not applied to itself
    data = sc.shared(np.array([1, 2, 3], "float32"))
    assert sc.function([], sc.sum(h), givens={x: data}, device=device)() == 12


@each_device
def test_givens_reach_updates(device):
    x, s = sc.input("x", ()), sc.shared(0.0)
    sc.function([], [], updates={s: s + x}, givens={x: 3}, device=device)()
    assert s.get_value() == 3


def test_wrong_givens():
    x, n, im = sc.input("x", (None, 3)), sc.input("n", (None, 3), "int64"), sc.input("im", (None, 3, 8, 8))
    for wrong, error in (
        ({im: x}, sc.ShapeError),
        ({x: n}, sc.DTypeError),
        ({"x": x}, sc.InputError),
        (7, sc.InputError),
    ):
        with pytest.raises(error):
            sc.function([x], sc.sum(im), givens=wrong, device="reference", on_unused_input="ignore")


# ---- what belongs to whom


@each_device
def test_results_share_no_memory(device):
    x, s = sc.input("x", (None, 3)), sc.shared(np.ones((2, 3), "float32"))
    y = x * 2
    c = sc.constant(np.ones(5000))
    f = sc.function([x], [x, y, y, y[::-1], y.T, sc.reshape(y, (-1,)), s, c, y + s, y[0]], device=device)
    X = np.arange(6, dtype="float32").reshape(2, 3)
    arrays = [*f(X), *f(X), X, s.storage, c.value]
    for k, one in enumerate(arrays):
        assert not any(np.may_share_memory(one, other) for other in arrays[:k])
    for result in arrays[:20]:
        assert result.flags.writeable
        assert result.flags.owndata


@each_device
def test_writing_into_results_changes_nothing(device):
    x = sc.input("x", (3,))
    s, c = sc.shared(np.ones(3)), sc.constant(np.ones(3))
    f = sc.function([x], [x, x * 2, s, c, c * 2], device=device)
    X = np.ones(3, "float32")
    for result in f(X):
        result[...] = np.nan
    assert X.tolist() == s.get_value().tolist() == [1, 1, 1]
    assert [r.tolist() for r in f(X)] == [[1] * 3, [2] * 3, [1] * 3, [1] * 3, [2] * 3]


@each_device
def test_inputs_are_not_written(device):
    x = sc.input("x", (None, 4))
    f = sc.function([x], [sc.softmax(sc.tanh(x) * 2), -x], device=device)
    X = np.arange(8, dtype="float32").reshape(2, 4)
    X.flags.writeable = False
    f(X)
    np.testing.assert_array_equal(X, np.arange(8).reshape(2, 4))


# ---- arguments


def strange_arrays():
    base = np.arange(24, dtype="float32").reshape(4, 6)
    yield "fortran", np.asfortranarray(base)
    yield "transposed", np.ascontiguousarray(base.T).T
    yield "reversed", base[::-1, ::-1]
    yield "strided", np.repeat(np.repeat(base, 2, 0), 3, 1)[::2, ::3]
    yield "broadcast", np.broadcast_to(base[0], (4, 6))
    yield "big-endian", base.astype(">f4")
    yield "unaligned", np.frombuffer(b"\0" + base.tobytes(), "float32", offset=1).reshape(4, 6)
    yield "read-only", np.frombuffer(base.tobytes(), "float32").reshape(4, 6)
    yield "float64", base.astype("float64")
    yield "integers", base.astype("int16")
    yield "booleans", base > 3
    yield "nested lists", base.tolist()
    yield "empty", base[:0]
    yield "empty reversed", base[:0][::-1]
    yield "one row", base[2:3]


@each_device
@pytest.mark.parametrize("array", [pytest.param(array, id=kind) for kind, array in strange_arrays()])
def test_arrays_of_any_layout(device, array):
    x, w = sc.input("x", (None, 6)), sc.shared(np.ones((6, 2), "float32"))
    f = sc.function([x], [x @ w, sc.sum(x, axis=1), sc.tanh(x)], device=device)
    plain = np.array(array, "float32")
    for found, expected in zip(f(array), [plain @ np.ones((6, 2)), plain.sum(1), np.tanh(plain)], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@each_device
def test_numbers_are_scalars(device):
    x = sc.input("x", ())
    f = sc.function([x], x + 1, device=device)
    assert [float(f(v)) for v in (1, 1.0, True, np.float64(1), np.int8(1), np.array(1))] == [2] * 6


@each_device
def test_integers_fit_or_are_refused(device):
    u, n = sc.input("u", (None,), "uint8"), sc.input("n", (None,), "int32")
    f, g = sc.function([u], u, device=device), sc.function([n], n, device=device)
    assert f([1, 255]).tolist() == [1, 255]
    assert g(np.array([7], "uint64")).tolist() == [7]
    for function, wrong in (
        (f, [256]),
        (f, [-1]),
        (g, [2**31]),
        (g, np.array([2**63], "uint64")),
        (g, np.array([-(2**40)])),
    ):
        with pytest.raises(sc.InputError, match="overflow"):
            function(wrong)
    with pytest.raises(sc.DTypeError, match="dtype"):
        g([2**70])


@each_device
def test_empty_batches(device):
    x, t = sc.input("x", (None, 1, 8, 8)), sc.input("t", (None,), "int64")
    w = sc.shared(np.ones((2, 1, 3, 3), "float32"))
    y = sc.max_pool2d(sc.relu(sc.conv2d(x, w)), 2)
    f = sc.function([x], [y, sc.softmax(sc.flatten(y, 1)), sc.sum(y), sc.grad(sc.sum(sc.square(y)), w)], device=device)
    pooled, soft, total, gradient = f(np.zeros((0, 1, 8, 8)))
    assert (pooled.shape, soft.shape, float(total)) == ((0, 2, 3, 3), (0, 18), 0)
    np.testing.assert_array_equal(gradient, np.zeros((2, 1, 3, 3)))
    assert sc.function([t], sc.one_hot(t, 3), device=device)(np.zeros(0, "int64")).shape == (0, 3)


# ---- late binding


def network(**options):
    x, t = sc.input("x", (None, 1, 8, 8)), sc.input("t", (None,), "int64")
    w = sc.shared(np.random.default_rng(0).normal(size=(4, 1, 3, 3)).astype("float32"), "w")
    v = sc.shared(np.random.default_rng(1).normal(size=(36, 5)).astype("float32"), "v")
    y = sc.flatten(sc.max_pool2d(sc.relu(sc.conv2d(x, w)), 2), 1) @ v
    loss = sc.losses.cross_entropy(y, t)
    updates = {p: p - 0.01 * g for p, g in zip((w, v), sc.grad(loss, [w, v]), strict=True)}
    return sc.function([x, t], [loss, sc.argmax(y, axis=1)], updates=updates, **options)


def test_a_new_batch_size_compiles_nothing():
    from symcnn.backends.cpu import compiler

    step, check = network(device="cpu"), network(device="reference")
    rng = np.random.default_rng(2)

    def call(n):
        X, T = rng.normal(size=(n, 1, 8, 8)), rng.integers(0, 5, n)
        for found, expected in zip(step(X, T), check(X, T), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

    call(7)
    kernels, seconds, sources = set(compiler._loaded), compiler.seconds, [k.source for k in step.kernels]
    for n in (1, 2, 33, 64, 7, 100, 3, 5, 9, 11, 12, 13, 1):  # more sizes than plans are kept
        call(n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mean of nothing
        assert np.isnan(step(np.zeros((0, 1, 8, 8)), np.zeros(0, int))[0])
    assert set(compiler._loaded) == kernels
    assert compiler.seconds == seconds
    assert [k.source for k in step.kernels] == sources


@each_device
def test_an_unknown_dimension_is_never_broadcast_silently(device):
    x, y, b = sc.input("x", (None, 3)), sc.input("y", (None, 3)), sc.input("b", (1, 3))
    f = sc.function([x, y], x + y, device=device)
    assert f(np.ones((1, 3)), np.ones((1, 3))).shape == (1, 3)
    for shapes in ((1, 4), (4, 1)):
        with pytest.raises(sc.ShapeError, match="unknown and turned out to be 1"):
            f(*(np.ones((n, 3)) for n in shapes))
    with pytest.raises(sc.ShapeError):
        f(np.ones((2, 3)), np.ones((4, 3)))
    assert sc.function([x, b], x + b, device=device)(np.ones((4, 3)), np.ones((1, 3))).shape == (4, 3)


# ---- memory plan, before anything runs


def test_memory_is_known_before_the_run():
    x = sc.input("x", (4, 8))
    f = sc.function([x], sc.softmax(sc.tanh(x @ np.ones((8, 8), "float32"))), device="cpu")
    assert f.memory_plan.peak_bytes >= f.memory_plan.by_kind["input"] == 4 * 8 * 4
    open_x = sc.input("x", (None, 8))
    g = sc.function([open_x], sc.sum(sc.tanh(open_x @ np.ones((8, 8), "float32"))), device="cpu")
    with pytest.raises(sc.ShapeError, match="not known yet"):
        g.memory_plan  # noqa: B018
    small, large = (g.bind(x=(n, 8)).memory_plan.peak_bytes for n in (16, 1600))
    assert small < large
    assert g.bind(x=[16, 8]).memory_plan.peak_bytes == small
    assert "arena" in str(g.memory_plan)


def test_bind_refuses():
    x, y = sc.input("x", (None, 8)), sc.input("y", (2,))
    f = sc.function([x, y], [x, y], device="reference")
    assert f.bind(x=(3, 8)) is f
    for shapes in (
        {"x": (3, 7)},
        {"x": (3,)},
        {"x": 3},
        {"x": (None, 8)},
        {},
        {"x": (3, 8), "y": (3,)},
        {"x": (-3, 8)},
    ):
        with pytest.raises(sc.ShapeError):
            f.bind(**shapes)
    with pytest.raises(sc.InputError, match="no input"):
        f.bind(x=(3, 8), z=(3,))


# ---- threads


@each_device
def test_threads_call_one_function(device):
    x = sc.input("x", (None, 16))
    w = sc.shared(np.random.default_rng(0).normal(size=(16, 16)).astype("float32"))
    f = sc.function([x], sc.softmax(sc.tanh(x @ w)), device=device)
    inputs = [np.random.default_rng(k).normal(size=(1 + k % 5, 16)).astype("float32") for k in range(8)]
    expected = [f(X) for X in inputs]
    wrong = []

    def work(k):
        for j in range(2 if device == "cuda" else 20):
            n = (k + j) % len(inputs)
            if not np.array_equal(f(inputs[n]), expected[n]):
                wrong.append(n)

    in_threads(work, 6)
    assert not wrong


@each_device
def test_threads_call_different_functions_on_shared_state(device):
    size, calls = (40, 4) if device == "cuda" else (1000, 20)
    total = sc.shared(np.zeros(size))
    adders = [sc.function([], sc.sum(total), updates={total: total + k}, device=device) for k in (1, 2, 3)]
    in_threads(lambda k: [adders[k % 3]() for _ in range(calls)], 6)
    np.testing.assert_array_equal(total.get_value(), np.full(size, 2 * calls * (1 + 2 + 3)))


def test_threads_build_and_compile():
    results = {}

    def work(k):
        x = sc.input("x", (None,))
        y = x
        for _ in range(k % 3 + 1):
            y = sc.tanh(y) + x
        results[k] = sc.function([x], [y, sc.grad(sc.sum(y), x)], device="cpu")([0.5])

    in_threads(work, 6)
    for k, (y, g) in results.items():
        np.testing.assert_array_equal(y, results[k % 3][0])
        np.testing.assert_array_equal(g, results[k % 3][1])


def in_threads(work, count):
    errors = []

    def guarded(k):
        try:
            work(k)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(k,)) for k in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors


# ---- looking inside


def test_repr_and_unused_inputs():
    x, y = sc.input("x", (None,)), sc.input("y", ())
    with pytest.raises(sc.InputError, match="not used"):
        sc.function([x, y], x, device="reference")
    with pytest.warns(UserWarning, match="not used") as seen:
        f = sc.function([x, y], x, device="reference", on_unused_input="warn", name="f")
    assert seen[0].filename == __file__
    assert f([1, 2], 0).tolist() == [1, 2]
    assert repr(f).startswith("<f(<x: float32[?]>, <y: float32[]>) on reference")


def test_kernels_tell_what_they_are():
    x = sc.input("x", (None, 4))
    f = sc.function([x], sc.softmax(x @ np.ones((4, 4), "float32")), device="cpu")
    for kernels in (f.kernels, f.bind(x=(3, 4)).kernels):
        assert len(kernels) == 2
        for k in kernels:
            compile(k.source, k.name, "exec")
            assert k.ops
            assert k.shapes
    assert "float32[3, 4]" in f.kernels[-1].shapes


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_a_wrong_index_updates_nothing_even_if_it_is_computed_from_an_input(device):
    z, t = sc.input("z", (None, 3)), sc.input("t", (None,), "int64")
    calls = sc.shared(0.0, name="calls")
    looked_up = sc.where(sc.equal(t, 255), 0, t)
    f = sc.function([z, t], sc.softmax_cross_entropy(z, looked_up), updates={calls: calls + 1}, device=device)
    f(np.zeros((2, 3)), [2, 255])
    with pytest.raises(sc.InputError, match="out of range"):
        f(np.zeros((2, 3)), [2, 3])
    assert calls.get_value() == 1
    assert f.calls == 1


# ---- arrays of a device


def test_arrays_of_the_device_go_in_and_out_without_a_copy(pretended_gpu):
    x, y = sc.input("x", (None, 3)), sc.input("y", (3, 3))
    f = sc.function([x, y], {"sum": x + y, "x": x}, device=pretended_gpu)
    found = f(OnDevice(A), y=B)
    assert all(isinstance(a, OnDevice) for a in found.values())
    np.testing.assert_array_equal(found["sum"].array, A + B)
    assert isinstance(f(A, B)["sum"], np.ndarray)
    assert isinstance(f(found["sum"], A)["x"], OnDevice)
    assert OnDevice.downloads == 0


def test_arrays_of_the_device_are_checked_and_never_converted(pretended_gpu):
    x = sc.input("x", (None, 3))
    f = sc.function([x], x * 2, device=pretended_gpu)
    with pytest.raises(sc.ShapeError, match="'x' has the wrong shape"):
        f(OnDevice(A[:, :2]))
    with pytest.raises(sc.ShapeError, match="'x' has the wrong shape"):
        f(OnDevice(A[0]))
    for dtype in ("float64", "int32", "bool"):
        with pytest.raises(sc.DTypeError, match="'x' has the wrong dtype") as error:
            f(OnDevice(A.astype(dtype)))
        assert error.value.found == dtype and "float32" in error.value.hint
    assert OnDevice.downloads == 0


def test_indices_on_the_device_are_checked_before_anything_is_updated(pretended_gpu):
    labels, w = sc.input("labels", (None,), "int64"), sc.shared(np.zeros(3, "float32"))
    f = sc.function([labels], sc.take(w, labels), updates={w: w + 1}, device=pretended_gpu)
    with pytest.raises(sc.InputError, match="out of range"):
        f(OnDevice([0, 3]))
    assert w.get_value().tolist() == [0, 0, 0]
    assert f(OnDevice([0, 2])).array.tolist() == [0, 0]
    assert w.get_value().tolist() == [1, 1, 1]
    assert OnDevice.downloads == 2, "labels are looked at once a call"


def test_computed_indices_and_debug_mode_read_arrays_of_the_device(pretended_gpu):
    x = sc.input("x", (None, 3))
    best = sc.take(sc.constant([1.0, 2.0]), sc.argmax(x, axis=1), axis=0)
    f = sc.function([x], best, device=pretended_gpu, mode="debug")
    assert f(OnDevice(np.eye(3, dtype="float32")[1:2])).array.tolist() == [2]
    with pytest.raises(sc.InputError, match="out of range"):
        f(OnDevice(np.eye(3, dtype="float32")[2:]))
    with pytest.raises(sc.NonFiniteError, match="input 'x'"):
        f(OnDevice(np.full((1, 3), np.nan, "float32")))


@each_device
def test_arrays_of_another_device_are_refused_with_what_helps(device):
    x = sc.input("x", (None, 3))
    f = sc.function([x], x * 2, device=device, name="double")
    with pytest.raises(sc.InputError, match=f"this OnDevice is on cuda:7, and double on {device}") as error:
        f(OnDevice(A, number=7))
    assert "x.cpu()" in error.value.hint and "device='cuda:7'" in error.value.hint
