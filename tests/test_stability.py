"""Expressions that overflow or cancel as written: values and gradients at +-1000 in float32, without the user's help."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS

ROWS = np.array(
    [[1000, -1000, 0, 3], [-1000, -1000, -1000, -999], [1000, 1000, 1000, 1000], [0.1, 0.2, -0.3, 0], [88, -88, 89, 104]],
    "float32",
)  # fmt: skip
LABELS = np.array([1, 3, 0, 2, 0])
WEIGHTS = np.linspace(0.5, 1.5, ROWS.size).reshape(ROWS.shape)  # so that no gradient is zero by symmetry


# What is meant, in float64.


def logsumexp(x, axis):
    top = x.max(axis=axis, keepdims=True)
    return top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))


def softmax(x, axis=1):
    return np.exp(x - logsumexp(x, axis))


def sigmoid(x):
    return np.where(x > 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def softplus(x):
    return np.logaddexp(x, 0)


def of_log_softmax(x, ct, axis=1):
    return ct - softmax(x, axis) * ct.sum(axis=axis, keepdims=True)


def naive(x, axis=1):
    return sc.exp(x) / sc.sum(sc.exp(x), axis=axis, keepdims=True)


ELEMENTWISE = {  # as written; value; derivative
    "log(sigmoid(x))": (lambda x: sc.log(sc.sigmoid(x)), lambda x: -softplus(-x), lambda x: sigmoid(-x)),
    "log(1 / (1 + exp(-x)))": (lambda x: sc.log(1 / (1 + sc.exp(-x))), lambda x: -softplus(-x), lambda x: sigmoid(-x)),
    "log(exp(x) / (1 + exp(x)))": (lambda x: sc.log(sc.exp(x) / (1 + sc.exp(x))), lambda x: -softplus(-x), lambda x: sigmoid(-x)),
    "log(1 - sigmoid(x))": (lambda x: sc.log(1 - sc.sigmoid(x)), lambda x: -softplus(x), lambda x: -sigmoid(x)),
    "log(1 - 1 / (1 + exp(-x)))": (lambda x: sc.log(1 - 1 / (1 + sc.exp(-x))), lambda x: -softplus(x), lambda x: -sigmoid(x)),
    "log(1 + exp(x))": (lambda x: sc.log(1 + sc.exp(x)), softplus, sigmoid),
    "log(exp(x) + 1)": (lambda x: sc.log(sc.exp(x) + 1), softplus, sigmoid),
    "log(1 + exp(-x))": (lambda x: sc.log(1 + sc.exp(-x)), lambda x: softplus(-x), lambda x: -sigmoid(-x)),
    "log1p(exp(x))": (lambda x: np.log1p(np.exp(x)), softplus, sigmoid),
    "1 / (1 + exp(-x))": (lambda x: 1 / (1 + sc.exp(-x)), sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "exp(x) / (1 + exp(x))": (lambda x: sc.exp(x) / (1 + sc.exp(x)), sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "log(exp(x))": (lambda x: sc.log(sc.exp(x)), lambda x: x, np.ones_like),
    "softplus": (sc.softplus, softplus, sigmoid),
    "sigmoid": (sc.sigmoid, sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
}  # fmt: skip

LOG_SOFTMAX = {
    "log(softmax(x))": (lambda x: sc.log(sc.softmax(x)), 1),
    "log(exp(x) / sum(exp(x)))": (lambda x: sc.log(naive(x)), 1),
    "with NumPy's functions": (lambda x: np.log(np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)), 1),
    "with a dropped axis": (lambda x: np.log(np.exp(x) / np.sum(np.exp(x), axis=1)[:, None]), 1),
    "of columns": (lambda x: sc.log(sc.softmax(x, axis=0)), 0),
    "of columns, naive": (lambda x: sc.log(naive(x, axis=0)), 0),
    "with the maximum subtracted": (lambda x: sc.log(naive(x - sc.max(x, axis=1, keepdims=True))), 1),
    "x - log(sum(exp(x)))": (lambda x: x - sc.log(sc.sum(sc.exp(x), axis=1, keepdims=True)), 1),
    "log_softmax": (sc.log_softmax, 1),
}

LOGSUMEXP = {
    "rows": (lambda x: sc.log(sc.sum(sc.exp(x), axis=1)), 1, 0.0),
    "rows, kept": (lambda x: sc.log(sc.sum(sc.exp(x), axis=1, keepdims=True)), 1, 0.0),
    "columns": (lambda x: sc.log(sc.sum(sc.exp(x), axis=0)), 0, 0.0),
    "all": (lambda x: sc.log(sc.sum(sc.exp(x))), (0, 1), 0.0),
    "mean": (lambda x: sc.log(sc.mean(sc.exp(x), axis=1)), 1, -np.log(4)),
    "logsumexp": (lambda x: sc.logsumexp(x, axis=1), 1, 0.0),
}

CROSS_ENTROPY = {  # of softmax, with one_hot; the mean over the rows
    "log(softmax(x))": lambda x, h: -sc.mean(sc.sum(h * sc.log(sc.softmax(x)), axis=1)),
    "log(naive(x))": lambda x, h: -sc.mean(sc.sum(h * sc.log(naive(x)), axis=1)),
    "sum of everything": lambda x, h: -sc.sum(sc.log(sc.softmax(x)) * h) / len(ROWS),
    "log of the chosen": lambda x, h: sc.mean(-sc.log(sc.sum(h * sc.softmax(x), axis=1))),
    "log of the chosen, naive": lambda x, h: sc.mean(-sc.log(sc.sum(naive(x) * h, axis=1))),
    "log_softmax": lambda x, h: -sc.mean(sc.sum(h * sc.log_softmax(x), axis=1)),
}


def run(device, build, weights, *inputs, values):
    """Value, and the gradient of the weighted sum, in float32."""
    y = build(*inputs)
    g = sc.grad(sc.sum(y * sc.constant(weights, "float32")), inputs[0])
    found = sc.function(inputs, [y, g], device=device)(*values)
    assert all(f.dtype == np.float32 for f in found)
    return found


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


@pytest.fixture
def x():
    return sc.input("x", (None, 4))


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("form", ELEMENTWISE)
def test_elementwise(x, device, form):
    build, meant, derivative = ELEMENTWISE[form]
    value, gradient = run(device, build, WEIGHTS, x, values=[ROWS])
    close(value, meant(ROWS.astype("float64")))
    close(gradient, WEIGHTS * derivative(ROWS.astype("float64")))


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("form", LOG_SOFTMAX)
def test_log_softmax(x, device, form):
    build, axis = LOG_SOFTMAX[form]
    value, gradient = run(device, build, WEIGHTS, x, values=[ROWS])
    X = ROWS.astype("float64")
    close(value, X - logsumexp(X, axis))
    close(gradient, of_log_softmax(X, WEIGHTS, axis))


@pytest.mark.parametrize("device", BACKENDS)
def test_naive_softmax(x, device):
    value, gradient = run(device, naive, WEIGHTS, x, values=[ROWS])
    s = softmax(ROWS.astype("float64"))
    close(value, s)
    close(gradient, s * (WEIGHTS - (WEIGHTS * s).sum(1, keepdims=True)))


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("form", LOGSUMEXP)
def test_logsumexp(x, device, form):
    build, axis, offset = LOGSUMEXP[form]
    value, gradient = run(device, build, np.ones(()), x, values=[ROWS])
    X = ROWS.astype("float64")
    close(np.ravel(value), np.ravel(logsumexp(X, axis)) + offset)
    close(gradient, softmax(X, axis))


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("form", [*CROSS_ENTROPY, "losses.cross_entropy"])
def test_cross_entropy(x, device, form):
    t = sc.input("t", (None,), "int64")
    if form in CROSS_ENTROPY:
        build = lambda x, t: CROSS_ENTROPY[form](x, sc.one_hot(t, 4))  # noqa: E731
    else:
        build = sc.losses.cross_entropy
    value, gradient = run(device, build, np.ones(()), x, t, values=[ROWS, LABELS])
    X, hot = ROWS.astype("float64"), np.eye(4)[LABELS]
    close(value, -((X - logsumexp(X, 1)) * hot).sum() / len(X))
    close(gradient, (softmax(X) - hot) / len(X))


@pytest.mark.parametrize("device", BACKENDS)
def test_binary_cross_entropy_by_hand(x, device):
    t = sc.input("t", (None, 4))
    T = np.array(WEIGHTS > 1, "float32")
    build = lambda x, t: -sc.mean(t * sc.log(sc.sigmoid(x)) + (1 - t) * sc.log(1 - sc.sigmoid(x)))  # noqa: E731
    value, gradient = run(device, build, np.ones(()), x, t, values=[ROWS, T])
    X = ROWS.astype("float64")
    close(value, (softplus(X) - T * X).mean())
    close(gradient, (sigmoid(X) - T) / X.size)


@pytest.mark.parametrize("device", BACKENDS)
def test_second_derivatives(x, device):
    """Of the softmax cross-entropy, where the first ones are not saturated and where they are."""
    h = sc.one_hot(sc.constant(LABELS), 4)
    g = sc.grad(CROSS_ENTROPY["log(naive(x))"](x, h), x)
    hv = sc.grad(sc.sum(g * sc.constant(WEIGHTS, "float32")), x)
    found = sc.function([x], hv, device=device)(ROWS)
    s = softmax(ROWS.astype("float64"))
    close(found, s * (WEIGHTS - (WEIGHTS * s).sum(1, keepdims=True)) / len(ROWS))


@pytest.mark.parametrize("device", BACKENDS)
def test_infinities_are_not_hidden(device):
    """NaN and infinity mean what they mean in NumPy: nothing is assumed away."""
    x = sc.input("x", (None,))
    X = np.array([np.nan, np.inf, -np.inf, 0], "float32")
    f = sc.function(
        [x],
        [sc.isnan(x), sc.isinf(x), sc.log(1 + sc.exp(x)), sc.log(sc.sigmoid(x)), sc.sum(x), sc.max(x), x - x, x * 0],
        device=device,
    )
    isnan, isinf, soft, logsig, total, top, zero, none = f(X)
    assert isnan.tolist() == [True, False, False, False]
    assert isinf.tolist() == [False, True, True, False]
    np.testing.assert_allclose(soft, [np.nan, np.inf, 0, np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(logsig, [np.nan, 0, -np.inf, -np.log(2)], rtol=1e-6)
    assert np.isnan([total, top]).all()
    for found in (zero, none):
        np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 0])


@pytest.mark.parametrize("device", BACKENDS)
def test_rows_with_infinities(device):
    x = sc.input("x", (None, 2))
    X = np.array([[-np.inf, 0], [-np.inf, -np.inf], [np.inf, 0]], "float32")
    value = sc.function([x], sc.logsumexp(x, axis=1), device=device)(X)
    np.testing.assert_array_equal(value, [0, -np.inf, np.inf])
