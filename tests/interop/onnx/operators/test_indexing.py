"""Reading and writing at positions, against NumPy."""

import numpy as np
import pytest

from symcnn.errors import InputError

pytest.importorskip("onnx")
from tests.interop.onnx.graphs import apply

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4, 5)).astype("float32")


@pytest.mark.parametrize(
    ("starts", "ends", "axes", "steps", "key"),
    [
        ([1], [3], [1], [1], np.s_[:, 1:3]),
        ([0, -2], [2, 2**31 - 1], [0, 2], [1, 1], np.s_[:2, :, -2:]),
        ([-1], [-(2**63) + 1], [2], [-2], np.s_[:, :, ::-2]),
        ([10, 3], [-10, 0], [0, 1], [-1, -1], np.s_[::-1, 3:0:-1]),
    ],
)
def test_slices_by_inputs_and_by_attributes(starts, ends, axes, steps, key):
    given = [np.array(v, "int64") for v in (starts, ends, axes, steps)]
    np.testing.assert_array_equal(apply("Slice", X, *given), X[key])
    np.testing.assert_array_equal(apply("Slice", X, *given, known=(1, 2, 3, 4)), X[key])
    if set(steps) == {1}:
        np.testing.assert_array_equal(apply("Slice", X, opset=6, starts=starts, ends=ends, axes=axes), X[key])


def test_slices_that_are_none():
    with pytest.raises(InputError, match="not of one length"):
        apply("Slice", X, opset=6, starts=[0, 1], ends=[2])
    with pytest.raises(InputError, match="step cannot be 0"):
        apply("Slice", X, np.array([0]), np.array([2]), np.array([0]), np.array([0]))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gathers(axis):
    indices = RNG.integers(-3, 3, (2, 3))
    np.testing.assert_array_equal(apply("Gather", X, indices, axis=axis), np.take(X, indices, axis))
    along = RNG.integers(-3, 3, (3, 4, 5))
    np.testing.assert_array_equal(apply("GatherElements", X, along, axis=axis), np.take_along_axis(X, along, axis))


def test_elements_gathered_at_fewer_positions_than_there_are():
    indices = np.array([[[1, 0]], [[2, -1]]])
    expected = np.array([[[X[1, 0, 0], X[0, 0, 1]]], [[X[2, 0, 0], X[-1, 0, 1]]]])
    np.testing.assert_array_equal(apply("GatherElements", X, indices, axis=0), expected)


@pytest.mark.parametrize(
    ("indices", "batch"), [((2, 2), 0), ((2, 4, 1), 0), ((3, 2), 1), ((3, 1, 1), 1), ((3, 4, 1), 2), ((2, 3), 0)]
)
def test_gathers_of_parts(indices, batch):
    places = RNG.integers(-3, 3, indices)
    found = apply("GatherND", X, places, batch_dims=batch)
    rows = np.ndindex(*indices[:-1])
    expected = np.array([X[(*row[:batch], *places[row])] for row in rows])
    np.testing.assert_array_equal(found, expected.reshape(found.shape))
    assert found.shape == (*indices[:-1], *X.shape[batch + indices[-1] :])


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
@pytest.mark.parametrize("axis", [0, 1])
def test_scattered_elements(reduction, axis):
    x, indices, updates = X[:, :, 0], RNG.integers(-3, 3, (2, 4)), RNG.normal(size=(2, 4)).astype("float32")
    expected = x.copy()
    for i, j in np.ndindex(2, 4):
        place = (indices[i, j], j) if axis == 0 else (i, indices[i, j])
        expected[place] = COMBINE[reduction](expected[place], updates[i, j])
    for known in ((), (1,)):
        found = apply("ScatterElements", x, indices, updates, known=known, axis=axis, reduction=reduction, opset=18)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
def test_scattered_parts(reduction):
    indices = np.array([[0, 1], [-1, 3], [0, 1]])  # the first twice
    updates = RNG.normal(size=(3, 5)).astype("float32")
    expected = X.copy()
    for place, update in zip(indices, updates, strict=True):
        expected[tuple(place)] = COMBINE[reduction](expected[tuple(place)], update)
    for known in ((), (1,)):
        found = apply("ScatterND", X, indices, updates, known=known, reduction=reduction, opset=18)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


COMBINE = {"none": lambda old, new: new, "add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def test_nothing_scattered():
    nothing = np.zeros((0, 2), "int64"), np.zeros((0, 5), "float32")
    np.testing.assert_array_equal(apply("ScatterND", X, *nothing), X)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", ["int64", "float32", "int8"])
def test_one_hot_of_what_is_no_label_is_off(axis, dtype):
    labels = np.array([[0, 2], [-1, 5]], dtype)
    expected = np.full((2, 2, 3), 7, "float32")
    for i, j, k in ((0, 0, 0), (0, 1, 2), (1, 0, 2)):
        expected[i, j, k] = 9
    found = apply("OneHot", labels, np.array(3), np.array([7, 9], "float32"), axis=axis)
    np.testing.assert_array_equal(found, np.moveaxis(expected, -1, axis))


def test_what_a_known_condition_chooses():
    condition = np.array([True, False, True])
    np.testing.assert_array_equal(apply("Compress", X, condition, axis=0), X[condition])
    np.testing.assert_array_equal(apply("Compress", X, condition), X.ravel()[:3][condition])
    np.testing.assert_array_equal(apply("NonZero", X > 0), np.nonzero(X > 0))


@pytest.mark.parametrize(("batch", "time"), [(0, 1), (1, 0)])
def test_reversed_sequences(batch, time):
    lengths = np.array([1, 3, 2, 3])[: X.shape[batch]]
    expected = X.copy()
    for example, n in enumerate(lengths):
        key = (example, slice(0, n)) if batch == 0 else (slice(0, n), example)
        expected[key] = X[key][::-1]
    found = apply("ReverseSequence", X, lengths, batch_axis=batch, time_axis=time)
    np.testing.assert_array_equal(found, expected)
