"""Indexing means what it means in NumPy, or says what to use instead."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ops.gather import OneHot, Take, TakeGrad
from symcnn.ops.indexing import Slice, Unslice
from tests.interpret import evaluate_graph
from tests.ops.checks import cases, check_derivatives, check_op

X = np.random.default_rng(0).normal(size=(5, 6, 7))
KEYS = [
    np.s_[0], np.s_[-1], np.s_[1:4], np.s_[::-1], np.s_[..., 2], np.s_[:, 1:-1, ::2], np.s_[::-2, 3, -5:], np.s_[4:0:-3, ::3],
    np.s_[None], np.s_[:, None, 2, ..., None], np.s_[2, 3, 4], np.s_[10:], np.s_[-100:100], np.s_[3:1], np.s_[...],
    np.s_[[0, 2, -1]], np.s_[:, [1, 1]], np.s_[1:, :, np.array([[0, 3], [6, -7]])], np.s_[[1, 2], 0], np.s_[0, [1, 2]],
    np.s_[None, [4, 0], ..., 1:3], np.s_[:, np.array(2)], np.s_[np.int64(2)], np.s_[:, []],
]  # fmt: skip


@pytest.mark.parametrize(("cls", "example"), cases(Slice, Unslice, Take, TakeGrad, OneHot))
def test_examples(cls, example):
    check_op(cls, example)


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("known", [True, False])
def test_keys_mean_what_they_mean_in_numpy(key, known):
    x = sc.input("x", X.shape if known else (None,) * 3, dtype="float64")
    y = x[key]
    np.testing.assert_array_equal(evaluate_graph(y, {x: X}), X[key])
    if known:
        assert y.shape == X[key].shape
    if y.size != 0:
        check_derivatives(y, [x], {x: X}, order=1)


def test_second_derivatives_of_parts():
    x = sc.input("x", (None, 6), dtype="float64")
    check_derivatives(x[1:, ::-2] * x[:-1, 1::2], [x], {x: X[:, :, 0]})
    check_derivatives(x[[0, 0, 2]] * x[1], [x], {x: X[:, :, 0]})


def test_a_variable_as_index():
    x, i, k = (
        sc.input("x", (5, 6, 7), dtype="float64"),
        sc.input("i", (None,), dtype="int32"),
        sc.input("k", (), dtype="int64"),
    )
    values = {x: X, i: np.array([3, -1, 0], "int32"), k: np.int64(2)}
    np.testing.assert_array_equal(evaluate_graph(x[i], values), X[values[i]])
    np.testing.assert_array_equal(evaluate_graph(x[:, k], values), X[:, 2])
    np.testing.assert_array_equal(evaluate_graph(np.take(x, i, axis=1), values), np.take(X, values[i], 1))


def test_equal_keys_are_equal_expressions():
    x = sc.input("x", (5, 6))
    assert x[1:4] is x[1:4:1] is x[1:4, :] is x[1:4, ...]
    assert x[:] is x[...] is x


def test_iteration_and_length():
    x = sc.input("x", (2, 3))
    a, b = x
    assert a is x[0] and b is x[1] and len(x) == 2


@pytest.mark.parametrize(
    ("key", "error", "says"),
    [
        (np.s_[5], sc.ShapeError, "out of range for axis 0"),
        (np.s_[:, -7], sc.ShapeError, "out of range for axis 1"),
        (np.s_[0, 0, 0], sc.ShapeError, "too many indices"),
        (np.s_[..., ...], sc.ShapeError, "one ellipsis"),
        (np.s_[::0], sc.ShapeError, "step of a slice cannot be 0"),
        (np.s_[1.5], sc.DTypeError, "not an index"),
        (np.s_["a"], sc.DTypeError, "not an index"),
        (np.s_[True], sc.DTypeError, "mask"),
        (np.s_[np.ones(5, bool)], sc.DTypeError, "sc.where"),
        (np.s_[np.ones(5)], sc.DTypeError, "integer"),
        (np.s_[1.0:], sc.DTypeError, "known integers"),
        (np.s_[[0, 1], [0, 1]], sc.DTypeError, "one_hot"),
        (np.s_[[0, 7]], sc.InputError, "out of range"),
    ],
)
def test_keys_that_are_refused(key, error, says):
    with pytest.raises(error) as caught:
        sc.input("x", (5, 6))[key]
    assert says in str(caught.value)
    assert __file__ in str(caught.value)


def test_an_int_and_an_array_apart_are_refused():
    with pytest.raises(sc.DTypeError, match="next to each other"):
        sc.input("x", (5, 6, 7))[0, :, [1, 2]]


def test_an_index_out_of_an_unknown_size_is_an_error_at_the_call():
    x = sc.input("x", (None, 3))
    f = sc.function([x], x[4], device="reference")
    assert f(np.ones((5, 3), "float32")).shape == (3,)
    with pytest.raises(sc.ShapeError, match="out of range"):
        f(np.ones((4, 3), "float32"))


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_positions_out_of_range_are_an_error_at_the_call(device):
    x, i = sc.input("x", (None, 3)), sc.input("i", (None,), dtype="int64")
    f = sc.function([x, i], sc.take(x, i), device=device)
    np.testing.assert_array_equal(f(np.eye(3), [-3, 2]), np.eye(3)[[-3, 2]])
    for wrong in (3, -4):
        with pytest.raises(sc.SymcnnError):
            f(np.eye(3), [0, wrong])


def test_nothing_can_be_taken_from_an_empty_axis():
    with pytest.raises(sc.ShapeError, match="empty"):
        sc.take(sc.input("x", (0, 3)), sc.input("i", (2,), dtype="int64"))


def test_what_is_read_twice_gathers_both_cotangents():
    x = sc.input("x", (3,), dtype="float64")
    gradient = sc.grad(sc.sum(sc.take(x, [0, 0, 2]) * np.array([1.0, 2, 4])), x)
    np.testing.assert_array_equal(evaluate_graph(gradient, {x: np.zeros(3)}), [3, 0, 4])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_one_hot(axis):
    t = sc.input("t", (None, 3), dtype="uint8")
    labels = np.array([[0, 1, 2], [3, 3, 0]], "uint8")
    expected = np.moveaxis(np.eye(4, dtype="float32")[labels], -1, axis)
    found = evaluate_graph(sc.one_hot(t, 4, axis=axis), {t: labels})
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32


def test_labels_are_integers():
    with pytest.raises(sc.DTypeError, match="astype"):
        sc.one_hot(sc.input("t", (3,)), 4)
    with pytest.raises(sc.ShapeError, match="depth"):
        sc.one_hot(sc.input("t", (3,), dtype="int64"), -1)


def test_flip():
    x = sc.input("x", (2, None), dtype="float64")
    for axis in (None, 0, 1, (0, 1)):
        np.testing.assert_array_equal(evaluate_graph(sc.flip(x, axis), {x: X[:2, :, 0]}), np.flip(X[:2, :, 0], axis))
