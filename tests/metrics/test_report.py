"""The table by class: its numbers are those of the metrics, its columns stand under each other."""

import numpy as np
import pytest

from symcnn import metrics
from symcnn.errors import InputError

CONFUSION = np.array([[8, 2, 0, 0], [4, 6, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])


def test_numbers():
    lines = metrics.classification_report(CONFUSION, names=["T-shirt/top", "b", "c", "d"]).splitlines()
    assert len({len(line) for line in lines}) == 1
    rows = {line.split()[0]: line.split()[1:] for line in lines}
    assert rows["precision"] == ["recall", "F1", "support"]
    assert rows["T-shirt/top"] == ["0.667", "0.800", "0.727", "10"]
    assert rows["c"] == ["-", "0.000", "0.000", "1"]
    assert rows["d"] == ["-", "-", "-", "0"]
    assert rows["accuracy"] == [f"{14 / 21:.3f}", "21"]
    for average in ("macro", "weighted"):
        shares = [rate(CONFUSION, average) for rate in (metrics.precision, metrics.recall, metrics.f1)]
        assert rows[average][1:] == [*(f"{s:.3f}" for s in shares), "21"]


def test_names_come_from_the_matrix():
    confusion = metrics.ConfusionMatrix(("cat", "dog"))
    confusion.update([0, 1, 1], [0, 1, 0])
    assert "dog" in metrics.classification_report(confusion)
    assert "1 " in metrics.classification_report(confusion.counts)


def test_no_examples():
    assert metrics.classification_report(np.zeros((2, 2), int)).count("-") == 13


def test_one_name_per_class():
    with pytest.raises(InputError, match="one name per class"):
        metrics.classification_report(CONFUSION, names=("cat", "dog"))
