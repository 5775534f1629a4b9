"""Random expression graphs: every backend agrees with the reference on values and gradients; sizes may come late."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import symcnn as sc
from tests.contract.cases import assert_agree
from tests.contract.strategies import OTHERS, array_of, check

# Functions with a kink see only leaves, whose values are in general position: elsewhere a rounding error may decide.
KINKED = (sc.relu, sc.abs, lambda x: sc.max(x, axis=-1, keepdims=True), lambda x: sc.where(x > 0.1, x, 2 * x))
UNARY = (
    sc.tanh,
    sc.sigmoid,
    sc.sin,
    sc.square,
    lambda x: sc.exp(sc.tanh(x)),
    lambda x: sc.log(1 + sc.square(x)),
    lambda x: 3 - 2 * x,
)
BINARY = (lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - 2 * b, lambda a, b: a / (1 + sc.square(b)))


def fits(a, b):
    """Whether two known shapes broadcast."""
    return all(d == e or 1 in (d, e) for d, e in zip(a.shape[::-1], b.shape[::-1], strict=False))


@st.composite
def graphs(draw, leaves):
    """Results of a random chain of ops, each on any earlier result."""
    made = list(leaves)
    for _ in range(draw(st.integers(2, 9))):
        x = draw(st.sampled_from(made))
        kind = draw(
            st.sampled_from(["unary", "binary", "reduce", "softmax", "transpose", "product", "kink", "slice", "stack"])
        )
        if kind == "kink":
            x = draw(st.sampled_from(KINKED))(draw(st.sampled_from(leaves)))
        elif kind == "binary":
            x = draw(st.sampled_from(BINARY))(x, draw(st.sampled_from([y for y in made if fits(x, y)])))
        elif kind == "reduce" and x.ndim:
            axis = draw(st.integers(0, x.ndim - 1))
            x = draw(st.sampled_from([sc.sum, sc.mean, sc.var]))(x, axis=axis, keepdims=draw(st.booleans()))
        elif kind == "softmax" and x.ndim:
            x = sc.softmax(x, axis=draw(st.integers(0, x.ndim - 1)))
        elif kind == "transpose":
            x = sc.transpose(x)
        elif kind == "product" and x.ndim >= 2:
            x = x @ sc.swapaxes(x, -1, -2)
        elif kind == "slice" and x.ndim:
            x = x[:: draw(st.sampled_from([-1, 2]))]
        elif kind == "stack" and x.ndim < 3:
            x = sc.stack([x, sc.tanh(x)], axis=draw(st.integers(0, x.ndim)))
        else:
            x = draw(st.sampled_from(UNARY))(x)
        made.append(x)
    return made[len(leaves) :]


@settings(max_examples=40)
@given(st.data())
def test_every_backend_agrees_with_the_reference(data):
    arrays = [array_of((3, 4), 0), array_of((4,), 1), array_of((3, 1), 2)]
    leaves = [sc.input(f"x{k}", a.shape, "float64") for k, a in enumerate(arrays)]
    made = data.draw(graphs(leaves))
    chosen = data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=2, unique=True))
    check(leaves, chosen, arrays, tolerance=1e-9, wrt=leaves)


LATE = (
    lambda x, w, b: sc.softmax(sc.tanh(x @ w + b)),
    lambda x, w, b: sc.log_softmax(x @ w, axis=0) * b,
    lambda x, w, b: (x - sc.mean(x, axis=0)) / sc.sqrt(sc.var(x, axis=0) + 0.1),
    lambda x, w, b: sc.sum(sc.relu(x @ w + b), axis=1),
    lambda x, w, b: sc.concat([x, x[::-1]], axis=0) @ w,
    lambda x, w, b: sc.reshape(x, (-1, 2, 2)) * sc.max(x),
    lambda x, w, b: x.T @ x,
)


@settings(max_examples=15)
@given(st.sampled_from(LATE), st.lists(st.integers(1, 6), min_size=2, max_size=3, unique=True))
def test_another_batch_size_compiles_nothing(expression, batches):
    x, w, b = sc.input("x", (None, 4), "float64"), sc.shared(array_of((4, 3), 1)), sc.shared(array_of((3,), 2))
    y = expression(x, w, b)
    outputs = [y, sc.grad(sc.sum(sc.square(y)), x)]
    functions = {device: sc.function([x], outputs, device=device) for device in (*OTHERS, "reference")}
    for number, n in enumerate(batches):
        array = array_of((n, 4), n)
        expected = functions["reference"](array)
        for device in OTHERS:
            f = functions[device]
            kernels = {k.source for k in f.kernels} if number else None
            for found, wanted in zip(f(array), expected, strict=True):
                assert_agree(found, wanted, 1e-9)
            assert kernels in (None, {k.source for k in f.kernels})


def test_updates_see_the_old_values_whatever_they_share():
    a, b = (sc.shared(np.arange(3.0) + k, dtype="float64") for k in (1, 2))
    for device in (*OTHERS, "reference"):
        a.set_value(np.arange(3.0) + 1)
        b.set_value(np.arange(3.0) + 2)
        f = sc.function([], [a + b], updates={a: b, b: a * b}, device=device)
        assert_agree(f()[0], np.arange(3.0) * 2 + 3)
        assert_agree(a.get_value(), np.arange(3.0) + 2)
        assert_agree(b.get_value(), (np.arange(3.0) + 1) * (np.arange(3.0) + 2))
