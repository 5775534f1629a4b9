"""Precision, recall, F1 and intersection over union against loops over single examples, and averages by definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symcnn import metrics
from symcnn.errors import InputError, ShapeError

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)
nan = float("nan")


def divide(a, b):
    return a / b if b else nan


def by_hand(pairs, classes=5):
    """Per class: precision, recall, F1, IoU, how often it occurs and how often it is predicted."""
    rows = []
    for c in range(classes):
        both = sum(p == c == t for p, t in pairs)
        predicted, true = sum(p == c for p, _ in pairs), sum(t == c for _, t in pairs)
        either = sum(c in (p, t) for p, t in pairs)
        share, found = divide(both, predicted), divide(both, true)
        if not predicted and not true:
            harmonic = nan
        else:
            harmonic = 2 / (1 / share + 1 / found) if both else 0.0
        rows.append((share, found, harmonic, divide(both, either), true, predicted))
    return [np.array(column, float) for column in zip(*rows, strict=True)]


@given(PAIRS)
def test_per_class_and_averaged(pairs):
    found, truth = np.array(pairs).T
    confusion = metrics.confusion_matrix(found, truth, 5)
    *shares, ious, true, predicted = by_hand(pairs)
    there = true + predicted > 0
    for rate, expected in zip((metrics.precision, metrics.recall, metrics.f1), shares, strict=True):
        np.testing.assert_allclose(rate(confusion), expected, rtol=1e-12)
        counted = np.where(np.isnan(expected), 0, expected)
        np.testing.assert_allclose(rate(confusion, average="macro"), counted[there].mean(), rtol=1e-12)
        np.testing.assert_allclose(rate(confusion, average="weighted"), (counted * true).sum() / true.sum(), rtol=1e-12)
        np.testing.assert_allclose(rate(confusion, average="micro"), (found == truth).mean(), rtol=1e-12)
    np.testing.assert_allclose(metrics.iou(confusion), ious, rtol=1e-12)
    np.testing.assert_allclose(metrics.mean_iou(confusion), np.nanmean(ious), rtol=1e-12)


def test_known_numbers():
    confusion = [[8, 2, 0], [4, 6, 0], [0, 0, 0]]
    np.testing.assert_allclose(metrics.precision(confusion), [8 / 12, 6 / 8, nan])
    np.testing.assert_allclose(metrics.recall(confusion), [0.8, 0.6, nan])
    np.testing.assert_allclose(metrics.f1(confusion), [16 / 22, 12 / 18, nan])
    np.testing.assert_allclose(metrics.iou(confusion), [8 / 14, 6 / 12, nan])
    assert metrics.mean_iou(confusion) == pytest.approx((8 / 14 + 6 / 12) / 2)


def test_a_class_that_is_never_predicted_has_no_precision_and_counts_as_0():
    confusion = [[0, 3], [0, 1]]
    np.testing.assert_array_equal(metrics.precision(confusion), [nan, 0.25])
    np.testing.assert_array_equal(metrics.f1(confusion), [0, 0.4])
    assert metrics.precision(confusion, "macro") == 0.125
    assert metrics.precision(confusion, "weighted") == 0.0625


def test_nothing_has_no_average():
    for average in ("macro", "micro", "weighted"):
        assert np.isnan(metrics.f1(np.zeros((2, 2), int), average))
    assert np.isnan(metrics.mean_iou(np.zeros((2, 2), int)))


@pytest.mark.parametrize("rate", [metrics.precision, metrics.recall, metrics.f1, metrics.iou, metrics.mean_iou])
def test_refusals(rate):
    with pytest.raises(ShapeError, match="square"):
        rate([1, 2, 3])
    for wrong in ([[1, -1], [0, 1]], [["a", "b"], ["c", "d"]], [[1, nan], [0, 1]]):
        with pytest.raises(InputError, match="counts"):
            rate(wrong)


def test_averages_that_do_not_exist():
    with pytest.raises(InputError, match="no average 'marco'") as error:
        metrics.recall([[1]], average="marco")
    assert "'macro'" in error.value.hint
