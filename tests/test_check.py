"""`check_grad` accepts right derivatives and finds wrong ones."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.ops import elementwise


def test_right_gradients_pass():
    x, w = sc.input("x", (None, 4)), sc.shared(np.ones((4, 3), "float32"))
    assert sc.check_grad(sc.softmax(sc.tanh(x @ w)), [x, w]) < 1e-7
    assert sc.check_grad(sc.softmax(sc.tanh(x @ w)), w, order=2) < 1e-7


@pytest.fixture
def wrong_tanh(monkeypatch):
    row = elementwise.ROWS["tanh"]
    broken = type(row)(**{**vars(row), "pullback": lambda ct, out, x: (ct * (1 - out),)})
    monkeypatch.setitem(elementwise.ROWS, "tanh", broken)


def test_a_wrong_gradient_is_found(wrong_tanh):
    x = sc.input("x", (3,))
    with pytest.raises(sc.GradientError, match="disagrees with finite differences") as found:
        sc.check_grad(sc.tanh(x), x)
    assert "relative error" in str(found.value)


def test_a_wrong_second_derivative_is_found(monkeypatch):
    """The first derivative is right in value, but not as an expression."""
    row = elementwise.ROWS["sin"]
    frozen = type(row)(**{**vars(row), "pullback": lambda ct, out, x: (ct * sc.stop_gradient(sc.cos(x)),)})
    monkeypatch.setitem(elementwise.ROWS, "sin", frozen)
    x = sc.input("x", (3,))
    assert sc.check_grad(sc.sin(x), x) < 1e-7
    with pytest.raises(sc.GradientError, match="disagrees"):
        sc.check_grad(sc.sin(x), x, order=2)


def test_values_may_be_given():
    x, t = sc.input("x", (None, 3)), sc.input("t", (None,), "int64")
    loss = sc.losses.cross_entropy(x, t)
    assert sc.check_grad(loss, x, values={t: [2, 0, 1, 1], x: np.ones((4, 3))}) < 1e-7


def test_everything_is_computed_in_float64():
    """Also where the expression casts to float32, which alone would cost seven digits."""
    x = sc.input("x", (3,))
    assert sc.check_grad(sc.exp(x.astype("float64")).astype("float32") * x, x) < 1e-8


def test_random_numbers_stay_the_same():
    x = sc.input("x", (50,))
    assert sc.check_grad(sc.dropout(x, 0.5, seed=3) * x, x) < 1e-7


def test_refused():
    x, y = sc.input("x", (3,)), sc.input("y", (3,))
    with pytest.raises(sc.InputError, match="order"):
        sc.check_grad(sc.exp(x), x, order=3)
    with pytest.raises(sc.GradientError, match="depend"):
        sc.check_grad(sc.exp(x), y)
    with pytest.raises(sc.InputError, match="'tolerence'"):
        sc.check_grad(sc.exp(x), x, tolerence=1)
