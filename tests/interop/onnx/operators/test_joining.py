"""Joining, cutting, repeating and padding in all forms."""

import numpy as np
import pytest

from symcnn.errors import InputError, ShapeError

pytest.importorskip("onnx")
from tests.interop.onnx.graphs import apply

X = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_parts(axis):
    size = X.shape[axis]
    cuts = (1, 0, size - 1)
    expected = np.split(X, np.cumsum(cuts)[:-1], axis)
    by_attribute = apply("Split", X, opset=6, count=3, axis=axis, split=cuts)
    by_input = apply("Split", X, np.array(cuts), count=3, axis=axis)
    uneven = apply("Split", X, count=2, axis=axis, num_outputs=2)
    for found in (by_attribute, by_input):
        for part, right in zip(found, expected, strict=True):
            np.testing.assert_array_equal(part, right)
    for part, right in zip(uneven, np.split(X, [-(-size // 2)], axis), strict=True):
        np.testing.assert_array_equal(part, right)


def test_parts_that_do_not_add_up():
    with pytest.raises(ShapeError, match="do not add up"):
        apply("Split", X, np.array([1, 1]), count=2, axis=0)


PADS = [1, 0, 2, 0, 2, 1]
WIDTHS = [(1, 0), (0, 2), (2, 1)]


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_padding(mode):
    expected = np.pad(X, WIDTHS, mode)
    np.testing.assert_array_equal(apply("Pad", X, opset=6, mode=mode, pads=PADS), expected)
    np.testing.assert_array_equal(apply("Pad", X, np.array(PADS), mode=mode), expected)
    some = apply("Pad", X, np.array([3, 1]), None, np.array([-1]), mode=mode)
    np.testing.assert_array_equal(some, np.pad(X, [(0, 0), (0, 0), (3, 1)], mode))


@pytest.mark.parametrize("mode", ["reflect", "wrap"])
def test_padding_wider_than_the_image(mode):
    pads = np.array([7, 9])
    np.testing.assert_array_equal(apply("Pad", X[0, 0], pads, mode=mode), np.pad(X[0, 0], (7, 9), mode))


def test_negative_padding_cuts_off():
    found = apply("Pad", X, np.array([-1, 0, 2, 0, -2, -1]), np.array(7, "float32"))
    np.testing.assert_array_equal(found, np.pad(X[1:, :-2, :-1], [(0, 0), (0, 0), (2, 0)], constant_values=7))


def test_pads_must_be_two_for_each_axis():
    with pytest.raises(InputError, match="two numbers for each axis"):
        apply("Pad", X, np.array([1, 1]))
    with pytest.raises(InputError, match="mode is not known"):
        apply("Pad", X, np.array(PADS), mode="mirror")


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (1, 1, 1), (1,)])
def test_expanding_in_both_directions(shape):
    found = apply("Expand", X, np.array(shape))
    np.testing.assert_array_equal(found, np.broadcast_to(X, np.broadcast_shapes(X.shape, shape)))


def test_tiles():
    np.testing.assert_array_equal(apply("Tile", X, np.array([2, 1, 3])), np.tile(X, (2, 1, 3)))
    np.testing.assert_array_equal(apply("Tile", X, np.array([2]), np.array([1]), opset=5), np.tile(X, (1, 2, 1)))


def test_joined():
    np.testing.assert_array_equal(apply("Concat", X, X[:, :2], axis=-2), np.concatenate([X, X[:, :2]], 1))
    with pytest.raises(ShapeError, match="do not fit together"):
        apply("Concat", X, X[:2], axis=1)
