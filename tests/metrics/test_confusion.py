"""The confusion matrix counts pairs, at once and batch by batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symcnn import metrics
from symcnn.errors import InputError, ShapeError

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=50)


def counted(pairs, ignored=None):
    expected = np.zeros((5, 5), int)
    for p, t in pairs:
        if t != ignored:
            expected[t, p] += 1
    return expected


@given(PAIRS, st.sampled_from([None, 2]))
def test_it_counts_pairs(pairs, ignored):
    found, truth = (np.array([p[i] for p in pairs], int) for i in (0, 1))
    np.testing.assert_array_equal(metrics.confusion_matrix(found, truth, 5, ignored), counted(pairs, ignored))


@given(PAIRS, st.integers(1, 7))
def test_it_adds_up_over_batches(pairs, size):
    confusion = metrics.ConfusionMatrix(5, ignore_index=9)
    for start in range(0, len(pairs), size):
        found, truth = np.array(pairs[start : start + size]).T
        scores = np.eye(5, dtype="float32")[found][:, :, None]
        confusion.update(np.concatenate([scores, scores], axis=2), np.stack([truth, np.full(len(truth), 9)], axis=1))
    np.testing.assert_array_equal(confusion.counts, counted(pairs))
    np.testing.assert_array_equal(np.asarray(confusion), counted(pairs))
    assert f"{len(pairs)} examples" in repr(confusion)


def test_the_number_of_classes_may_be_left_open():
    assert metrics.confusion_matrix([0, 2], [1, 0]).shape == (3, 3)
    assert metrics.confusion_matrix(np.zeros(0, int), np.zeros(0, int)).shape == (0, 0)
    np.testing.assert_array_equal(metrics.confusion_matrix([1, 7], [1, 255], ignore_index=255), [[0, 0], [0, 1]])


def test_small_integers_do_not_overflow():
    found, truth = np.full(3, 20, "uint8"), np.full(3, 200, "uint8")
    assert metrics.confusion_matrix(found, truth, 201)[200, 20] == 3


@pytest.mark.parametrize(("found", "truth"), [([0, 3], [0, 1]), ([0, 1], [0, 3]), ([-1, 0], [0, 0])])
def test_a_class_that_does_not_exist(found, truth):
    with pytest.raises(InputError, match="is no class"):
        metrics.confusion_matrix(found, truth, 3)


@pytest.mark.parametrize("classes", ["3", 2.5, True, -1, ("cat", "dog")])
def test_what_is_no_number_of_classes(classes):
    with pytest.raises(InputError, match="how many there are"):
        metrics.confusion_matrix([0], [0], classes)


def test_names_of_classes():
    assert metrics.ConfusionMatrix(("cat", "dog")).names == ("cat", "dog")
    assert metrics.ConfusionMatrix(2).names == ("0", "1")
    for wrong in (0, (), "cat", True, 2.5, None):
        with pytest.raises(InputError, match="at least one"):
            metrics.ConfusionMatrix(wrong)


def test_shapes():
    with pytest.raises(ShapeError):
        metrics.ConfusionMatrix(3).update([1, 2], [1, 2, 3])
