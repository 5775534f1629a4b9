"""Derivatives: against NumPy and finite differences, for leaves and intermediate results, and what is refused."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.base import BACKENDS
from symcnn.ir.graph import evaluate

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=(4,))


def value(output, values, device="reference"):
    inputs = list(values)
    return sc.function(inputs, output, device=device, on_unused_input="ignore")(*values.values())


def x64(name, *shape):
    return sc.input(name, shape, "float64")


# ---- grad


@pytest.mark.parametrize("device", BACKENDS)
def test_grad_of_leaves(device):
    a, b = x64("a", 3, 4), x64("b", 4)
    cost = sc.sum(sc.tanh(a @ b) * a[:, 0])
    t = np.tanh(A @ B)
    inner = (1 - t**2) * A[:, 0]
    da = inner[:, None] * B
    da[:, 0] += t
    ga, gb = value(sc.grad(cost, [a, b]), {a: A, b: B}, device)
    np.testing.assert_allclose(ga, da, rtol=1e-12)
    np.testing.assert_allclose(gb, inner @ A, rtol=1e-12)


def test_the_result_is_like_wrt():
    a, b = x64("a", 3), x64("b", 3)
    cost = sc.sum(a * b)
    assert isinstance(sc.grad(cost, a), sc.Variable)
    assert isinstance(sc.grad(cost, [a]), list)
    assert isinstance(sc.grad(cost, (a, b)), list)
    assert sc.grad(cost, []) == []
    assert sc.grad(cost, [a, b, a])[0] is sc.grad(cost, [a, b, a])[2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_type_of_a_gradient_is_that_of_wrt(dtype):
    x = sc.input("x", (2, 1), dtype)
    y = sc.input("y", (2, 3), "float64")
    g = sc.grad(sc.sum(sc.exp(x) * y), x)
    assert g.type == x.type


def test_several_uses_add_up():
    x = x64("x")
    assert value(sc.grad(x * x * x + 2 * x, x), {x: 3.0}) == 29


def test_wrt_an_intermediate_result():
    x = x64("x", 3)
    h = sc.exp(x)
    cost = sc.sum(h * h * x)
    g = sc.grad(cost, [h, x])
    X = np.array([0.1, 0.2, 0.3])
    gh, gx = value(g, {x: X})
    np.testing.assert_allclose(gh, 2 * np.exp(X) * X)
    np.testing.assert_allclose(gx, 2 * np.exp(2 * X) * X + np.exp(2 * X))


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (lambda e: sc.log(sc.sum(e)), lambda e: np.ones(3) / e.sum()),
        (lambda e: sc.sum(sc.log(1 + e)), lambda e: 1 / (1 + e)),
        (lambda e: sc.log(e / sc.sum(e))[1], lambda e: np.array([0, 1 / e[1], 0]) - 1 / e.sum()),
        (lambda e: sc.sum(sc.log(e)), lambda e: 1 / e),
        (lambda e: sc.sum(1 / (1 + e)), lambda e: -1 / (1 + e) ** 2),
    ],
    ids=["logsumexp", "softplus", "log_softmax", "log exp", "sigmoid"],
)
def test_wrt_a_part_of_what_is_stabilised(cost, expected):
    """Rules for stability do not swallow the Variable that is differentiated with respect to."""
    x = x64("x", 3)
    e = sc.exp(x)
    X = np.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose(value(sc.grad(cost(e), e), {x: X}), expected(np.exp(X)), rtol=1e-12)


def test_of_itself():
    x = x64("x")
    assert value(sc.grad(x, x), {x: 5.0}) == 1
    y = x * 2
    assert value(sc.grad(y, y), {x: 5.0}) == 1


def test_integers_and_comparisons_pass_no_gradient():
    x = x64("x", 3)
    mask = (x > 0).astype("float64")
    X = np.array([-1.0, 2.0, 3.0])
    np.testing.assert_array_equal(value(sc.grad(sc.sum(mask * x), x), {x: X}), [0, 1, 1])


def test_stop_gradient():
    x = x64("x")
    assert value(sc.grad(x * sc.stop_gradient(x), x), {x: 3.0}) == 3
    with pytest.raises(sc.GradientError, match="does not depend"):
        sc.grad(sc.stop_gradient(x), x)
    assert value(sc.grad(sc.stop_gradient(x) + 0 * x, x), {x: 3.0}) == 0


def test_disconnected_inputs():
    x, y = x64("x", 2), x64("y", 2, 3)
    cost = sc.sum(x)
    with pytest.raises(sc.GradientError, match="does not depend on <y"):
        sc.grad(cost, y)
    gx, gy = sc.grad(cost, [x, y], disconnected="zeros")
    found = value([gx, gy], {x: np.ones(2), y: np.ones((2, 3))})
    np.testing.assert_array_equal(found[1], np.zeros((2, 3)))
    np.testing.assert_array_equal(found[0], np.ones(2))


def test_shape_alone_is_no_dependence():
    x, y = x64("x", 2, 3), x64("y")
    with pytest.raises(sc.GradientError, match="does not depend"):
        sc.grad(sc.sum(sc.broadcast_like(y, x)), x)


def test_unknown_sizes():
    x = sc.input("x", (None, 3), "float64")
    g = sc.grad(sc.mean(sc.square(x)), x)
    for n in (1, 5):
        X = RNG.normal(size=(n, 3))
        np.testing.assert_allclose(value(g, {x: X}), 2 * X / X.size)


# ---- vjp, jvp, jacobian, hessian


def test_vjp():
    x, u = x64("x", 3), x64("u", 2)
    m = RNG.normal(size=(2, 3))
    y = sc.constant(m) @ sc.square(x)
    X, U = RNG.normal(size=3), RNG.normal(size=2)
    np.testing.assert_allclose(value(sc.vjp(y, x, u), {x: X, u: U}), 2 * X * (m.T @ U))
    np.testing.assert_allclose(
        value(sc.vjp([y, sc.exp(x)], x, [u, np.ones(3)]), {x: X, u: U}), 2 * X * (m.T @ U) + np.exp(X)
    )


def test_a_cotangent_of_another_dtype_is_cast():
    x = sc.input("x", (3,))
    for ct in (np.ones(3), np.ones(3, int), sc.input("c", (3,), "float64")):
        assert sc.vjp(sc.exp(x), x, ct).dtype == np.float32


@pytest.mark.parametrize("device", BACKENDS)
def test_jvp(device):
    x, t = x64("x", 3), x64("t", 3)
    m = sc.constant(RNG.normal(size=(2, 3)))
    y = sc.tanh(m @ x)
    X, T = RNG.normal(size=3), RNG.normal(size=3)
    expected = (1 - np.tanh(m.value @ X) ** 2) * (m.value @ T)
    np.testing.assert_allclose(value(sc.jvp(y, x, t), {x: X, t: T}, device), expected, rtol=1e-10)


def test_jvp_of_several():
    x, y = x64("x"), x64("y")
    f, g = sc.jvp([x * y, x + y * y], [x, y], [np.float64(1), np.float64(10)])
    found = value([f, g], {x: 2.0, y: 3.0})
    assert [float(v) for v in found] == [23, 61]


def test_jvp_of_what_does_not_depend_is_zero():
    x, y = x64("x", 2), x64("y", 2)
    np.testing.assert_array_equal(value(sc.jvp(y * 1.5, x, np.ones(2)), {x: np.ones(2), y: np.ones(2)}), [0, 0])


def test_jacobian():
    x = x64("x", 2, 2)
    y = sc.stack([x[0, 0] * x[1, 1], x[0, 1] ** 2, sc.sum(x)])
    X = np.array([[1.0, 2.0], [3.0, 4.0]])
    j = sc.jacobian(y, x)
    assert j.shape == (3, 2, 2)
    np.testing.assert_allclose(value(j, {x: X}), [[[4, 0], [0, 1]], [[0, 4], [0, 0]], [[1, 1], [1, 1]]])


def test_jacobian_of_a_scalar_of_nothing_and_of_a_matrix():
    x = x64("x", 2)
    assert sc.jacobian(sc.sum(x), x).shape == (2,)
    assert sc.jacobian(x[:0], x).shape == (0, 2)
    outer = sc.expand_dims(x, 1) * x
    X = np.array([2.0, 3.0])
    expected = np.einsum("ik,j->ijk", np.eye(2), X) + np.einsum("i,jk->ijk", X, np.eye(2))
    np.testing.assert_allclose(value(sc.jacobian(outer, x), {x: X}), expected)


def test_hessian():
    x = x64("x", 3)
    m = RNG.normal(size=(3, 3))
    X = RNG.normal(size=3)
    h = value(sc.hessian(sc.sum(x * (sc.constant(m) @ x)) + sc.sum(x**3), x), {x: X})
    np.testing.assert_allclose(h, m + m.T + np.diag(6 * X))


def test_third_derivative():
    x = x64("x")
    y = sc.sin(x) * x**2
    for _ in range(3):
        y = sc.grad(y, x)
    X = 0.7
    assert np.isclose(value(y, {x: X}), -(X**2) * np.cos(X) - 6 * X * np.sin(X) + 6 * np.cos(X))


def test_derivatives_of_a_network_agree_with_differences():
    x, w, b = x64("x", 2, 3), x64("w", 3, 4), x64("b", 4)
    y = sc.log_softmax(sc.sigmoid(x @ w + b) @ sc.transpose(w), axis=1)
    for order in (1, 2):
        assert sc.check_grad(y, [x, w, b], order=order) < 1e-6


# ---- what is refused


@pytest.mark.parametrize(
    ("attempt", "error", "message"),
    [
        (lambda x, n: sc.grad(x, x), sc.ShapeError, "must be a scalar"),
        (lambda x, n: sc.grad(sc.sum(x), n), sc.GradientError, "only float"),
        (lambda x, n: sc.grad(sc.sum(n), x), sc.GradientError, "only float"),
        (lambda x, n: sc.grad(sc.sum(x), np.ones(3)), sc.GradientError, "only float"),
        (lambda x, n: sc.grad(sc.sum(x), None), sc.GradientError, "only float"),
        (lambda x, n: sc.grad(3.0, x), sc.DTypeError, "must be a Variable"),
        (lambda x, n: sc.grad(sc.sum(x), x, disconnected="zero"), sc.InputError, "'zero'"),
        (lambda x, n: sc.grad(sc.sum(x), x, disconected="zeros"), sc.InputError, "no keyword 'disconected'"),
        (lambda x, n: sc.vjp([x, x], x, [x]), sc.InputError, "one cotangent for each output"),
        (lambda x, n: sc.vjp(x, x, np.ones(4)), sc.ShapeError, "cotangent"),
        (lambda x, n: sc.jvp(x, [x, x], [x]), sc.InputError, "one tangent for each wrt"),
        (lambda x, n: sc.jvp(x, x, np.ones((3, 1))), sc.ShapeError, "tangent"),
        (lambda x, n: sc.jvp(x, n, n), sc.GradientError, "only float"),
        (lambda x, n: sc.jvp(n, x, x), sc.GradientError, "only float"),
        (lambda x, n: sc.jacobian(np.ones(3), x), sc.GradientError, "only float"),
        (lambda x, n: sc.jacobian(sc.input("u", (None,)), x), sc.ShapeError, "must be known"),
        (lambda x, n: sc.hessian(x, x), sc.ShapeError, "must be a scalar"),
        (lambda x, n: sc.hessian(sc.sum(x), [x]), sc.GradientError, "only float"),
    ],
)
def test_refused(attempt, error, message):
    with pytest.raises(error, match=message) as found:
        attempt(sc.input("x", (3,)), sc.input("n", (3,), "int64"))
    assert __file__ in str(found.value)


def test_a_gradient_is_ordinary_graph():
    """It can be evaluated, printed and differentiated again without a function."""
    x = x64("x", 2)
    g = sc.grad(sc.sum(sc.exp(x)), x)
    (found,) = evaluate([g], {x: np.zeros(2)})
    np.testing.assert_array_equal(found, [1, 1])
    assert g.origin.maker == "grad"
    assert g.origin.file == __file__
