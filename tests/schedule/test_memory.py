"""The memory plan: no two live buffers overlap, nothing is read after it was overwritten, and the peak is the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symcnn as sc
from symcnn.backends.base import backend
from symcnn.ir.graph import value_inputs
from symcnn.schedule.fuse import no_kernel
from symcnn.schedule.lower import lower
from symcnn.schedule.memory import ALIGNMENT, _lowest_gap, _pack
from symcnn.schedule.plan import NOWHERE, bind

UNARY = [sc.tanh, sc.transpose, lambda v: v[::-1], lambda v: sc.sum(v, axis=1, keepdims=True), sc.softmax,
         lambda v: sc.reshape(sc.reshape(v, (-1,)), (v.shape[0], v.shape[1])), lambda v: v - sc.max(v), lambda v: v[:1]]  # fmt: skip


@st.composite
def programs(draw):
    """A random graph on square matrices of unknown size 4 (some results smaller), with updates."""
    x = sc.input("x", (4, 4), "float64")
    shareds = [sc.shared(np.ones((4, 4)) * k, f"s{k}") for k in range(2)]
    made = [x, *shareds]
    for _ in range(draw(st.integers(1, 14))):
        a = draw(st.sampled_from(made))
        if draw(st.booleans()):
            b = draw(
                st.sampled_from(
                    [v for v in made if all(1 in (d, e) or d == e for d, e in zip(a.shape, v.shape, strict=True))]
                )
            )
            made.append(draw(st.sampled_from([lambda a, b: a + b, lambda a, b: a * b]))(a, b))
            if a.shape[1] == b.shape[0]:
                made.append(a @ b)
        else:
            made.append(draw(st.sampled_from(UNARY))(a))
    full = [v for v in made if v.shape == (4, 4)]
    updates = {s: draw(st.sampled_from(full)) for s in draw(st.lists(st.sampled_from(shareds), unique=True))}
    outputs = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3))
    tuned = backend("cpu").tuned
    answers = [(no_kernel,) * 3, (tuned, no_kernel, no_kernel), (tuned, tuned, no_kernel), (tuned,) * 3]
    return x, outputs, updates, draw(st.sampled_from(answers))


def planned(x, outputs, updates, answers):
    program = lower(outputs, updates, *answers)
    return program, bind(program, {x: x.shape})


def interval(buffer):
    return buffer.offset, buffer.offset + buffer.nbytes


@settings(max_examples=150)
@given(programs())
def test_live_buffers_do_not_overlap(case):
    program, plan = planned(*case)
    temporaries = [b for b in plan.buffers if b.kind == "temporary" and b.nbytes]
    for k, a in enumerate(temporaries):
        assert a.offset % ALIGNMENT == 0
        assert interval(a)[1] <= plan.memory.arena_bytes
        for b in temporaries[:k]:
            together = a.first <= b.last and b.first <= a.last
            (low_a, high_a), (low_b, high_b) = interval(a), interval(b)
            if together and low_a < high_b and low_b < high_a:
                # Only a result written over an operand that dies in the very step that writes it.
                late, early = (a, b) if a.first > b.first else (b, a)
                assert program.in_place.get(late.variable) is early.variable
                assert early.last == late.first
                assert interval(late) == interval(early)


@settings(max_examples=150)
@given(programs())
def test_nothing_is_read_after_it_was_overwritten(case):
    """Run the plan on labels instead of numbers: every step finds in memory what it expects."""
    updates = case[2]
    program, plan = planned(*case)
    memory = {}  # (buffer of a leaf, or arena and offset) -> the Variable whose value lies there

    def place(variable):
        buffer = plan.buffer_of(variable)
        if buffer.kind == "temporary":
            return "arena", buffer.offset
        return buffer.home if buffer.kind == "update" else buffer.variable

    def spoil(buffer):
        if buffer.kind == "temporary":
            for key in [k for k, v in memory.items() if isinstance(k, tuple)]:
                other = plan.buffer_of(memory[key])
                if other.offset < buffer.offset + buffer.nbytes and buffer.offset < other.offset + other.nbytes:
                    del memory[key]

    for buffer in plan.buffers:
        if buffer.variable.op is None:
            memory[buffer.variable] = buffer.variable

    def check(variables):
        for base in map(program.base, variables):
            assert memory.get(place(base)) is base, f"{base!r} is gone"

    def write(variable):
        spoil(plan.buffer_of(variable))
        memory[place(variable)] = variable

    for step in program.steps:
        check(step.reads)
        if step.tuned is not None and plan.view(step.tuned).buffer != NOWHERE:
            write(step.tuned)
            check(step.reads)  # it may still need its operands, and the epilogue will
        for v in step.writes:
            if v is not step.tuned:
                write(v)
        if step.tuned is not None:
            check(value_inputs(step.tuned))  # while other rows are already through the epilogue
    for v in (*program.outputs, *updates.values()):
        assert memory.get(place(v)) is program.base(v)


@settings(max_examples=60)
@given(programs())
def test_the_peak_is_the_sum_of_its_parts(case):
    _, plan = planned(*case)
    memory = plan.memory
    assert memory.peak_bytes == sum(memory.by_kind.values())
    assert memory.by_kind["arena"] == memory.arena_bytes
    for kind in ("input", "output", "shared", "constant"):
        assert memory.by_kind.get(kind, 0) == sum(b.nbytes for b in plan.buffers if b.kind == kind)
    for b in plan.buffers:
        assert b.nbytes == plan.types[b.variable].nbytes
    assert memory.with_scratch(100).peak_bytes == memory.peak_bytes + 100


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(0, 5)), max_size=12))
def test_packing(wanted):
    """Blocks of any size and lifetime: disjoint while they live together, and no larger than all of them in a row."""
    variables = [sc.input(f"v{k}", (size * 8,), "float64") for k, (size, _, _) in enumerate(wanted)]
    types = {v: v.type for v in variables}
    first = {v: start for v, (_, start, _) in zip(variables, wanted, strict=True)}
    last = {v: start + length for v, (_, start, length) in zip(variables, wanted, strict=True)}
    offsets, arena = _pack(variables, types, first, last, {})
    rounded = {v: -(-max(v.type.nbytes, 1) // ALIGNMENT) * ALIGNMENT for v in variables}
    for k, a in enumerate(variables):
        for b in variables[:k]:
            if first[a] <= last[b] and first[b] <= last[a]:
                assert offsets[a] + rounded[a] <= offsets[b] or offsets[b] + rounded[b] <= offsets[a]
    steps = range(12)
    needed = max((sum(rounded[v] for v in variables if first[v] <= t <= last[v]) for t in steps), default=0)
    assert needed <= arena <= sum(rounded.values())


def test_the_lowest_gap():
    gap = lambda ranges, size: _lowest_gap(*np.array(ranges, int).reshape(-1, 2).T, size)  # noqa: E731
    assert gap([], 5) == 0
    assert gap([(0, 4)], 5) == 4
    assert gap([(5, 9)], 5) == 0
    assert gap([(4, 9), (12, 20)], 5) == 20
    assert gap([(14, 20), (0, 9)], 5) == 9
    assert gap([(0, 20), (2, 3), (10, 30)], 5) == 30  # nested and overlapping ranges


# ---- what a reader of the plan expects


def test_a_chain_needs_two_buffers_at_most():
    """Products in a row: each needs its operand only, so the arena holds two results however long the chain."""
    x, w = sc.input("x", (64, 64)), sc.shared(np.eye(64, dtype="float32"))
    h = x
    for _ in range(20):
        h = h @ w
    f = sc.function([x], sc.sum(h), device="cpu")
    assert f.memory_plan.arena_bytes <= 2 * 64 * 64 * 4 + 64 * 4 + ALIGNMENT


def test_an_elementwise_chain_needs_no_memory():
    x = sc.input("x", (64, 64))
    f = sc.function([x], sc.tanh(sc.exp(x) * 2 + 1), device="cpu")
    assert f.memory_plan.arena_bytes == 0
    assert f.memory_plan.by_kind["output"] == 64 * 64 * 4


def test_a_result_takes_the_place_of_its_operand():
    x, w = sc.input("x", (64, 64)), sc.shared(np.eye(64, dtype="float32"))
    h = sc.tanh(x @ w)
    program = lower([h @ w], {}, backend("cpu").tuned)
    assert list(program.in_place) == [h]
    assert program.in_place[h] is h.inputs[0]


def test_shape_alone_keeps_nothing_alive():
    """The gradient of a sum over a product needs the shape of the product, not its value."""
    x, w = sc.input("x", (64, 64)), sc.shared(np.eye(64, dtype="float32"))
    f = sc.function([x], sc.grad(sc.sum(x @ w), w), device="cpu")
    assert "matmul" not in {
        b.variable.op.name for b in f.memory_plan.buffers if b.kind == "temporary" and b.nbytes > 64 * 64 * 8
    }
    assert sum("matmul" in k.name for k in f.kernels) <= 1


@pytest.mark.parametrize("sizes", [(1, 3), (3, 0), (7, 1), (5, 5)])
def test_the_plan_is_made_for_the_shapes_of_the_call(sizes):
    x = sc.input("x", (None, None))
    f = sc.function([x], [sc.softmax(sc.tanh(x), axis=0), sc.sum(x, axis=1)], device="cpu")
    X = np.random.default_rng(0).normal(size=sizes).astype("float32")
    e = np.exp(np.tanh(X))
    np.testing.assert_allclose(f(X)[0], e / e.sum(0), rtol=1e-5)
    assert f.bind(x=sizes).memory_plan.by_kind["input"] == X.nbytes


def test_updates_run_as_soon_as_they_can():
    """A gradient is needed by the update of its layer and by the layer below, then its memory is free."""
    x, rate = sc.input("x", (64, 64)), sc.shared(np.float64(0.1))
    weights = [sc.shared(np.eye(64, dtype="float32")) for _ in range(8)]
    h = x
    for w in weights:
        h = sc.tanh(h @ w)
    cost = sc.sum(h)
    steps = rate.astype("float32")
    updates = {w: w - steps * g for w, g in zip(weights, sc.grad(cost, weights), strict=True)}
    f = sc.function([x], cost, updates=updates, device="cpu")
    news = set(f.program.updates.values())  # as they were rewritten
    order = [k for k, step in enumerate(f.program.steps) if any(v in news for v in step.writes)]
    assert order[0] < len(f.program.steps) - len(weights)
    assert f.memory_plan.arena_bytes <= (len(weights) + 4) * 64 * 64 * 4
    assert set(f.program.in_place.values()) >= set(weights)
