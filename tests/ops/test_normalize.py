"""Normalisation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symcnn.autodiff import grad
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.function import function
from symcnn.ir.graph import evaluate
from symcnn.ir.op import build
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Input, apply, constant
from symcnn.ops.lrn import ChannelWindowSum, lrn
from symcnn.ops.normalize import (
    batch_norm,
    batch_statistics,
    group_norm,
    instance_norm,
    layer_norm,
)
from tests.interpret import evaluate_graph
from tests.ops.checks import cases, check_derivatives, check_op

images = st.tuples(st.integers(1, 3), st.just(4), st.integers(1, 4), st.integers(2, 4))


@pytest.mark.parametrize(("cls", "example"), cases(ChannelWindowSum))
def test_examples(cls, example):
    check_op(cls, example)


def image(*shape, dtype="float64", name="x"):
    return Input(name, TensorType(dtype, shape))


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def compare(torch, ours, theirs, shape, parameters=()):
    """Values and gradients of `ours` (on Variables) and `theirs` (on tensors), and ours to second order."""
    inputs = [image(*s, name=f"x{k}") for k, s in enumerate((shape, *parameters))]
    values = {x: random(*x.shape, seed=k) for k, x in enumerate(inputs)}
    y = ours(*inputs)
    ct = random(*y.shape, seed=9)
    tensors = [torch.tensor(values[x], requires_grad=True) for x in inputs]
    ty = theirs(*tensors)
    ty.backward(torch.tensor(ct))
    found = evaluate([y, *grad(build("sum", y * constant(ct)), inputs)], values)
    for a, b in zip(found, (ty.detach(), *(t.grad for t in tensors)), strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-8, atol=1e-8)
    check_derivatives(y, inputs, values, rtol=1e-4, step=1e-6)


@given(images)
@settings(max_examples=15)
def test_batch_norm_is_that_of_torch(torch, shape):
    batch = torch.nn.functional.batch_norm
    compare(torch, batch_norm, lambda x, g, b: batch(x, None, None, g, b, training=True), shape, ((4,), (4,)))


def test_batch_norm_with_given_statistics(torch):
    def theirs(x, g, b, m, v):  # torch's own takes no gradient by the statistics
        column = lambda p: p[:, None, None]  # noqa: E731
        return (x - column(m)) / torch.sqrt(column(v * v) + 1e-5) * column(g) + column(b)

    compare(torch, lambda x, g, b, m, v: batch_norm(x, g, b, m, v * v), theirs, (2, 3, 4, 5), ((3,), (3,), (3,), (3,)))


def test_batch_norm_along_another_axis():
    x, g, b = image(2, 4, 5, 3), image(3, name="g"), image(3, name="b")
    values = {x: random(2, 4, 5, 3), g: random(3, seed=1), b: random(3, seed=2)}
    last = evaluate_graph(batch_norm(x, g, b, axis=-1), values)
    first = batch_norm(constant(values[x].transpose(0, 3, 1, 2)), g, b)
    np.testing.assert_allclose(last, evaluate_graph(first, values).transpose(0, 2, 3, 1))


def test_batch_norm_of_vectors():
    x = image(None, 3)
    y = batch_norm(x, 1.0, 0.0)
    found = evaluate_graph(y, {x: random(50, 3)})
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(0), 1, atol=1e-4)


def test_batch_statistics_are_what_batch_norm_divides_by():
    x = image(None, 3, None, 4)
    mean, variance = batch_statistics(x)
    assert mean.shape == (3,)
    values = {x: random(5, 3, 2, 4)}
    np.testing.assert_allclose(evaluate_graph(mean, values), values[x].mean((0, 2, 3)))
    np.testing.assert_allclose(evaluate_graph(variance, values), values[x].var((0, 2, 3)))
    training = batch_norm(x, 2.0, 1.0)
    inference = batch_norm(x, 2.0, 1.0, mean, variance)
    np.testing.assert_allclose(evaluate_graph(training, values), evaluate_graph(inference, values))


@given(images, st.integers(1, 3))
@settings(max_examples=15)
def test_layer_norm_is_that_of_torch(torch, shape, axis):
    inner = shape[axis:]
    layer = torch.nn.functional.layer_norm
    compare(
        torch, lambda x, g, b: layer_norm(x, g, b, axis), lambda x, g, b: layer(x, inner, g, b), shape, (inner, inner)
    )


@given(images, st.sampled_from([1, 2, 4]))
@settings(max_examples=15)
def test_group_norm_is_that_of_torch(torch, shape, groups):
    group = torch.nn.functional.group_norm
    compare(
        torch, lambda x, g, b: group_norm(x, groups, g, b), lambda x, g, b: group(x, groups, g, b), shape, ((4,), (4,))
    )


@given(images)
@settings(max_examples=15)
def test_instance_norm_is_that_of_torch(torch, shape):
    instance = torch.nn.functional.instance_norm
    compare(torch, instance_norm, lambda x, g, b: instance(x, None, None, g, b), shape, ((4,), (4,)))


@given(st.integers(1, 6), st.sampled_from([1e-4, 0.5]), st.sampled_from([0.75, 1.0]), st.sampled_from([1.0, 2.0]))
@settings(max_examples=20)
def test_lrn_is_the_formula_of_onnx(size, alpha, beta, k):
    x = random(2, 5, 2, 3)
    energy = np.zeros_like(x)
    for c in range(5):
        low, high = max(0, c - (size - 1) // 2), min(4, c + -(-(size - 1) // 2))
        energy[:, c] = (x[:, low : high + 1] ** 2).sum(axis=1)
    v = image(*x.shape)
    y = lrn(v, size, alpha, beta, k)
    np.testing.assert_allclose(evaluate_graph(y, {v: x}), x / (k + alpha / size * energy) ** beta, rtol=1e-12)
    check_derivatives(y, [v], {v: x})


def test_lrn_of_odd_size_is_that_of_torch(torch):
    compare(
        torch,
        lambda x: lrn(x, 5, 0.1, 0.75, 2.0),
        lambda x: torch.nn.functional.local_response_norm(x, 5, 0.1, 0.75, 2.0),
        (2, 7, 3, 2),
    )


def test_integers_become_float():
    x = image(2, 4, 3, 3, dtype="uint8")
    for y in (batch_norm(x, 1.0, 0.0), layer_norm(x), group_norm(x, 2), instance_norm(x), lrn(x, 3)):
        assert y.dtype == np.float32


def test_single_precision_stays():
    x, g = image(None, 4, 3, 3, dtype="float32"), image(4, dtype="float32", name="g")
    for y in (batch_norm(x, g, g), layer_norm(x), group_norm(x, 2, g, g), instance_norm(x, g, g), lrn(x, 3)):
        assert y.dtype == np.float32


@pytest.mark.parametrize("dtypes", [("float32", "float64", "float64"), ("float64", "float32", "float32"),
                                    ("float32", "float32", "float64"), ("uint8", "float64", "float32")])  # fmt: skip
def test_the_widest_precision_wins(torch, dtypes):
    inputs = [image(*s, dtype=d, name=n) for n, d, s in zip("xgb", dtypes, ((2, 4, 3, 3), (4,), (4,)), strict=True)]
    values = {v: (3 * random(*v.shape, seed=k)).astype(v.dtype) for k, v in enumerate(inputs)}
    y = batch_norm(*inputs)
    assert y.dtype == np.float64
    gradients = grad(build("sum", y * y), inputs[1:])
    assert [g.dtype for g in gradients] == [v.dtype for v in inputs[1:]]
    found = function(inputs, [y, *gradients], device="reference")(*values.values())
    x, *affine = (torch.tensor(values[v].astype("float64"), requires_grad=True) for v in inputs)
    expected = torch.nn.functional.batch_norm(x, None, None, *affine, training=True)
    expected.square().sum().backward()
    for a, b in zip(found, (expected, *(v.grad for v in affine)), strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda x: batch_norm(x, image(3, name="g"), 0.0), ShapeError, "gamma needs one element per channel"),
        (lambda x: batch_norm(x, 1.0, image(4, 1, name="b")), ShapeError, "beta needs one element per channel"),
        (lambda x: batch_norm(x, 1.0, 0.0, mean=0.0), InputError, "both mean and variance"),
        (lambda x: batch_norm(x, 1.0, 0.0, axis=4), ShapeError, "out of range"),
        (lambda x: layer_norm(x, axis=7), ShapeError, "out of range"),
        (lambda x: group_norm(x, 3), ShapeError, "4 channels cannot be split into 3 groups"),
        (lambda x: group_norm(x, 0), InputError, "positive integer"),
        (lambda x: instance_norm(x, image(3, name="g")), ShapeError, "gamma needs one element per channel"),
        (lambda x: lrn(x, 0), InputError, "positive integer"),
        (lambda x: lrn(image(3), 3), ShapeError, "no channel axis"),
        (lambda x: group_norm(image(3), 3), ShapeError, "no channel axis"),
    ],
)
def test_errors_name_what_is_wrong(make, error, says):
    with pytest.raises(error, match=says):
        make(image(2, 4, 5, 5))


def test_channel_sums_are_of_floats():
    with pytest.raises(DTypeError, match="float"):
        apply(ChannelWindowSum(1, 1), image(1, 3, 2, dtype="int32"))
    with pytest.raises(ShapeError, match="channel axis"):
        apply(ChannelWindowSum(1, 1), image(3))
