"""Metrics against counts made by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symcnn import metrics
from symcnn.errors import DTypeError, InputError, ShapeError


def test_accuracy_of_classes_and_of_scores():
    assert metrics.accuracy([1, 2, 0], [1, 0, 0]) == pytest.approx(2 / 3)
    assert metrics.accuracy(np.eye(3)[[1, 2, 0]], [1, 0, 0]) == pytest.approx(2 / 3)
    assert metrics.accuracy(np.zeros((2, 3, 4, 4)), np.zeros((2, 4, 4), int)) == 1.0
    assert np.isnan(metrics.accuracy(np.zeros((0, 3)), np.zeros(0, int)))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=50))
def test_confusion_matrix_counts_pairs(pairs):
    found, truth = (np.array([p[i] for p in pairs], int) for i in (0, 1))
    expected = np.zeros((5, 5), int)
    for p, t in pairs:
        expected[t, p] += 1
    np.testing.assert_array_equal(metrics.confusion_matrix(found, truth, 5), expected)


def test_precision_and_recall():
    confusion = [[8, 2, 0], [4, 6, 0], [0, 0, 0]]
    np.testing.assert_allclose(metrics.precision(confusion), [8 / 12, 6 / 8, np.nan])
    np.testing.assert_allclose(metrics.recall(confusion), [0.8, 0.6, np.nan])


@pytest.mark.parametrize(("found", "truth"), [([0, 3], [0, 1]), ([0, 1], [0, 3]), ([-1, 0], [0, 0])])
def test_a_class_that_does_not_exist(found, truth):
    with pytest.raises(InputError, match="is no class"):
        metrics.confusion_matrix(found, truth, 3)


def test_shapes_and_dtypes():
    with pytest.raises(ShapeError):
        metrics.accuracy([1, 2], [1, 2, 3])
    with pytest.raises(ShapeError, match="class axis"):
        metrics.accuracy([0.5, 0.2], [1, 0])
    with pytest.raises(DTypeError, match="integer"):
        metrics.accuracy([1, 2], [1.0, 2.0])
