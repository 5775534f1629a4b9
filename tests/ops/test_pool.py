"""Pooling and its gradients."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symcnn.autodiff import grad
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.graph import evaluate
from symcnn.ir.op import build
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Input, apply, constant
from symcnn.ops.avg_pool import AvgPool2d, AvgPool2dGrad, avg_pool2d, global_avg_pool2d
from symcnn.ops.pool import (
    MaxPool2d,
    MaxPool2dArgmax,
    MaxPool2dGrad,
    MaxPool2dTake,
    global_max_pool2d,
    max_pool2d,
)
from tests.interpret import evaluate_graph, evaluate_nest
from tests.ops.checks import cases, check_derivatives, check_op

FAMILY = MaxPool2d, MaxPool2dArgmax, MaxPool2dGrad, MaxPool2dTake, AvgPool2d, AvgPool2dGrad


@pytest.mark.parametrize(("cls", "example"), cases(*FAMILY))
def test_examples(cls, example):
    check_op(cls, example)


def image(*shape, dtype="float64", name="x"):
    return Input(name, TensorType(dtype, shape))


def distinct(*shape, seed=0):
    """Numbers that differ by at least 0.1, so that small steps change no winner."""
    order = np.random.default_rng(seed).permutation(int(np.prod(shape)))
    return (order.reshape(shape) - order.size / 2) / 10


@st.composite
def problems(draw, symmetric=False):
    """The shape of x, and the arguments of a pooling that fits it."""
    shape = tuple(draw(st.integers(low, high)) for low, high in ((0, 2), (1, 2), (1, 8), (1, 8)))
    window, stride, dilation = (draw(st.tuples(st.integers(1, high), st.integers(1, high))) for high in (4, 4, 2))
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    if symmetric:  # what torch accepts
        padding = tuple(draw(st.integers(0, k // 2)) for k in window)
    else:
        explicit = st.tuples(*(st.integers(0, r - 1) for r in (*reach, *reach)))
        padding = draw(explicit | st.just("same"))
    given = {
        "window": window,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "ceil_mode": draw(st.booleans()),
    }
    try:
        max_pool2d(image(*shape), **given)
    except ShapeError:
        assume(False)
    return shape, given


def compare(torch, ours, theirs, value):
    """Value and gradient of `ours` (on a Variable) and `theirs` (on a tensor)."""
    x = image(*value.shape)
    y = ours(x)
    ct = np.random.default_rng(2).normal(size=y.shape)
    tx = torch.tensor(value, requires_grad=True)
    ty = theirs(tx)
    ty.backward(torch.tensor(ct))
    found = evaluate([y, grad(build("sum", y * constant(ct)), x)], {x: value})
    for a, b in zip(found, (ty.detach(), tx.grad), strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-12, atol=1e-12)


@given(problems(symmetric=True))
@settings(max_examples=60)
def test_max_is_that_of_torch(torch, problem):
    shape, a = problem
    assume(shape[0] > 0)
    x = image(*shape)  # torch writes out of bounds where a dilated window sees no pixel
    assume(np.isfinite(evaluate_graph(max_pool2d(x, **a), {x: distinct(*shape)})).all())
    compare(
        torch,
        lambda x: max_pool2d(x, **a),
        lambda x: torch.nn.functional.max_pool2d(
            x, a["window"], a["stride"], a["padding"], a["dilation"], a["ceil_mode"]
        ),
        distinct(*shape),
    )


@given(problems(symmetric=True), st.booleans())
@settings(max_examples=60)
def test_average_is_that_of_torch(torch, problem, include):
    shape, a = problem
    assume(shape[0] > 0)
    a = {**a, "dilation": 1}
    compare(
        torch,
        lambda x: avg_pool2d(x, **a, count_include_pad=include),
        lambda x: torch.nn.functional.avg_pool2d(x, a["window"], a["stride"], a["padding"], a["ceil_mode"], include),
        distinct(*shape),
    )


@given(problems(), st.booleans())
@settings(max_examples=40)
def test_nests_agree_with_their_references(problem, include):
    shape, a = problem
    x = image(*shape)
    highest, average = max_pool2d(x, **a), avg_pool2d(x, **a, count_include_pad=include)
    ct = image(*highest.shape, name="ct")
    values = {x: distinct(*shape), ct: distinct(*highest.shape, seed=1)}
    (gradient,), (spread,) = highest.op.pullback((x,), highest, ct), average.op.pullback((x,), average, ct)
    winners = gradient.inputs[1]
    values[winners] = evaluate_graph(winners, values)
    taken = gradient.op.pullback(gradient.inputs, gradient, x)[0]
    for v in (highest, winners, gradient, taken, average, spread):
        np.testing.assert_allclose(evaluate_nest(v, values), evaluate_graph(v, values), rtol=1e-12, atol=1e-12)


@given(problems(), st.booleans())
@settings(max_examples=25)
def test_derivatives_to_second_order(problem, include):
    shape, a = problem
    assume(shape[0] > 0)
    x = image(*shape)
    y = max_pool2d(x * x, **a)
    assume(np.isfinite(evaluate_graph(y, {x: distinct(*shape)})).all())  # with dilation a window may see no pixel
    check_derivatives(y, [x], {x: 3 + distinct(*shape) / 10})
    check_derivatives(avg_pool2d(x * x, **a, count_include_pad=include), [x], {x: distinct(*shape)})


def test_the_first_of_equals_gets_the_gradient():
    x = image(1, 1, 2, 4)
    g = grad(build("sum", max_pool2d(x, 2)), x)
    np.testing.assert_array_equal(evaluate_graph(g, {x: np.ones((1, 1, 2, 4))}), [[[[1, 0, 1, 0], [0, 0, 0, 0]]]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_padding_never_wins(dtype):
    x = image(1, 1, 2, 2, dtype=dtype)
    y = max_pool2d(x, 3, stride=1, padding=1)
    values = {x: np.full((1, 1, 2, 2), -np.inf, dtype)}
    np.testing.assert_array_equal(evaluate_graph(y, values), np.full((1, 1, 2, 2), -np.inf))
    g = grad(build("sum", y), x)
    np.testing.assert_array_equal(evaluate_graph(g, values), [[[[4, 0], [0, 0]]]])
    winners = g.inputs[1]
    np.testing.assert_array_equal(evaluate_nest(winners, values), evaluate_graph(winners, values))


def test_nan_wins():
    x = image(1, 1, 2, 4)
    y = max_pool2d(x, 2)
    values = {x: np.array([[[[1, np.inf, 3, 4], [np.nan, 5, 6, 7]]]])}
    for found in (evaluate_graph(y, values), evaluate_nest(y, values)):
        np.testing.assert_array_equal(found, [[[[np.nan, 7]]]])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
def test_integers(dtype):
    values = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 200, (1, 2, 5, 5)).astype(dtype)
    x = image(1, 2, 5, 5, dtype=dtype)
    y = max_pool2d(x, 3, padding=1, stride=2)
    assert y.dtype == dtype
    np.testing.assert_array_equal(evaluate_nest(y, {x: values}), evaluate_graph(y, {x: values}))
    average = avg_pool2d(x, 5)
    assert average.type.is_float
    np.testing.assert_allclose(evaluate_graph(average, {x: values})[..., 0, 0], values.mean((2, 3)), rtol=1e-2)


def test_windows_that_do_not_overlap_are_gathered():
    assert apply_grad(MaxPool2dGrad, 2, 2).op.pattern == "gather"
    assert apply_grad(MaxPool2dGrad, 3, 2).op.pattern == "fold"


def apply_grad(cls, window, stride):
    x = image(1, 1, 8, 8)
    y = max_pool2d(x, window, stride)
    (found,) = y.op.pullback((x,), y, image(*y.shape, name="ct"))
    assert isinstance(found.op, cls)
    return found


def test_global_pooling():
    x = image(2, 3, 4, 5)
    values = {x: distinct(2, 3, 4, 5)}
    np.testing.assert_allclose(evaluate_graph(global_avg_pool2d(x), values), values[x].mean((2, 3), keepdims=True))
    np.testing.assert_array_equal(evaluate_graph(global_max_pool2d(x), values), values[x].max((2, 3), keepdims=True))


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
@pytest.mark.parametrize(
    ("shape", "arguments", "error", "says"),
    [
        ((8, 8), {"window": 2}, ShapeError, "rank 4"),
        ((1, 1, 2, 8), {"window": 3}, ShapeError, "3 > 2 rows"),
        ((1, 1, 8, 8), {"window": 2, "padding": 2}, InputError, "wholly in the padding"),
        ((1, 1, 8, 8), {"window": 0}, InputError, "window must be at least 1"),
        ((1, 1, 8, 8), {"window": 2, "stride": -1}, InputError, "stride must be at least 1"),
        ((1, 1, 8, 8), {"window": (2, 2, 2)}, InputError, "window must be an int or a pair"),
    ],
)
def test_errors_name_what_is_wrong_and_where(pool, shape, arguments, error, says):
    with pytest.raises(error) as caught:
        pool(image(*shape), **arguments)
    assert says in str(caught.value)
    assert "test_pool.py" in str(caught.value)


@pytest.mark.parametrize("pool", [global_avg_pool2d, global_max_pool2d])
def test_global_pooling_needs_images(pool):
    with pytest.raises(ShapeError, match="rank 4"):
        pool(image(3, 4))


def test_operands_that_do_not_fit():
    x, y, winners = image(1, 1, 8, 8), image(1, 1, 4, 4, name="y"), image(1, 1, 3, 4, dtype="int32", name="a")
    op = max_pool2d(x, 2).op
    with pytest.raises(ShapeError, match="pooled image"):
        apply(op.sibling(MaxPool2dGrad), y, winners, x)
    with pytest.raises(DTypeError, match="float"):
        apply(op.sibling(MaxPool2dArgmax), image(1, 1, 8, 8, dtype="uint8"))
    with pytest.raises(DTypeError, match="float"):
        apply(avg_pool2d(x, 2).op, image(1, 1, 8, 8, dtype="uint8"))


def test_labels_are_short():
    x = image(1, 1, 8, 8)
    assert max_pool2d(x, 2).op.label() == "max_pool2d(2x2, stride=2)"
    assert avg_pool2d(x, (3, 2), 1, ceil_mode=True).op.label() == "avg_pool2d(3x2, ceil_mode=True)"
