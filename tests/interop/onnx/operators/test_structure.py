"""Shapes, and what is computed with them: sizes may stay unknown as long as they are only moved around."""

import numpy as np
import pytest

from symcnn.errors import InputError, ShapeError, SymcnnError

pytest.importorskip("onnx")
import onnx
from onnx.helper import make_node

from symcnn.interop.onnx import load
from tests.interop.onnx.graphs import apply, graph, value

X = np.random.default_rng(0).normal(size=(2, 8, 3, 4)).astype("float32")


def model_of(nodes, shape, tensors=()):
    """A model from x, of a shape with unknown sizes, to y."""
    made = graph(nodes, [value("x", "float32", shape)], [value("y", "float32")], tensors)
    return load(made, device="reference")


@pytest.mark.parametrize(
    ("sizes", "more", "shape"),
    [
        ((-1, 12), {}, (16, 12)),
        ((0, -1), {}, (2, 96)),
        ((0, 0, 12), {}, (2, 8, 12)),
        ((192,), {}, (192,)),
        ((2, 96), {"allowzero": 1}, (2, 96)),
    ],
)
def test_reshapes(sizes, more, shape):
    np.testing.assert_array_equal(apply("Reshape", X, np.array(sizes), **more), X.reshape(shape))


def test_a_size_of_zero_is_zero_where_it_is_allowed():
    assert apply("Reshape", np.zeros((0, 3), "float32"), np.array([3, 0]), allowzero=1).shape == (3, 0)


def test_reshapes_that_do_not_fit():
    with pytest.raises(InputError, match="a size is kept that is not there"):
        apply("Reshape", np.zeros(3, "float32"), np.array([3, 0]))
    with pytest.raises(ShapeError):
        apply("Reshape", X, np.array([7, -1]))


@pytest.mark.parametrize("axis", [0, 1, 2, 3, 4, -1])
def test_flattened_to_a_matrix(axis):
    expected = X.reshape(int(np.prod(X.shape[:axis])), -1)
    np.testing.assert_array_equal(apply("Flatten", X, axis=axis), expected)
    found = model_of([make_node("Flatten", ["x"], ["y"], axis=axis)], [None, 8, 3, 4])(X)[0]
    np.testing.assert_array_equal(found, expected)


def test_axes_of_size_1_by_attributes_and_by_inputs():
    x = X[:, :1, :, :1]
    for found in (
        apply("Squeeze", x, opset=6, axes=[1, -1]),
        apply("Squeeze", x, np.array([1, -1])),
        apply("Squeeze", x),
    ):
        np.testing.assert_array_equal(found, x[:, 0, :, 0])
    for found in (apply("Unsqueeze", X, opset=6, axes=[0, 5]), apply("Unsqueeze", X, np.array([-1, 0]))):
        np.testing.assert_array_equal(found, X[None, ..., None])
    with pytest.raises(InputError, match="not of size 1"):
        apply("Squeeze", X, np.array([1]))
    with pytest.raises(InputError, match="named twice"):
        apply("Unsqueeze", X, np.array([0, 0]))


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_blocks_of_channels_are_blocks_of_pixels(mode):
    found = apply("DepthToSpace", X, blocksize=2, mode=mode)
    for c, i, j in np.ndindex(2, 2, 2):
        channel = (2 * i + j) * 2 + c if mode == "DCR" else 4 * c + 2 * i + j
        np.testing.assert_array_equal(found[:, c, i::2, j::2], X[:, channel])
    if mode == "DCR":
        np.testing.assert_array_equal(apply("SpaceToDepth", found, blocksize=2), X)


@pytest.mark.parametrize("op", ["DepthToSpace", "SpaceToDepth"])
def test_blocks_that_do_not_fit_are_refused(op):
    with pytest.raises(InputError, match=op):
        apply(op, X[:, :7, :, :3], blocksize=2)


FLATTEN = [  # as PyTorch exports x.view(x.size(0), -1)
    make_node("Shape", ["x"], ["s"]),
    make_node("Gather", ["s", "zero"], ["n"]),
    make_node("Unsqueeze", ["n", "axes"], ["n1"]),
    make_node("Cast", ["n1"], ["n2"], to=onnx.TensorProto.INT64),
    make_node("Concat", ["n2", "rest"], ["sizes"], axis=0),
    make_node("Reshape", ["x", "sizes"], ["y"]),
]
ZERO = {"zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1])}


def test_one_function_serves_every_batch_as_long_as_sizes_are_only_moved():
    model = model_of(FLATTEN, [None, 8, 3, 4], ZERO)
    for batch in (X, X[:1]):
        np.testing.assert_array_equal(model(batch)[0], batch.reshape(len(batch), -1))
    assert model.function(X) is model.function(X[:1])


def test_a_shape_may_be_that_of_another_tensor():
    nodes = [  # as PyTorch exports x / x.norm(dim=1, keepdim=True), and zeros_like
        make_node("ReduceL2", ["x"], ["length"], axes=[1]),
        make_node("Shape", ["x"], ["sizes"]),
        make_node("Expand", ["length", "sizes"], ["wide"]),
        make_node("ConstantOfShape", ["sizes"], ["zeros"]),
        make_node("Sub", ["wide", "zeros"], ["divisor"]),
        make_node("Div", ["x", "divisor"], ["y"]),
    ]
    model = load(
        graph(nodes, [value("x", "float32", [None, 8, 3, 4])], [value("y", "float32")], opset=17), device="reference"
    )
    for batch in (X, X[:1]):
        np.testing.assert_allclose(model(batch)[0], batch / np.linalg.norm(batch, axis=1, keepdims=True), rtol=1e-5)
    assert model.function(X) is model.function(X[:1])


def test_sizes_that_are_known_are_numbers_beside_one_that_is_not():
    nodes = [  # a channel shuffle: the sizes of the images are those of x, half of its channels are computed
        make_node("Shape", ["x"], ["s"]),
        make_node("Split", ["s"], ["n", "c", "image"], axis=0, split=[1, 1, 2]),
        make_node("Div", ["c", "two"], ["half"]),
        make_node("Concat", ["n", "two", "half", "image"], ["parts"], axis=0),
        make_node("Reshape", ["x", "parts"], ["split"]),
        make_node("Transpose", ["split"], ["moved"], perm=[0, 2, 1, 3, 4]),
        make_node("Concat", ["n", "c", "image"], ["whole"], axis=0),
        make_node("Reshape", ["moved", "whole"], ["y"]),
    ]
    tensors = {"two": np.array([2])}
    made = graph(nodes, [value("x", "float32", [None, 8, 3, 4])], [value("y", "float32")], tensors, opset=11)
    model = load(made, device="reference")
    for batch in (X, X[:1]):
        expected = batch.reshape(-1, 2, 4, 3, 4).transpose(0, 2, 1, 3, 4).reshape(batch.shape)
        np.testing.assert_array_equal(model(batch)[0], expected)
    assert model.function(X) is model.function(X[:1])


def test_sizes_that_are_computed_with_are_those_of_the_call():
    nodes = [
        *FLATTEN[:3],
        make_node("Mul", ["n1", "eight"], ["rows"]),
        make_node("Concat", ["rows", "rest"], ["sizes"], axis=0),
        FLATTEN[-1],
    ]
    model = model_of(nodes, [None, 8, 3, 4], {**ZERO, "eight": np.array([8])})
    for batch in (X, X[:1]):
        np.testing.assert_array_equal(model(batch)[0], batch.reshape(8 * len(batch), -1))
    assert model.function(X) is not model.function(X[:1])


def test_inputs_that_say_what_shapes_are_may_change():
    made = graph(
        [make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)],
        [value("x", X), value("axes", "int64", [1])],
        [value("y", "float32")],
    )
    model = load(made, device="reference")
    for axis in (1, 2, 1):
        np.testing.assert_allclose(model(X, np.array([axis]))[0], X.sum(axis), rtol=1e-5)


def test_shapes_that_depend_on_images_are_refused():
    x = np.zeros((64, 64), "float32")
    with pytest.raises(SymcnnError, match="must be known"):
        apply("NonZero", x)
