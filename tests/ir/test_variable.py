"""Variables: interned, comparable element by element, usable as keys, and clear about what they are not."""

import copy

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.graph import toposort


def test_equal_expressions_are_one_object():
    x = sc.input("x", (3,))
    assert sc.exp(x) * 2 is sc.exp(x) * 2
    assert sc.exp(x) is not sc.exp(sc.input("x", (3,)))
    assert sc.constant(2.0) is sc.constant(2.0) and sc.constant(0.0, "float64") is not sc.constant(0.0, "float32")


def test_equality_compares_elements():
    x, labels = sc.input("x", (None, 3)), sc.input("labels", (None,), "int64")
    accuracy = sc.function([x, labels], sc.mean(x.argmax(1) == labels))
    assert accuracy([[0, 1, 0], [1, 0, 0], [0, 0, 1]], [1, 1, 2]) == pytest.approx(2 / 3)
    changed = sc.function([x], [np.where(x == 0, 7, x), np.sum(x != 0)])
    values, count = changed([[0.0, 1.0, 2.0]])
    np.testing.assert_array_equal(values, [[7, 1, 2]])
    assert count == 2


def test_variables_are_keys_and_equal_nothing_foreign():
    x, y = sc.input("x", ()), sc.input("y", ())
    assert {x: 1, y: 2}[y] == 2 and x in {x} and y not in {x}
    assert (x == None) is False and (x != "x") is True  # noqa: E711


@pytest.mark.parametrize("use", [bool, float, int, np.array, copy.copy, len, lambda v: v in [v + 1]])
def test_what_a_symbolic_value_cannot_do(use):
    with pytest.raises(sc.SymcnnError) as error:
        use(sc.input("x", (None,)) + 1)
    assert error.value.where is not None


def test_python_scalars_take_the_dtype_of_the_others():
    x, i = sc.input("x", (2,)), sc.input("i", (2,), "int32")
    assert (x * 0.5).dtype == (x + 1).dtype == np.float32
    assert (i + 1).dtype == np.int32 and (i + 0.5).dtype == np.float64
    assert (x * np.float64(0.5)).dtype == np.float64
    with pytest.raises(sc.InputError):
        sc.input("u", (2,), "uint8") + 300


def test_origin_is_the_users_line():
    x = sc.input("x", (2,)) * 3
    assert x.origin.file == __file__ and x.origin.line == test_origin_is_the_users_line.__code__.co_firstlineno + 1


def test_what_the_user_writes_is_the_users_even_if_grad_made_it_before():
    x = sc.input("x", ())
    gradient = sc.grad(1 / (1 + sc.exp(-x)), x)
    made = next(v for v in toposort([gradient]) if v.op is not None and v.op.name == "sigmoid")
    assert made.origin.maker == "grad"
    assert sc.sigmoid(x) is made and made.origin.maker == ""
    sc.function([x], gradient, device="reference")
    assert gradient.origin.maker == "grad"
