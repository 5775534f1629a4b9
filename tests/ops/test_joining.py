"""Concat, split, pad and their kin, against NumPy; derivatives to second order."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ops.joining import Concat, Part
from symcnn.ops.pad import Pad
from tests.interpret import evaluate_graph
from tests.ops.checks import cases, check_derivatives, check_op

X = np.random.default_rng(0).normal(size=(4, 5))
Y = np.random.default_rng(1).normal(size=(4, 3))


@pytest.mark.parametrize(("cls", "example"), cases(Concat, Part, Pad))
def test_examples(cls, example):
    check_op(cls, example)


@pytest.mark.parametrize("known", [True, False])
def test_concat(known):
    x, y = (sc.input(n, a.shape if known else (None, None), dtype="float64") for n, a in (("x", X), ("y", Y)))
    joined = np.concatenate([x, y, x], axis=-1)
    assert joined.shape == ((4, 13) if known else (None, None))
    np.testing.assert_array_equal(evaluate_graph(joined, {x: X, y: Y}), np.concatenate([X, Y, X], -1))
    check_derivatives(joined * joined, [x, y], {x: X, y: Y})


def test_concat_promotes_as_numpy_does():
    a, b = sc.input("a", (2,), dtype="int32"), sc.input("b", (3,), dtype="float32")
    assert sc.concat([a, b]).dtype == np.result_type("int32", "float32")
    assert sc.concat([b, [1.0, 2.0]]).shape == (5,)


def test_many_operands_are_joined_in_a_tree():
    xs = [sc.input(f"x{k}", (2,)) for k in range(300)]
    joined = sc.stack(xs)
    values = {x: np.full(2, k, "float32") for k, x in enumerate(xs)}
    np.testing.assert_array_equal(evaluate_graph(joined, values)[:, 0], np.arange(300))
    assert len(sc.grad(sc.sum(joined * joined), xs)) == 300


def test_shapes_that_do_not_fit():
    x, y = sc.input("x", (4, 5)), sc.input("y", (3, 5))
    with pytest.raises(sc.ShapeError, match="do not fit together"):
        sc.concat([x, y], axis=1)
    with pytest.raises(sc.ShapeError, match="do not fit together"):
        sc.concat([x, sc.input("z", (4,))])
    with pytest.raises(sc.ShapeError, match="shapes differ"):
        sc.stack([x, y])
    with pytest.raises(sc.InputError, match="nothing"):
        sc.concat([])
    with pytest.raises(sc.DTypeError, match="list"):
        sc.concat(x)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_stack(axis):
    x = sc.input("x", (4, 5), dtype="float64")
    np.testing.assert_array_equal(evaluate_graph(np.stack([x, 2 * x], axis), {x: X}), np.stack([X, 2 * X], axis))


@pytest.mark.parametrize("sections", [5, 1, [2], [1, 1, 4], [-1], []])
def test_split(sections):
    x = sc.input("x", (None, 5), dtype="float64")
    expected = np.split(X, sections, axis=1)
    found = sc.split(x, sections, axis=1)
    assert len(found) == len(expected)
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_array_equal(evaluate_graph(f, {x: X}), e)


def test_splits_that_are_refused():
    x = sc.input("x", (None, 5))
    for count, axis in ((2, 1), (2, 0), (0, 1)):
        with pytest.raises(sc.ShapeError, match="cannot be cut"):
            sc.split(x, count, axis)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
@pytest.mark.parametrize("width", [0, 1, (2, 1), ((1, 0), (3, 2)), ((0, 0), (0, 1))], ids=str)
@pytest.mark.parametrize("known", [True, False])
def test_pad(mode, width, known):
    x = sc.input("x", X.shape if known else (None, None), dtype="float64")
    y = np.pad(x, width, mode=mode)
    np.testing.assert_array_equal(evaluate_graph(y, {x: X}), np.pad(X, width, mode=mode))
    check_derivatives(y * y, [x], {x: X})


def test_pad_with_a_value():
    x = sc.input("x", X.shape, dtype="float64")
    expected = np.pad(X, 1, constant_values=-np.inf)
    np.testing.assert_array_equal(evaluate_graph(sc.pad(x, 1, constant_values=-np.inf), {x: X}), expected)


def test_pads_that_are_refused():
    x = sc.input("x", (2, 3))
    for width in (-1, ((1, 1), (1, 1), (1, 1)), ((0, -2), (0, 0))):
        with pytest.raises(sc.ShapeError, match="widths"):
            sc.pad(x, width)
    with pytest.raises(sc.ShapeError, match="too short"):
        sc.pad(x, 2, mode="reflect")
    with pytest.raises(sc.InputError, match="unknown mode"):
        sc.pad(x, 1, mode="wrap")


def test_a_reflection_that_turns_out_too_long():
    x = sc.input("x", (None,))
    f = sc.function([x], sc.pad(x, 2, mode="reflect"), device="reference")
    np.testing.assert_array_equal(f([1, 2, 3]), [3, 2, 1, 2, 3, 2, 1])
    with pytest.raises(sc.ShapeError, match="out of range"):
        f([1, 2])


@pytest.mark.parametrize("shift", [0, 1, -2, 7, 100])
def test_roll(shift):
    x = sc.input("x", (4, 5), dtype="float64")
    np.testing.assert_array_equal(evaluate_graph(sc.roll(x, shift, 1), {x: X}), np.roll(X, shift, 1))


def test_repeat_and_tile():
    x = sc.input("x", (None, 5), dtype="float64")
    for axis in (0, 1, -1):
        np.testing.assert_array_equal(evaluate_graph(sc.repeat(x, 3, axis), {x: X}), np.repeat(X, 3, axis))
    for counts in (2, (2, 3), (2, 1, 2), (1, 0)):
        known = sc.input("k", (4, 5), dtype="float64")
        np.testing.assert_array_equal(evaluate_graph(sc.tile(known, counts), {known: X}), np.tile(X, counts))
    check_derivatives(sc.repeat(x, 2, 0) ** 2, [x], {x: X})
