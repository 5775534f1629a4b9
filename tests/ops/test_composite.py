"""Activations and row functions: PyTorch's values and gradients, stable at any size, derivatives to second order."""

import numpy as np
import pytest

import symcnn as sc
from tests.interpret import evaluate_graph
from tests.ops.checks import check_derivatives

ACTIVATIONS = {
    "relu": ({}, lambda f: f.relu),
    "leaky_relu": ({"slope": 0.2}, lambda f: lambda x: f.leaky_relu(x, 0.2)),
    "elu": ({"alpha": 1.5}, lambda f: lambda x: f.elu(x, 1.5)),
    "selu": ({}, lambda f: f.selu),
    "gelu": ({}, lambda f: f.gelu),
    "silu": ({}, lambda f: f.silu),
    "sigmoid": ({}, lambda f: f.sigmoid),
    "softplus": ({}, lambda f: f.softplus),
    "tanh": ({}, lambda f: f.tanh),
}


def gradient_of(y, x, value):
    return evaluate_graph(sc.grad(sc.sum(y), x), {x: value})


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_agree_with_torch(torch, name):
    options, theirs = ACTIVATIONS[name]
    value = np.array([-30.0, -3, -1, -0.5, 0, 0.5, 1, 3, 30])
    x = sc.input("x", value.shape, dtype="float64")
    y = getattr(sc, name)(x, **options)
    t = torch.tensor(value, requires_grad=True)
    expected = theirs(torch.nn.functional)(t)
    expected.sum().backward()
    np.testing.assert_allclose(evaluate_graph(y, {x: value}), expected.detach().numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gradient_of(y, x, value), t.grad.numpy(), rtol=1e-9, atol=1e-12)
    away_from_kinks = value[value != 0]
    x = sc.input("x", away_from_kinks.shape, dtype="float64")
    check_derivatives(getattr(sc, name)(x, **options), [x], {x: away_from_kinks})


def test_approximate_gelu_agrees_with_torch(torch):
    value = np.linspace(-4, 4, 9)
    x = sc.input("x", value.shape, dtype="float64")
    expected = torch.nn.functional.gelu(torch.tensor(value), approximate="tanh").numpy()
    np.testing.assert_allclose(evaluate_graph(sc.gelu(x, approximate="tanh"), {x: value}), expected, rtol=1e-9)
    with pytest.raises(sc.InputError, match="approximation"):
        sc.gelu(x, approximate="erf")


@pytest.mark.parametrize("name", [*ACTIVATIONS, "hard_sigmoid"])
def test_activations_keep_float32_and_nan(name):
    x = sc.input("x", (3,))
    found = evaluate_graph(getattr(sc, name)(x), {x: np.array([np.nan, 1e30, -1e30], "float32")})
    assert found.dtype == np.float32
    assert np.isnan(found[0]) and not np.isnan(found[1:]).any()


def test_clip():
    value = np.array([-2.0, -1, 0, 1, 2, np.nan])
    x = sc.input("x", value.shape, dtype="float64")
    for low, high in ((-1, 1), (None, 1), (-1, None), (None, None)):
        np.testing.assert_array_equal(
            evaluate_graph(sc.clip(x, low, high), {x: value}),
            value if low is high is None else np.clip(value, low, high),
        )
    np.testing.assert_array_equal(gradient_of(x.clip(-1, 1), x, value)[:5], [0, 1, 1, 1, 0])
    assert np.clip(x, -1, 1) is sc.clip(x, -1, 1)
    with pytest.raises(sc.InputError, match="lower limit"):
        sc.clip(x, 1, -1)


@pytest.mark.parametrize("unknown", [False, True])
def test_maxout(unknown):
    value = np.random.default_rng(0).normal(size=(2, 6, 3))
    x = sc.input("x", (None,) * 3 if unknown else value.shape, dtype="float64")
    y = sc.maxout(x, 3)
    np.testing.assert_array_equal(evaluate_graph(y, {x: value}), value.reshape(2, 2, 3, 3).max(2))
    check_derivatives(y, [x], {x: value})
    ties = gradient_of(y, x, np.zeros((1, 6, 1)))
    np.testing.assert_array_equal(ties[0, :, 0], [1, 0, 0, 1, 0, 0])


def test_maxout_needs_a_divisor():
    for pieces in (4, 0, 1.5):
        with pytest.raises(sc.ShapeError, match="divide"):
            sc.maxout(sc.input("x", (2, 6)), pieces)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_row_functions_agree_with_torch(torch, name, axis):
    value = np.random.default_rng(0).normal(size=(3, 4, 2)) * 5
    x = sc.input("x", (None, 4, 2), dtype="float64")
    y = getattr(sc, name)(x, axis=axis)
    t = torch.tensor(value, requires_grad=True)
    expected = getattr(torch, name)(t, dim=axis)
    torch.sin(expected).sum().backward()
    np.testing.assert_allclose(evaluate_graph(y, {x: value}), expected.detach().numpy(), rtol=1e-11)
    np.testing.assert_allclose(gradient_of(sc.sin(y), x, value), t.grad.numpy(), rtol=1e-9, atol=1e-12)
    check_derivatives(y, [x], {x: value / 5})


@pytest.mark.parametrize("scale", [1, 1000, 1e30])
def test_row_functions_are_stable(scale):
    value = (np.array([[1, 0, -1], [1, 1, 1]]) * scale).astype("float32")
    x = sc.input("x", (2, 3))
    exact = value.astype("float64")
    shifted = exact - exact.max(1, keepdims=True)
    sums = np.exp(shifted).sum(1, keepdims=True)
    softmax = np.exp(shifted) / sums
    logsumexp = exact.max(1) + np.log(sums[:, 0])
    np.testing.assert_allclose(evaluate_graph(sc.softmax(x), {x: value}), softmax, rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(evaluate_graph(sc.logsumexp(x, axis=1), {x: value}), logsumexp, rtol=1e-6)
    np.testing.assert_allclose(
        evaluate_graph(sc.log_softmax(x), {x: value}), shifted - np.log(sums), rtol=1e-5, atol=1e-6
    )
    for y in (sc.softmax(x), sc.log_softmax(x), sc.logsumexp(x, 1)):
        assert np.isfinite(gradient_of(y, x, value)).all()


def test_logsumexp_of_infinities():
    x = sc.input("x", (3, 2), dtype="float64")
    value = np.array([[-np.inf, -np.inf], [np.inf, 0], [-np.inf, 3]])
    np.testing.assert_array_equal(evaluate_graph(sc.logsumexp(x, 1), {x: value}), [-np.inf, np.inf, 3])


def test_logsumexp_over_several_axes_and_all():
    x = sc.input("x", (2, 3, 4), dtype="float64")
    value = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis, keepdims in ((None, False), ((0, 2), True), ((0, 2), False)):
        expected = np.log(np.exp(value).sum(axis=axis, keepdims=keepdims))
        np.testing.assert_allclose(evaluate_graph(sc.logsumexp(x, axis, keepdims), {x: value}), expected)


def test_row_functions_need_elements():
    for name in ("softmax", "log_softmax", "logsumexp"):
        with pytest.raises(sc.ShapeError, match="empty"):
            getattr(sc, name)(sc.input("x", (2, 0)), axis=1)


def test_logaddexp():
    values = np.array([-np.inf, -1000, -1, 0, 1e-10, 1, 1000, np.inf, np.nan])
    a, b = (v.ravel() for v in np.meshgrid(values, values))
    x, y = sc.input("x", a.shape, dtype="float64"), sc.input("y", b.shape, dtype="float64")
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(evaluate_graph(np.logaddexp(x, y), {x: a, y: b}), np.logaddexp(a, b), rtol=1e-12)
    x, y = sc.input("x", (3,), dtype="float64"), sc.input("y", (3,), dtype="float64")
    values = {x: np.array([1.0, 2, -1]), y: np.array([1.0, -2, 3])}
    check_derivatives(sc.logaddexp(x, y), [x, y], values)


def test_other_bases():
    x = sc.input("x", (3,), dtype="float64")
    value = np.array([0.5, 8, 1000])
    for name in ("log2", "log10", "exp2"):
        np.testing.assert_allclose(
            evaluate_graph(getattr(np, name)(x), {x: value / 10}), getattr(np, name)(value / 10), rtol=1e-12
        )
