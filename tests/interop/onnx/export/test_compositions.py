"""What is composed here and has a name in ONNX is said by that name, and means the same; what only looks like it is not."""

from collections import Counter

import numpy as np
import pytest

import symcnn as sc
from symcnn.ir.variable import apply
from symcnn.ops.lrn import ChannelWindowSum
from tests.interop.onnx.export.elsewhere import exported, run_elsewhere

pytest.importorskip("onnx")

RNG = np.random.default_rng(0)
IMAGES = (2, 4, 5, 6)


def vector(n=4, low=0.5, high=1.5, dtype="float32"):
    return sc.shared(RNG.uniform(low, high, n), "v", dtype)


# Operator -> expressions of images (2, 4, 5, 6) that are it alone.
NAMED = {
    "BatchNormalization": [
        lambda x: sc.batch_norm(x, vector(), vector(), vector(), vector()),
        lambda x: sc.batch_norm(x, 1, 0, vector(), vector(), epsilon=1e-3),
    ],
    "InstanceNormalization": [
        lambda x: sc.instance_norm(x, vector(), vector()),
        lambda x: sc.instance_norm(x, epsilon=1e-3),
    ],
    "GroupNormalization": [
        lambda x: sc.group_norm(x, 2, vector(), vector()),
        lambda x: sc.group_norm(x, 1),
        lambda x: sc.group_norm(x, 4, epsilon=0.1),
    ],
    "LayerNormalization": [
        lambda x: sc.layer_norm(x, vector(6), vector(6)),
        lambda x: sc.layer_norm(x, vector((4, 5, 6)), vector((4, 5, 6)), axis=1),
    ],
    "LRN": [lambda x: sc.lrn(x, 3), lambda x: sc.lrn(x, 7, 0.3, 0.5, 2.0), lambda x: sc.lrn(x, 5, alpha=1, beta=1)],
    "Softmax": [lambda x: sc.softmax(x, 1), lambda x: sc.softmax(x)],
    "LogSoftmax": [lambda x: sc.log_softmax(x, 1), lambda x: sc.log(sc.softmax(x))],
    "ReduceLogSumExp": [lambda x: sc.logsumexp(x), lambda x: sc.logsumexp(x, (1, 3), keepdims=True)],
    "LeakyRelu": [lambda x: sc.leaky_relu(x), lambda x: sc.leaky_relu(x, 0.3)],
    "PRelu": [lambda x: sc.leaky_relu(x, vector(1))],
    "Elu": [lambda x: sc.elu(x), lambda x: sc.elu(x, 0.7)],
    "Selu": [lambda x: sc.selu(x)],
    "Gelu": [lambda x: sc.gelu(x), lambda x: sc.gelu(x, "tanh")],
    "HardSigmoid": [lambda x: sc.hard_sigmoid(x), lambda x: sc.hard_sigmoid(x, 0.3, 0.4)],
    "Clip": [lambda x: sc.clip(x, -0.5, 1), lambda x: sc.minimum(sc.maximum(x, 0), 6)],
    "Sigmoid": [lambda x: 1 / (1 + sc.exp(-x))],
    "Softplus": [lambda x: sc.log(1 + sc.exp(x))],
    "ReduceMean": [lambda x: sc.mean(x), lambda x: sc.mean(x, (1, 2), keepdims=True)],
    "GlobalAveragePool": [lambda x: sc.global_avg_pool2d(x)],
    "GlobalMaxPool": [lambda x: sc.global_max_pool2d(x)],
    "Pad": [
        lambda x: sc.pad(x, ((0, 0), (0, 0), (2, 1), (0, 0)), "reflect"),
        lambda x: sc.pad(x, ((0, 0), (0, 0), (0, 0), (0, 3)), "edge"),
    ],
    "Conv": [lambda x: sc.conv2d(x, vector((3, 4, 2, 2))) + vector(3).reshape((1, 3, 1, 1))],
    "ConvTranspose": [lambda x: vector(3).reshape((1, 3, 1, 1)) + sc.conv2d_transpose(x, vector((4, 3, 2, 2)))],
}  # fmt: skip
# Expressions that are near to one of those, and the operator that they must not be taken for.
ALIKE = {
    "BatchNormalization": lambda x: (x - vector((1, 4, 1, 1))) * (vector((4, 5, 6)) / sc.sqrt(vector((1, 4, 1, 1)) + 1e-5)) + 1,
    "GroupNormalization": lambda x: sc.reshape(sc.layer_norm(sc.reshape(x, (2, 4, 30)), axis=1), x.shape),
    "LRN": lambda x: (x + 1) / (1 + 0.1 * apply(ChannelWindowSum(1, 1), x * x)) ** 0.75,
    "Softmax": lambda x: sc.exp(x - 1) / sc.sum(sc.exp(x), 1, keepdims=True),
    "LogSoftmax": lambda x: (x - 1) - sc.log(sc.sum(sc.exp(x - 1), 1, keepdims=True)) * 2,
    "LeakyRelu": lambda x: sc.where(x > 0, x, 0.1 * sc.square(x)),
    "PRelu": lambda x: sc.where(x[:1] > 0, x[:1], vector((2, 1, 1, 1)) * x[:1]),
    "Elu": lambda x: sc.where(x > 0, x, 2 * sc.expm1(sc.minimum(x, 0.5))),
    "Gelu": lambda x: 0.5 * x * sc.erfc(x * -0.5),
    "HardSigmoid": lambda x: sc.minimum(sc.maximum(0.2 * x + 0.5, 0), 2),
    "Clip": lambda x: sc.minimum(sc.maximum(x, vector((6,))), 1),
    "Pad": lambda x: sc.concat([x[..., 1:2], x, x[..., 2:3]], -1),
    "GlobalAveragePool": lambda x: sc.mean(x, (1, 2), keepdims=True),
    "GlobalMaxPool": lambda x: sc.max(x, (2, 3)),
}  # fmt: skip


def operators(y) -> Counter:
    return Counter(node.op_type for node in exported(y).graph.node if node.op_type != "Constant")


def assert_same(x, y, dtype="float32", tolerance=1e-5):
    X = RNG.normal(0, 2, IMAGES).astype(dtype)
    (found,), _ = run_elsewhere(y, [X])
    expected = sc.function([x], y, device="reference")(X)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(("name", "k"), [(name, k) for name, found in NAMED.items() for k in range(len(found))])
@pytest.mark.parametrize("shape", [IMAGES, (None, *IMAGES[1:])], ids=["known", "open"])
def test_operator_of_that_name(name, k, shape):
    x = sc.input("x", shape)
    y = NAMED[name][k](x)
    assert operators(y) == {name: 1}
    assert_same(x, y)


@pytest.mark.parametrize("name", ALIKE)
def test_what_only_looks_like_it(name):
    x = sc.input("x", IMAGES)
    y = ALIKE[name](x)
    assert name not in operators(y)
    assert_same(x, y)


def test_an_even_number_of_channels_is_composed():
    x = sc.input("x", IMAGES)
    y = sc.lrn(x, 4, alpha=0.5)
    assert "LRN" not in operators(y)  # onnxruntime takes odd ones only
    assert_same(x, y)


def test_dense_layers_are_gemm():
    x, w, b = sc.input("x", (None, 3)), vector((3, 2)), vector(2)
    assert operators(x @ w + b) == operators(b + x @ w) == {"Gemm": 1}
    assert operators(x @ w + vector((1, 2))) == {"MatMul": 1, "Add": 1}
    assert operators(x @ w) == {"MatMul": 1}
    assert operators(x @ vector((2, 3)).T) == operators(x @ vector((2, 3)).T + b) == {"Gemm": 1}


def test_transposed_matrices_are_read_as_they_were():
    x, w = sc.input("x", (3, 4)), vector((5, 4))
    X = RNG.normal(size=(3, 4)).astype("float32")
    for y in (x @ w.T, x @ w.T + vector(5), x.T @ x, x @ x.T + vector(3), sc.flatten(x) @ vector((12, 2))):
        (found,), _ = run_elsewhere(y, [X])
        np.testing.assert_allclose(found, sc.function([x], y, device="reference")(X), rtol=1e-5)


def test_a_convolution_that_others_read_is_computed_once():
    x, w = sc.input("x", IMAGES), vector((3, 4, 1, 1))
    y = sc.conv2d(x, w)
    first, second = (y + vector(3).reshape((1, 3, 1, 1)) for _ in range(2))
    for z in (sc.relu(y) + first, first * second):
        assert operators(z)["Conv"] == 1
        assert_same(x, z)


def test_slopes_that_float32_does_not_hold_stay_as_they_are():
    x = sc.input("x", IMAGES, "float64")
    for y, names in (
        (sc.leaky_relu(x, 0.1), {"LeakyRelu", "PRelu"}),
        (sc.elu(x, 0.1), {"Elu"}),
        (sc.selu(x), {"Selu"}),
    ):
        assert not names & operators(y).keys()
        assert_same(x, y, "float64", 1e-14)
    assert operators(sc.leaky_relu(x, 0.125)) == {"LeakyRelu": 1}


def test_a_composition_of_two_dtypes_stays_as_it_is():
    x = sc.input("x", IMAGES)
    for y in (sc.where(x > 0, x, np.float64(0.5) * x), sc.clip(np.float64(0.5) * x + 0.25, 0, 1)):
        assert y.dtype == "float64"
        assert_same(x, y)


@pytest.mark.parametrize("function", [sc.expm1, sc.log1p])
def test_digits_of_tiny_values_are_kept(function):
    x = sc.input("x", (None,))
    X = np.geomspace(1e-20, 0.9, 200, dtype="float32")
    X = np.concatenate([X, -X])
    (found,), _ = run_elsewhere(function(x), [X])
    np.testing.assert_allclose(found, getattr(np, function.__name__)(X.astype("float64")), rtol=1e-6)


def test_what_would_overflow_is_said_in_its_stable_form():
    x = sc.input("x", (None,))
    X = np.array([-1000, 0, 1000], "float32")
    for y, expected in ((sc.log(1 + sc.exp(x)), np.logaddexp(X, 0)), (sc.log(sc.sum(sc.exp(x))), 1000)):
        np.testing.assert_allclose(run_elsewhere(y, [X])[0][0], expected, rtol=1e-6)
