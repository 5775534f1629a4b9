"""Mistakes and the confusion matrix: the right examples, in the right order, with their pictures; many classes, few cells."""

import numpy as np
import pytest

import symcnn as sc
from symcnn.viz.confusion import busiest, class_rows, confusion_svg, confusion_table
from symcnn.viz.mistakes import judged, mistake_tiles, picture, softmax, worst_mistakes

rng = np.random.default_rng(0)


def test_softmax_of_huge_logits():
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0], [0.0, 0.0]])), [[1, 0], [0.5, 0.5]])


def test_the_most_certain_mistakes_come_first():
    logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.01, 0.99], [0.6, 0.4]])
    found = worst_mistakes(rng.normal(size=(5, 1, 4, 4)), logits, np.array([1, 0, 0, 0, 1]), count=3)
    assert [(m.row, m.truth, m.answer) for m in found] == [(3, 0, 1), (0, 1, 0), (2, 0, 1)]
    assert [m.certainty for m in found] == pytest.approx([0.99, 0.9, 0.7])


class Oracle(sc.nn.Module):
    """Puts out its inputs, so that the logits are the examples themselves."""

    def forward(self, x, training):
        return x * 1


def test_over_batches_nothing_is_lost():
    """Against all examples at once: 300 of them, in batches of 128, some with a label to be ignored."""
    logits = rng.normal(size=(300, 3)).astype("float32")
    labels = rng.integers(0, 3, 300)
    labels[::10] = 255
    confusion, mistakes = judged(Oracle(), sc.data.Dataset(logits, labels), (), count=10)
    kept = labels < 3
    np.testing.assert_array_equal(confusion.counts, sc.metrics.confusion_matrix(logits[kept], labels[kept], 3))
    answers, certainty = logits.argmax(axis=1), softmax(logits).max(axis=1)
    wrong = np.flatnonzero(kept & (answers != labels))
    assert [m.row for m in mistakes] == wrong[np.argsort(-certainty[wrong])][:10].tolist()


def test_pixels_are_counted_and_no_mistakes_shown():
    maps = rng.normal(size=(2, 3, 4, 4)).astype("float32")
    labels = rng.integers(0, 3, (2, 4, 4))
    confusion, mistakes = judged(Oracle(), sc.data.Dataset(maps, labels), ("a", "b", "c"))
    assert confusion.counts.sum() == 32 and confusion.names == ("a", "b", "c") and mistakes == []


def test_pictures():
    grey, colour = rng.integers(0, 256, (1, 5, 6)).astype("uint8"), rng.integers(0, 256, (3, 5, 6)).astype("uint8")
    np.testing.assert_array_equal(picture(grey), grey[0])
    np.testing.assert_array_equal(picture(colour)[2, 1], colour[:, 2, 1])
    assert picture(rng.normal(size=7)) is None
    assert picture(np.zeros((2, 5, 5))).shape == (5, 5)  # of two channels the first
    large = picture(rng.normal(size=(3, 224, 200)))
    assert max(large.shape[:2]) <= 64 and large.dtype == np.uint8 and (large.min(), large.max()) == (0, 255)


def test_tiles_name_truth_and_answer():
    logits = np.array([[0.0, 3.0]])
    (mistake,) = worst_mistakes(np.zeros((1, 1, 2, 2)), logits, np.array([0]))
    tiles = mistake_tiles([mistake], ("cat", "dog & co"))
    assert "dog &amp; co 95%" in tiles and "is: cat" in tiles and 'alt="cat, taken for dog &amp; co"' in tiles
    assert "None" in mistake_tiles([], ("cat",))


def test_tables_hold_the_counts():
    counts, names = np.array([[7, 3], [0, 5]]), ["a<b", "c"]
    table, (svg, width, height) = confusion_table(counts, names), confusion_svg(counts, names, 0, 0)
    for drawn in (table, svg):
        assert all(f">{count}<" in drawn for count in (7, 3, 5)) and ">0<" not in drawn and "a&lt;b" in drawn
    assert width == height > 60
    assert class_rows(np.array([[7, 3], [0, 0]]), names) == [("a<b", "1.000", "0.700", "10"), ("c", "0.000", "-", "0")]


def test_of_many_classes_those_with_most_mistakes_are_shown():
    counts = np.diag(np.full(50, 9))
    counts[41, 3] = 5
    shown, names = busiest(counts, range(50))
    assert shown.shape == (20, 20) and {"3", "41"} <= set(names)
    assert shown[names.index("41"), names.index("3")] == 5
    same, all_names = busiest(counts[:4, :4], "abcd")
    assert all_names == list("abcd") and (same == counts[:4, :4]).all()
