"""Reshapes, transposes and broadcasts, known and unknown sizes."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ops import broadcast, fill, shape
from symcnn.ops.stop_gradient import StopGradient
from tests.interpret import evaluate_graph
from tests.ops.checks import cases, check_derivatives, check_op

CLASSES = (
    shape.Reshape, shape.ReshapeLike, shape.Transpose, shape.ExpandDims, shape.Squeeze, broadcast.BroadcastTo,
    broadcast.BroadcastLike, broadcast.SumLike, fill.ZerosLike, fill.PositionLike, StopGradient,
)  # fmt: skip


@pytest.mark.parametrize(("cls", "example"), cases(*CLASSES))
def test_examples(cls, example):
    check_op(cls, example)


@pytest.mark.parametrize(
    ("shape", "new", "expected"),
    [
        ((None, 3, 4), (None, -1), (None, 12)),
        ((None, 3, 4), (-1, 12), (None, 12)),
        ((None, 12), (None, 3, 4), (None, 3, 4)),
        ((None, None, 4), (None, None, 2, 2), (None, None, 2, 2)),
        ((2, 3), (3, -1), (3, 2)),
        ((0, 3), (-1, 3), (0, 3)),
        ((6,), 6, (6,)),
    ],
)
def test_sizes_of_a_reshape(shape, new, expected):
    x = sc.input("x", shape)
    y = sc.reshape(x, new)
    assert y.shape == expected
    value = np.zeros([2 if d is None else d for d in shape], "float32")
    found = evaluate_graph(y, {x: value})
    assert all(d in (None, e) for d, e in zip(expected, found.shape, strict=True))


def test_reshape_takes_sizes_one_by_one_as_numpy_does():
    x = sc.input("x", (None, 3, 4))
    assert x.reshape(x.shape[0], -1) is sc.reshape(x, (None, -1)) is sc.flatten(x, 1)
    assert x.reshape(-1, 4) is np.reshape(x, (-1, 4))
    assert x.transpose(0, 2, 1) is np.transpose(x, (0, 2, 1)) is np.swapaxes(x, 1, 2) is np.moveaxis(x, 1, 2)
    assert x.T is np.transpose(x)
    assert x.flatten().shape == (None,)


@pytest.mark.parametrize("new", [(5,), (4, -1), (-1, -1), (2, -3), (2, 4), (0, -1)])
def test_reshapes_that_do_not_fit(new):
    with pytest.raises(sc.ShapeError):
        sc.reshape(sc.input("x", (2, 3)), new)


def test_a_reshape_that_turns_out_not_to_fit():
    x = sc.input("x", (None, 3))
    f = sc.function([x], sc.reshape(x, (4, -1)), device="reference")
    assert f(np.zeros((8, 3), "float32")).shape == (4, 6)
    with pytest.raises(sc.ShapeError, match="number of elements"):
        f(np.zeros((3, 3), "float32"))


def test_shapes_are_integers():
    with pytest.raises(sc.DTypeError, match="integers"):
        sc.reshape(sc.input("x", (2, 3)), (2, 3.0))


def test_what_changes_nothing_is_nothing():
    x = sc.input("x", (2, 3))
    same = (
        sc.reshape(x, (2, 3)), sc.transpose(x, (0, 1)), sc.squeeze(x), sc.broadcast_to(x, (2, 3)), sc.broadcast_like(x, x),
        sc.flatten(x, 1), sc.expand_dims(x, ()),
    )  # fmt: skip
    assert all(y is x for y in same)


@pytest.mark.parametrize("axis", [0, -1, (0, 2), (1, -1)])
def test_expand_and_squeeze_are_inverse(axis):
    x = sc.input("x", (2, 3))
    value = np.arange(6, dtype="float32").reshape(2, 3)
    y = sc.expand_dims(x, axis)
    assert y.shape == np.expand_dims(value, axis).shape
    assert sc.squeeze(y, axis).shape == x.shape


def test_squeeze_of_an_unknown_size_is_checked_at_the_call():
    x = sc.input("x", (None, 3))
    f = sc.function([x], sc.squeeze(x, 0), device="reference")
    assert f(np.zeros((1, 3), "float32")).shape == (3,)
    with pytest.raises(sc.ShapeError, match="cannot be removed"):
        f(np.zeros((2, 3), "float32"))
    with pytest.raises(sc.ShapeError, match="cannot be removed"):
        sc.squeeze(sc.input("y", (2, 3)), 0)


@pytest.mark.parametrize("axes", [(0, 0, 1), (0, 1), (0, 1, 3)])
def test_transposes_that_do_not_name_every_axis(axes):
    with pytest.raises(sc.ShapeError):
        sc.transpose(sc.input("x", (2, 3, 4)), axes)


@pytest.mark.parametrize("size", [1, 4])
def test_broadcasting_an_unknown_size_is_decided_at_the_call(size):
    x = sc.input("x", (None, 3), dtype="float64")
    y = sc.broadcast_to(x, (2, 4, 3))
    values = {x: np.random.default_rng(0).normal(size=(size, 3))}
    np.testing.assert_array_equal(evaluate_graph(y, values), np.broadcast_to(values[x], (2, 4, 3)))
    check_derivatives(y * y, [x], values)
    f = sc.function([x], y * 1.0)
    np.testing.assert_array_equal(f(values[x]), np.broadcast_to(values[x], (2, 4, 3)))


@pytest.mark.parametrize(
    ("shape", "target"), [((2, 3), (3, 3)), ((2, 3), (3,)), ((3,), (None, 3)), ((2,), (3, None, 3))]
)
def test_broadcasts_that_do_not_fit(shape, target):
    with pytest.raises(sc.ShapeError):
        sc.broadcast_to(sc.input("x", shape), target)


def test_sizes_that_are_not_declared_to_stretch_must_agree():
    x, like = sc.input("x", (None, 3)), sc.input("like", (None, 3))
    f = sc.function([x, like], sc.broadcast_like(x, like), device="reference")
    with pytest.raises(sc.ShapeError, match="cannot be broadcast"):
        f(np.zeros((1, 3), "float32"), np.zeros((2, 3), "float32"))


def test_constant_fills():
    x = sc.input("x", (None, 3))
    values = {x: np.ones((2, 3), "float32")}
    for y, expected in ((sc.zeros_like(x), 0), (sc.ones_like(x), 1), (sc.full_like(x, 2.5), 2.5)):
        found = evaluate_graph(y, values)
        np.testing.assert_array_equal(found, np.full((2, 3), expected, "float32"))
        assert found.dtype == np.float32
    assert sc.zeros_like(x, "int64").dtype == np.int64
    assert sc.zeros((2, 3), "int32").type == sc.TensorType("int32", (2, 3))
    assert sc.ones(4).dtype == np.float32
    assert sc.full((2,), 7).dtype == np.int64


def test_the_value_of_a_fill_has_a_derivative():
    x, v = sc.input("x", (None, 3), dtype="float64"), sc.input("v", (), dtype="float64")
    gradient = sc.grad(sc.sum(sc.full_like(x, v * v)), v)
    assert evaluate_graph(gradient, {x: np.zeros((2, 3)), v: np.float64(5)}) == 60


def test_a_shape_needs_no_value():
    x = sc.input("x", (2, 3))
    log = sc.log(x)
    assert sc.function([x], sc.zeros_like(log), mode="debug")(-np.ones((2, 3), "float32")).sum() == 0


def test_stop_gradient():
    x = sc.input("x", (3,), dtype="float64")
    value = np.array([1.0, 2, 3])
    gradient = sc.grad(sc.sum(x * sc.stop_gradient(x * x)), x)
    np.testing.assert_array_equal(evaluate_graph(gradient, {x: value}), value * value)
    with pytest.raises(sc.SymcnnError, match="does not depend"):
        sc.grad(sc.sum(sc.stop_gradient(x)), x)


def test_broadcast_arrays():
    a, b = sc.broadcast_arrays(sc.input("x", (3, 1)), sc.input("y", (4,)))
    assert a.shape == b.shape == (3, 4)
