"""Epilogues: which elementwise work rides on a tuned kernel, and that it changes no value."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import symcnn as sc
from symcnn.backends.cpu import tuned
from tests.backends.cpu.rowwise import RowwiseMatMul


@pytest.fixture(autouse=True, params=[RowwiseMatMul(), tuned.TUNED["MatMul"]], ids=["plain", "tuned"])
def product(request, monkeypatch):
    """The kernel for matrix products."""
    monkeypatch.setitem(tuned.TUNED, "MatMul", request.param)
    return request.param


def rng(seed=0):
    return np.random.default_rng(seed)


def shared(*shape, seed=0, name=None):
    return sc.shared(rng(seed).normal(size=shape).astype("float32"), name)


@pytest.fixture
def x():
    return sc.input("x", (None, 8))


def names(inputs, outputs, **options):
    return [k.name for k in sc.function(inputs, outputs, device="cpu", **options).kernels]


def agree(inputs, outputs, values, updates=None, mode="fast"):
    """The function for the CPU, after its outputs and updates were found to be those of the reference."""
    results = []
    for device in ("reference", "cpu"):
        before = {s: s.get_value() for s in updates or {}}
        f = sc.function(inputs, outputs, updates=updates, device=device, mode=mode, on_unused_input="ignore")
        results.append([*f(*values), *(s.get_value() for s in before)])
        for s, value in before.items():
            s.set_value(value)
    for expected, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    return f


# ---- what rides


@pytest.mark.parametrize("rows", [0, 1, 3, 7, 8])
@pytest.mark.parametrize(
    "follow",
    [
        lambda y, z: sc.relu(y + shared(5)),
        lambda y, z: y + z,
        lambda y, z: sc.where(z > 0, y, 0),
        lambda y, z: sc.tanh(y * shared(1, 5)) / (1 + sc.exp(z)),
        lambda y, z: y.astype("float64"),
        lambda y, z: y > 0,
        lambda y, z: y * sc.sum(z, axis=1, keepdims=True),
        lambda y, z: 0.1 * y,
    ],
    ids=["bias and relu", "residual", "mask", "broadcast", "cast", "comparison", "factor per row", "scale"],
)
def test_elementwise_work_rides_on_the_product(x, follow, rows):
    z = sc.input("z", (None, 5))
    values = rng(1).normal(size=(rows, 8)).astype("float32"), rng(2).normal(size=(rows, 5)).astype("float32")
    f = agree([x, z], [follow(x @ shared(8, 5), z)], values)
    last = f.kernels[-1]
    assert last.name.startswith("matmul + ")
    assert sum("matmul" in k.name for k in f.kernels) == 1
    assert "# epilogue" in last.source
    assert last.source.count("def ") >= 2


@pytest.mark.parametrize("rows", [1, 4])
def test_sizes_of_one(rows):
    """Static ones have no loop: a column, a row, a number."""
    for m, n in ((None, 1), (1, 6), (1, 1)):
        x = sc.input("x", (m, 3))
        X = rng().normal(size=(m or rows, 3)).astype("float32")
        f = agree([x], [sc.relu(x @ shared(3, n) + shared(n))], [X])
        assert len(f.kernels) == 1


def test_the_updates_of_a_weight_ride_on_its_gradient(x):
    """The gradient and both new values in one kernel; it comes after what reads the old weights."""
    w, u, v = shared(8, 5, name="w"), shared(5, 8, seed=1), shared(8, 5, seed=2, name="v")
    cost = sc.sum(sc.square(sc.relu(x @ w) @ u))
    g, gx = sc.grad(cost, [w, x])
    velocity = 0.9 * v - 0.01 * g
    f = agree([x], [gx, cost], [rng().normal(size=(4, 8)).astype("float32")], {v: velocity, w: w + velocity})
    assert any(k.name.startswith("matmul + ") and len(k.shapes) == 2 for k in f.kernels)
    assert {f.program.in_place[f.program.updates[s]] for s in (v, w)} == {v, w}


def test_every_slot_of_an_optimiser_rides(x):
    """Adam: two moments and the weights, all from one gradient."""
    w, m, v = shared(8, 5, name="w"), shared(8, 5, seed=1), sc.shared(np.ones((8, 5), "float32"))
    g = sc.grad(sc.mean(sc.square(x @ w)), w)
    m_new, v_new = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
    updates = {m: m_new, v: v_new, w: w - 0.01 * m_new / (sc.sqrt(v_new) + 1e-5)}
    f = agree([x], [], [rng().normal(size=(4, 8)).astype("float32")], updates)
    assert "sqrt" in f.kernels[-1].name
    assert len(f.kernels[-1].shapes) == 3
    assert {f.program.in_place[new] for new in f.program.updates.values()} == {m, v, w}


def test_two_readers_ride_together(x):
    y = x @ shared(8, 5)
    f = agree([x], [sc.tanh(y), sc.exp(y) * 2], [rng().normal(size=(7, 8)).astype("float32")])
    assert len(f.kernels) == 1


def test_the_result_itself_may_be_wanted(x):
    y = x @ shared(8, 5)
    for outputs in ([y, sc.tanh(y)], [sc.tanh(y), sc.sum(y, axis=0)], [sc.transpose(y), sc.tanh(y)]):
        agree([x], outputs, [rng().normal(size=(7, 8)).astype("float32")])


def test_a_residual_of_two_products_rides_on_the_later(x):
    a, b = x @ shared(8, 5), sc.tanh(x) @ shared(8, 5, seed=1)
    f = agree([x], [sc.relu(a + b)], [rng().normal(size=(7, 8)).astype("float32")])
    assert f.kernels[-1].name == "matmul + add + relu"


def test_it_rides_rather_than_being_computed_where_it_is_read(x):
    """The reader moves elements, and may read one twice."""
    y = sc.tanh(x @ shared(8, 5))
    for move in (lambda v: sc.pad(v, ((1, 0), (0, 1))), lambda v: sc.transpose(v) * 2, lambda v: sc.concat([v, v])):
        f = agree([x], [move(y)], [rng().normal(size=(7, 8)).astype("float32")])
        assert f.kernels[0].name.startswith("matmul + tanh")


def test_what_is_left_of_it_shares_its_memory():
    """A chain of layers needs two results at a time, as without bias and activation."""
    x = sc.input("x", (64, 64))
    h = x
    for k in range(6):
        h = sc.relu(h @ shared(64, 64, seed=k) + shared(64))
    f = sc.function([x], h, device="cpu")
    assert len(f.kernels) == 6
    assert f.memory_plan.arena_bytes == 2 * 64 * 64 * 4


# ---- what does not


def test_what_waits_for_something_later_does_not_ride(x):
    """relu(y) is needed by a second product, whose result is then added to y: that sum cannot ride on the first."""
    y = x @ shared(8, 8)
    f = agree([x], [sc.relu(y) @ shared(8, 8, seed=1) + y], [rng().normal(size=(7, 8)).astype("float32")])
    assert [k.name for k in f.kernels] == ["matmul + relu", "matmul + add"]


def test_a_larger_result_does_not_ride():
    """y is spread over the rows of z: an element of the result is no element of y."""
    x, z = sc.input("x", (1, 8)), sc.input("z", (None, 5))
    y = x @ shared(8, 5)
    values = rng().normal(size=(1, 8)).astype("float32"), rng().normal(size=(6, 5)).astype("float32")
    f = agree([x, z], [sc.relu(y + z)], values)
    assert "matmul" in [k.name for k in f.kernels]
    z3 = sc.input("z", (2, 1, 5))
    f = agree([x, z3], [sc.relu(y + z3)], (values[0], values[1][:2, None]))
    assert "matmul" in [k.name for k in f.kernels]


def test_other_orders_do_not_ride():
    x = sc.input("x", (None, 8))
    y = x @ shared(8, 8)
    X = rng().normal(size=(8, 8)).astype("float32")
    for follow in (y + sc.transpose(y), y[::-1] + y, sc.relu(y) + y[:, ::-1]):
        f = agree([x], [follow], [X])
        assert len(f.kernels) == 2


def test_reductions_do_not_ride(x):
    f = agree([x], [sc.softmax(x @ shared(8, 5))], [rng().normal(size=(7, 8)).astype("float32")])
    assert f.kernels[0].name == "matmul"


def test_a_kernel_that_finishes_no_rows(x, product, monkeypatch):
    monkeypatch.setattr(type(product), "finishes_rows", False)
    assert len(names([x], sc.relu(x @ shared(8, 5)))) == 2


# ---- memory


def test_an_operand_of_the_product_is_not_overwritten(x):
    """x + tanh(x) @ w, where the result could lie over its operand tanh(x) if the product had not to read it."""
    t = sc.tanh(x) @ shared(8, 8, seed=3)  # in memory, read by what follows alone
    f = agree([x], [sc.exp(t @ shared(8, 8) + t) @ shared(8, 2)], [rng().normal(size=(50, 8)).astype("float32")])
    assert t not in set(f.program.in_place.values())


def test_an_update_that_its_own_product_reads():
    """w <- w - w u and w <- w w + w: the old values are needed until the last row is done."""
    for build in (lambda w, u: w - w @ u, lambda w, u: w @ w + w, lambda w, u: u @ w, lambda w, u: sc.tanh(w @ w)):
        w, u = shared(20, 20), shared(20, 20, seed=1)
        f = agree([], [], [], {w: build(w, u)})
        assert w not in set(f.program.in_place.values())


def test_updates_that_read_each_other():
    a, b = shared(20, 20), shared(20, 20, seed=1)
    agree([], [], [], {a: b @ b + a, b: a @ a + b})
    agree([], [], [], {a: b @ b + a, b: a + b})
    agree([], [sc.sum(a)], [], {a: a @ b - b, b: a})


def test_an_update_may_be_an_output_too(x):
    w, y = shared(8, 5), sc.input("y", (None, 5))
    g = sc.transpose(x) @ y
    new = w - 0.1 * g
    values = rng().normal(size=(6, 8)).astype("float32"), rng().normal(size=(6, 5)).astype("float32")
    agree([x, y], [new], values, {w: new})
    agree([x, y], [w, g], values, {w: new})


def test_other_dtypes_do_not_share_memory(x):
    """A float32 product and int32 results of it have elements of one size, but are not written through one pointer."""
    y = x @ shared(8, 5)
    n = sc.floor(y * 3).astype("int32")
    agree([x], [sc.reshape(n, (-1,))[::-1]], [rng().normal(size=(6, 8)).astype("float32")])


@pytest.mark.parametrize("depth", [0, 1, 7, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gradient_that_only_its_update_reads_needs_no_memory(depth, dtype):
    """Large enough for the tuned product to keep its rows; ragged; with an operand that each call brings."""
    m, n = 301, 1003
    x, g = sc.input("x", (None, m), dtype), sc.input("g", (None, n), dtype)
    decay = sc.input("decay", (1, n), dtype)
    w, v = (sc.shared(rng(k).normal(size=(m, n)).astype(dtype)) for k in range(2))
    velocity = 0.9 * v + sc.transpose(x) @ g
    values = [rng(k).normal(size=shape) for k, shape in enumerate([(depth, m), (depth, n), (1, n)])]
    f = agree([x, g, decay], [], values, {v: velocity, w: w * decay - 0.1 * velocity})
    assert f.memory_plan.arena_bytes == 0
    assert "matmul" not in {b.variable.op.name for b in f.memory_plan.buffers if b.variable.op is not None}


# ---- debug mode and reports


def test_debug_mode_checks_epilogues(x, monkeypatch):
    from symcnn.backends.cpu import backend

    y = x @ shared(8, 5)
    X = rng().normal(size=(9, 8)).astype("float32")
    agree([x], [sc.where(y > 0, y + 1, -3)], [X], mode="debug")
    honest = backend.generate

    def dishonest(*args):
        made = honest(*args)
        return type(made)(made.source.replace("tanh(", "sin("), made.operands, made.integers, made.tasks, made.work)

    monkeypatch.setattr(backend, "generate", dishonest)
    with pytest.raises(sc.KernelMismatchError, match=r"kernel of matmul \+ tanh"):
        sc.function([x], sc.tanh(y), mode="debug")(X)


def test_debug_mode_forgives_rounding_at_a_jump():
    """y is 0 but for rounding: which side of 0 the kernel and the reference come to lie is nobody's fault."""
    terms = rng().normal(size=(200, 300)).astype("float32")
    X = np.concatenate([terms, -terms[:, rng(1).permutation(300)]], axis=1)
    x = sc.input("x", (None, 600))
    w = np.ones((600, 5), "float32")
    w[:300, 1:] = 0.5  # all but the first column are of the size of the terms
    y = x @ sc.shared(w)
    signs = [sc.function([x], y > 0, device=device)(X) for device in ("cpu", "reference")]
    assert (signs[0] != signs[1]).any()
    sc.function([x], sc.where(y > 0, 1.0, -1.0), mode="debug")(X)


def test_the_first_nan_is_found_in_a_product_that_is_not_stored(x):
    f = sc.function([x], sc.sqrt(x @ shared(8, 5) - 100), mode="debug")
    with pytest.raises(sc.NonFiniteError, match="sqrt made the first"):
        f(np.zeros((2, 8), "float32"))


def test_reports_name_the_epilogue(x):
    f = sc.function([x], sc.relu(x @ shared(8, 5) + shared(5)))
    f(np.ones((3, 8), "float32"))
    assert "tuned matmul" in str(f.stages["nests"])
    assert "relu(" in str(f.stages["nests"])
    assert "matmul + add + relu" in str(f.profile(np.ones((3, 8), "float32"), repeat=2))
    assert "matmul + add + relu" in f.explain()


# ---- any graph

UNARY = [
    sc.tanh,
    sc.relu,
    sc.transpose,
    lambda v: v[::-1],
    lambda v: sc.sum(v, axis=1, keepdims=True),
    lambda v: v * 0.5,
]
BINARY = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: sc.where(a > 0, b, 0)]


@st.composite
def graphs(draw):
    """Products and elementwise ops on matrices of 4 x 4, unknown or not, and columns; updates of two Shareds."""
    x = sc.input("x", draw(st.sampled_from([(4, 4), (None, 4), (None, None)])))
    shareds = [shared(4, 4, seed=k, name=f"s{k}") for k in range(2)]
    made = [x, *shareds]
    for _ in range(draw(st.integers(2, 9))):
        a, b = draw(st.sampled_from(made)), draw(st.sampled_from(made))
        kind = draw(st.sampled_from(["product", "binary", "unary"]))
        if kind == "product" and 1 not in (a.shape[1], *b.shape):
            made.append(sc.tanh(a @ b) if draw(st.booleans()) else (a @ b) * 0.25)
        elif kind == "binary":
            made.append(draw(st.sampled_from(BINARY))(a, b))
        else:
            made.append(draw(st.sampled_from(UNARY))(a))
    full = [v for v in made if 1 not in v.shape]
    updates = {s: draw(st.sampled_from(full)) for s in draw(st.lists(st.sampled_from(shareds), unique=True))}
    return x, draw(st.lists(st.sampled_from(made), min_size=1, max_size=3)), updates


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=graphs())
def test_any_graph(case):
    x, outputs, updates = case
    agree([x], outputs, [rng(5).normal(size=(4, 4)).astype("float32")], updates)
