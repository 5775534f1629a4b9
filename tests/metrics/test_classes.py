"""Accuracy and top-k accuracy against loops, and against counts made by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from symcnn import metrics
from symcnn.errors import DTypeError, InputError, ShapeError


def test_accuracy_of_classes_and_of_scores():
    assert metrics.accuracy([1, 2, 0], [1, 0, 0]) == pytest.approx(2 / 3)
    assert metrics.accuracy(np.eye(3)[[1, 2, 0]], [1, 0, 0]) == pytest.approx(2 / 3)
    assert metrics.accuracy(np.zeros((2, 3, 4, 4)), np.zeros((2, 4, 4), int)) == 1.0
    assert np.isnan(metrics.accuracy(np.zeros((0, 3)), np.zeros(0, int)))


def test_ignored_labels():
    assert metrics.accuracy([1, 2, 0, 1], [1, 0, 255, 255], ignore_index=255) == 0.5
    assert metrics.top_k_accuracy(np.eye(3)[[1, 2, 0]], [1, 0, 255], k=1, ignore_index=255) == 0.5
    assert np.isnan(metrics.accuracy([1], [9], ignore_index=9))
    assert np.isnan(metrics.top_k_accuracy([[1.0]], [9], ignore_index=9))


def is_among_the_best(scores, label, k):
    """By taking the largest one after the other, the first of equals."""
    scores = list(scores)
    for _ in range(min(k, len(scores))):
        best = next((i for i, s in enumerate(scores) if s is not None and np.isnan(s)), None)
        if best is None:
            best = max((i for i, s in enumerate(scores) if s is not None), key=lambda i: (scores[i], -i))
        if best == label:
            return True
        scores[best] = None
    return False


@given(
    arrays.arrays("float64", (5, 4), elements=st.sampled_from([-1.0, 0, 0.5, 2, np.inf, -np.inf])),
    arrays.arrays("int64", (5,), elements=st.integers(0, 3)),
    st.integers(1, 6),
)
def test_top_k_takes_the_largest_one_after_the_other(scores, labels, k):
    expected = np.mean([is_among_the_best(row, label, k) for row, label in zip(scores, labels, strict=True)])
    assert metrics.top_k_accuracy(scores, labels, k) == expected


def test_top_1_is_the_accuracy_of_pixels_too():
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 3, (2, 4, 3, 5)).astype("float32"), rng.integers(0, 4, (2, 3, 5))
    assert metrics.top_k_accuracy(scores, labels, k=1) == metrics.accuracy(scores, labels)
    assert metrics.top_k_accuracy(scores, labels, k=4) == 1


def test_nan_is_never_right_by_itself():
    assert metrics.top_k_accuracy([[np.nan, 1.0, 2.0]], [0], k=1) == 0
    assert metrics.top_k_accuracy([[np.nan, 1.0, 2.0]], [2], k=1) == 0


def test_shapes_and_dtypes():
    with pytest.raises(ShapeError, match="differ"):
        metrics.accuracy([1, 2], [1, 2, 3])
    for scores in ([0.5, 0.2], np.zeros((2, 0))):
        with pytest.raises(ShapeError, match="class axis"):
            metrics.accuracy(scores, [1, 0])
    with pytest.raises(DTypeError, match="integer"):
        metrics.accuracy([1, 2], [1.0, 2.0])
    with pytest.raises(DTypeError, match="scores are floats"):
        metrics.top_k_accuracy([[1, 2]], [1])
    with pytest.raises(ShapeError, match="differ"):
        metrics.top_k_accuracy(np.zeros((2, 3)), [[1, 2]])
    for k in (0, 1.5, True):
        with pytest.raises(InputError, match="positive integer"):
            metrics.top_k_accuracy(np.zeros((2, 3)), [1, 2], k)
    for label in (-1, 3):
        with pytest.raises(InputError, match="no class") as error:
            metrics.top_k_accuracy(np.zeros((2, 3)), [1, label])
        assert "ignore_index" in error.value.hint


def test_a_single_score_is_no_choice():
    with pytest.raises(ShapeError, match="one score") as error:
        metrics.accuracy(np.zeros((4, 1)), [0, 1, 1, 0])
    assert "> 0" in error.value.hint
