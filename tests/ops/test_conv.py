"""Convolution, its gradients and transposed convolution."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symcnn.autodiff import grad
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.graph import evaluate
from symcnn.ir.op import build
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Input, constant
from symcnn.ops.conv import Conv2d, Conv2dInputGrad, Conv2dWeightGrad, conv2d
from symcnn.ops.conv_transpose import Conv2dTranspose, conv2d_transpose
from symcnn.ops.window import window2d
from tests.interpret import evaluate_graph, evaluate_nest
from tests.ops.checks import cases, check_derivatives, check_op


@pytest.mark.parametrize(("cls", "example"), cases(Conv2d, Conv2dInputGrad, Conv2dWeightGrad, Conv2dTranspose))
def test_examples(cls, example):
    check_op(cls, example)


def image(*shape, dtype="float64", name="x"):
    return Input(name, TensorType(dtype, shape))


def random(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@st.composite
def problems(draw):
    """Shapes of x and w, and the arguments of a convolution that fits them."""
    n, groups, c, o = (draw(st.integers(low, high)) for low, high in ((0, 2), (1, 3), (1, 2), (1, 2)))
    kernel, stride, dilation = (draw(st.tuples(st.integers(1, high), st.integers(1, high))) for high in (3, 3, 2))
    padding = draw(st.tuples(*[st.integers(0, 2)] * 4) | st.just("same"))
    size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    try:
        window2d(**given).output_sizes(size, kernel)
    except ShapeError:
        assume(False)
    return (n, groups * c, *size), (groups * o, c, *kernel), given


def with_torch(torch, x, w, stride, padding, dilation, groups):
    (top, bottom), (left, right) = window2d(stride, padding, dilation).pads(x.shape[2:], w.shape[2:])
    x = torch.nn.functional.pad(x, (left, right, top, bottom))
    return torch.nn.functional.conv2d(x, w, None, stride, 0, dilation, groups)


@given(problems())
@settings(max_examples=80)
def test_values_and_gradients_are_those_of_torch(torch, problem):
    shape, kernel, arguments = problem
    assume(shape[0] > 0)
    x, w = image(*shape), image(*kernel, name="w")
    y = conv2d(x, w, **arguments)
    values = {x: random(*shape), w: random(*kernel, seed=1)}
    ct = random(*y.shape, seed=2)
    tx, tw = (torch.tensor(values[v], requires_grad=True) for v in (x, w))
    ty = with_torch(torch, tx, tw, **arguments)
    ty.backward(torch.tensor(ct))
    found = evaluate([y, *grad(build("sum", y * constant(ct)), [x, w])], values)
    for ours, theirs in zip(found, (ty.detach(), tx.grad, tw.grad), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


@given(problems())
@settings(max_examples=25)
def test_nests_of_the_whole_family_agree_with_their_references(problem):
    shape, kernel, arguments = problem
    x, w = image(*shape), image(*kernel, name="w")
    y = conv2d(x, w, **arguments)
    values = {x: random(*shape), w: random(*kernel, seed=1)}
    ct = image(*y.shape, name="ct")
    gx, gw = y.op.pullback((x, w), y, ct)
    values[ct] = random(*y.shape, seed=2)
    for v in (y, gx, gw):
        np.testing.assert_allclose(evaluate_nest(v, values), evaluate_graph(v, values), rtol=1e-12, atol=1e-12)


@given(problems())
@settings(max_examples=25)
def test_derivatives_to_second_order(problem):
    shape, kernel, arguments = problem
    x, w = image(*shape), image(*kernel, name="w")
    values = {x: random(*shape), w: random(*kernel, seed=1)}
    check_derivatives(conv2d(x, w, **arguments), [x, w], values)


@given(problems(), st.tuples(st.integers(0, 2), st.integers(0, 2)))
@settings(max_examples=50)
def test_transposed_convolution_is_that_of_torch(torch, problem, extra):
    (n, _, *size), (o, c, *kernel), arguments = problem
    assume(n > 0 and all(e < s for e, s in zip(extra, arguments["stride"], strict=True)))
    padding = arguments["padding"]
    if padding == "same":
        padding, extra = 0, (0, 0)
    else:
        padding = padding[:2]  # torch pads symmetrically
    arguments = {**arguments, "padding": padding}
    x, w = image(n, o, *size), image(o, c, *kernel, name="w")
    try:
        y = conv2d_transpose(x, w, output_padding=extra, **arguments)
    except ShapeError:
        assume(False)
    values = {x: random(*x.shape), w: random(*w.shape, seed=1)}
    ct = random(*y.shape, seed=2)
    tx, tw = (torch.tensor(values[v], requires_grad=True) for v in (x, w))
    ty = torch.nn.functional.conv_transpose2d(
        tx, tw, None, arguments["stride"], padding, extra, arguments["groups"], arguments["dilation"]
    )
    ty.backward(torch.tensor(ct))
    found = evaluate([y, *grad(build("sum", y * constant(ct)), [x, w])], values)
    for ours, theirs in zip(found, (ty.detach(), tx.grad, tw.grad), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


def test_transposed_convolution_with_same_padding_multiplies_the_size():
    x, w = image(None, 2, 5, 6), image(2, 3, 3, 3, name="w")
    assert conv2d_transpose(x, w, stride=(2, 3), padding="same").shape == (None, 3, 10, 18)


def test_transposed_convolution_undoes_the_shape_of_a_convolution():
    x, w = image(1, 3, 7, 8), image(4, 3, 3, 3, name="w")
    y = conv2d(x, w, stride=2, padding=1)
    assert conv2d_transpose(y, w, stride=2, padding=1, output_padding=(0, 1)).shape == x.shape


def test_channels_last():
    x, w = image(2, 5, 6, 3), image(4, 3, 3, 3, name="w")
    y = conv2d(x, w, padding=1, layout="NHWC")
    values = {x: random(*x.shape), w: random(*w.shape, seed=1)}
    first = conv2d(constant(values[x].transpose(0, 3, 1, 2)), w, padding=1)
    np.testing.assert_allclose(evaluate_graph(y, values), evaluate_graph(first, values).transpose(0, 2, 3, 1))


def test_images_of_bytes_take_the_dtype_of_the_filters():
    x, w = image(1, 1, 4, 4, dtype="uint8"), image(2, 1, 3, 3, dtype="float32", name="w")
    y = conv2d(x, w)
    assert y.dtype == np.float32
    values = {x: np.full((1, 1, 4, 4), 255, "uint8"), w: np.ones((2, 1, 3, 3), "float32")}
    np.testing.assert_array_equal(evaluate_graph(y, values), np.full((1, 2, 2, 2), 2295, "float32"))


def test_filters_may_be_a_list_of_integers():
    edges = np.array([[[[1, 0, -1]]]])
    assert conv2d(image(None, 1, 8, 8, dtype="float32"), edges).dtype == np.float32


def test_mixed_floats_promote():
    assert conv2d(image(1, 1, 4, 4, dtype="float32"), image(1, 1, 3, 3, name="w")).dtype == np.float64


def test_unknown_sizes():
    w = image(4, 3, 3, 3, name="w")
    assert conv2d(image(None, 3, None, 9), w, stride=2).shape == (None, 4, None, 4)
    assert conv2d(image(None, None, 8, 8), w).shape == (None, 4, 6, 6)


@pytest.mark.parametrize(
    ("x", "w", "arguments", "error", "says"),
    [
        ((3, 8, 8), (4, 3, 3, 3), {}, ShapeError, "rank 4"),
        ((1, 3, 8, 8), (3, 3, 3), {}, ShapeError, "filters must have rank 4"),
        ((1, 3, 8, 8), (4, 2, 3, 3), {}, ShapeError, "an image with 2 channels"),
        ((1, 8, 8, 3), (4, 3, 3, 3), {}, ShapeError, "layout='NHWC'"),
        ((1, 4, 8, 8), (4, 4, 3, 3), {"groups": 2}, ShapeError, "8 channels"),
        ((1, 4, 8, 8), (3, 2, 3, 3), {"groups": 2}, ShapeError, "3 filters cannot be split into 2 groups"),
        ((1, 3, 4, 4), (4, 3, 5, 3), {}, ShapeError, "5 > 4 rows"),
        ((1, 3, 4, 4), (4, 3, 3, 3), {"dilation": 2}, ShapeError, "dilation 2"),
        ((1, 3, 4, 4), (4, 3, 0, 3), {}, ShapeError, "at least one row"),
        ((1, 3, 8, 8), (4, 3, 3, 3), {"stride": -2}, InputError, "stride must be at least 1"),
        ((1, 3, 8, 8), (4, 3, 3, 3), {"padding": "full"}, InputError, "padding='full'"),
        ((1, 3, 8, 8), (4, 3, 3, 3), {"layout": "CHWN"}, InputError, "NCHW"),
    ],
)
def test_errors_name_what_is_wrong_and_where(x, w, arguments, error, says):
    with pytest.raises(error) as caught:
        conv2d(image(*x), image(*w, name="w"), **arguments)
    assert says in str(caught.value)
    assert "test_conv.py" in str(caught.value)


def test_integers_alone_are_refused():
    with pytest.raises(DTypeError, match="must be float"):
        conv2d(image(1, 1, 4, 4, dtype="uint8"), image(1, 1, 3, 3, dtype="int64", name="w"))


@pytest.mark.parametrize(
    ("x", "w", "arguments", "says"),
    [
        ((1, 3, 8, 8), (4, 3, 3, 3), {}, "an image with 4 channels"),
        ((1, 3, 8, 8), (3, 2, 3, 3), {"groups": 2}, "3 channels cannot be split into 2 groups"),
        ((1, 3, 1, 1), (3, 2, 3, 3), {"padding": 2}, "no pixels"),
        ((1, 3, 8, 8), (3, 2, 3, 3), {"output_padding": 1}, "less than the stride"),
        ((1, 3, 8, 8), (3, 2, 3, 3), {"stride": 2, "output_padding": -1}, "output_padding must be at least 0"),
    ],
)
def test_errors_of_transposed_convolution(x, w, arguments, says):
    with pytest.raises((ShapeError, InputError), match=says):
        conv2d_transpose(image(*x), image(*w, name="w"), **arguments)


def test_work_is_counted():
    y = conv2d(image(2, 6, 8, 8), image(4, 3, 3, 3, name="w"), groups=2)
    expected = 2 * (2 * 4 * 6 * 6) * (3 * 3 * 3)
    assert y.op.flops(y.type, *(x.type for x in y.inputs)) == expected
    gradients = y.op.pullback(y.inputs, y, image(*y.shape, name="ct"))
    for g in gradients:
        assert g.op.flops(g.type, *(x.type for x in g.inputs)) == expected


def test_labels_are_short():
    x, w = image(1, 3, 8, 8), image(4, 3, 3, 3, name="w")
    assert conv2d(x, w).op.label() == "conv2d"
    assert conv2d(x, w, stride=2, padding="same").op.label() == "conv2d(stride=2, padding=same)"
