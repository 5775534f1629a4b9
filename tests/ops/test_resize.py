"""Upsampling and its adjoint."""

from fractions import Fraction

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
from symcnn.ops.resize import Upsample2d, Upsample2dGrad, upsample2d
from tests.interpret import evaluate_graph, evaluate_nest
from tests.ops.checks import cases, check_derivatives, check_op

modes = st.sampled_from(["nearest", "bilinear"])
shapes = st.tuples(st.just(1), st.integers(1, 2), st.integers(1, 5), st.integers(1, 5))
whole = st.tuples(st.integers(1, 4), st.integers(1, 4))
ratio = st.fractions(min_value=Fraction(1, 3), max_value=3, max_denominator=4)


@pytest.mark.parametrize(("cls", "example"), cases(Upsample2d, Upsample2dGrad))
def test_examples(cls, example):
    check_op(cls, example)


def image(*shape, dtype="float64", name="x"):
    return Input(name, TensorType(dtype, shape))


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@given(shapes, whole, modes)
@settings(max_examples=60)
def test_values_and_gradients_are_those_of_torch(torch, shape, scale, mode):
    x = image(*shape)
    y = upsample2d(x, scale, mode)
    value, ct = random(*shape), random(*y.shape, seed=1)
    tx = torch.tensor(value, requires_grad=True)
    ty = torch.nn.functional.interpolate(
        tx,
        scale_factor=[float(s) for s in scale],
        mode=mode,
        **({"align_corners": False} if mode == "bilinear" else {}),
    )
    ty.backward(torch.tensor(ct))
    found = evaluate([y, grad(build("sum", y * constant(ct)), x)], {x: value})
    for ours, theirs in zip(found, (ty.detach(), tx.grad), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


@given(shapes, st.tuples(ratio, ratio))
@settings(max_examples=60)
def test_bilinear_by_any_ratio_is_that_of_torch(torch, shape, scale):
    x = image(*shape)
    y = upsample2d(x, scale)
    value, scale_factor = random(*shape), [float(s) for s in scale]
    assume(0 not in y.shape)
    assume(
        [int(n * s) for n, s in zip(shape[2:], scale_factor, strict=True)] == list(y.shape[2:])
    )  # torch rounds first
    # where the size stays, torch copies; ONNX has the scale decide
    assume(all(n != m or s == 1 for n, m, s in zip(shape[2:], y.shape[2:], scale, strict=True)))
    expected = torch.nn.functional.interpolate(
        torch.tensor(value), scale_factor=scale_factor, mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(evaluate_graph(y, {x: value}), expected.numpy(), rtol=1e-9, atol=1e-9)


@given(shapes, st.tuples(ratio, ratio), modes)
@settings(max_examples=60)
def test_nests_agree_with_their_references(shape, scale, mode):
    x = image(*shape)
    y = upsample2d(x, scale, mode)
    ct = image(*y.shape, name="ct")
    (gradient,) = y.op.pullback((x,), y, ct)
    values = {x: random(*shape), ct: random(*y.shape, seed=1)}
    for v in (y, gradient):
        np.testing.assert_allclose(evaluate_nest(v, values), evaluate_graph(v, values), rtol=1e-12, atol=1e-12)


@given(shapes, st.tuples(ratio, ratio), modes)
@settings(max_examples=20)
def test_derivatives_to_second_order(shape, scale, mode):
    x = image(*shape)
    y = upsample2d(x * x, scale, mode)
    assume(0 not in y.shape)
    check_derivatives(y, [x], {x: random(*shape)})


def test_the_example_of_the_onnx_specification():
    x = image(1, 1, 2, 2, dtype="float32")
    values = {x: np.array([[[[1, 2], [3, 4]]]], "float32")}
    np.testing.assert_allclose(
        evaluate_graph(upsample2d(x, 2), values)[0, 0],
        [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5], [3, 3.25, 3.75, 4]],
    )
    np.testing.assert_array_equal(
        evaluate_graph(upsample2d(x, (2, 3), "nearest"), values)[0, 0],
        [[1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4], [3, 3, 3, 4, 4, 4]],
    )


def test_a_tie_goes_to_the_first():
    x = image(1, 1, 1, 4)
    found = evaluate_graph(upsample2d(x, (1, 0.5), "nearest"), {x: np.arange(4.0).reshape(1, 1, 1, 4)})
    np.testing.assert_array_equal(found, [[[[0, 2]]]])  # v = 0.5 and 2.5: round_prefer_floor


def test_images_of_bytes():
    x = image(1, 1, 2, 2, dtype="uint8")
    assert upsample2d(x, 2, "nearest").dtype == np.uint8
    assert upsample2d(x, 2).dtype == np.float32


def test_unknown_sizes():
    assert upsample2d(image(None, 3, None, 5), (2, 1.5)).shape == (None, 3, None, 7)


@pytest.mark.parametrize(
    ("shape", "arguments", "error", "says"),
    [
        ((8, 8), {"scale": 2}, ShapeError, "rank 4"),
        ((1, 1, 2, 2), {"scale": 2, "mode": "bicubic"}, InputError, "'bilinear' or 'nearest'"),
        ((1, 1, 2, 2), {"scale": 0}, InputError, "positive"),
        ((1, 1, 2, 2), {"scale": -2.0}, InputError, "positive"),
        ((1, 1, 2, 2), {"scale": (1, 2, 3)}, InputError, "pair"),
        ((1, 1, 2, 2), {"scale": float("nan")}, InputError, "positive"),
        ((1, 1, 2, 2), {"scale": None}, InputError, "positive"),
    ],
)
def test_errors_name_what_is_wrong_and_where(shape, arguments, error, says):
    with pytest.raises(error) as caught:
        upsample2d(image(*shape), **arguments)
    assert says in str(caught.value)
    assert "test_resize.py" in str(caught.value)


def test_operands_that_do_not_fit():
    y = upsample2d(image(1, 1, 2, 2), 2)
    with pytest.raises(ShapeError, match="enlarged image"):
        apply(Upsample2dGrad(y.op.scale, y.op.mode), image(1, 1, 4, 3), image(1, 1, 2, 2))
    with pytest.raises(DTypeError, match="float"):
        apply(y.op, image(1, 1, 2, 2, dtype="int32"))


def test_labels_are_short():
    assert upsample2d(image(1, 1, 2, 2), (2, 1.5)).op.label() == "upsample2d(bilinear, 2 x 3/2)"
