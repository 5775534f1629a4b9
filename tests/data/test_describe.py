"""The report on a data set: its figures are NumPy's, and each mistake is noted where it is and nowhere else."""

import numpy as np
import pytest

from symcnn.data import Dataset, fashion_mnist, moments, transforms

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(40, 3, 6, 5)).astype("float32")
LABELS = RNG.permutation(np.arange(40) % 4)


def changed(**rows):
    images = IMAGES.copy()
    for row, value in rows.items():
        images[int(row[1:])] = value
    return images


@pytest.mark.parametrize("chunk", [1 << 22, 100])
def test_figures(chunk, monkeypatch):
    monkeypatch.setattr(moments, "CHUNK", chunk)
    found = Dataset(IMAGES, LABELS, ("a", "b", "c", "d")).describe()
    assert found.notes == ()
    assert found.facts["images"] == "40 x float32[3, 6, 5], 0.0 MB"
    mean, std = IMAGES.mean(axis=(0, 2, 3)), IMAGES.std(axis=(0, 2, 3))
    for name, values in (("mean", mean), ("std", std)):
        assert f"{name} {' '.join(f'{v:.3g}' for v in values)}" in found.facts["values"]
    assert found.facts["values"].startswith(f"{IMAGES.min():g} to {IMAGES.max():g},")
    assert found.facts["classes"] == "4, 10 examples each"
    assert str(found).splitlines()[0].startswith("images   40 x") and repr(found) == str(found)


@pytest.mark.parametrize(
    "images, labels, note",
    [
        (IMAGES.transpose(0, 2, 3, 1), LABELS, "channels come first"),
        (IMAGES[:, 0], LABELS, "no channel axis"),
        (IMAGES * 100, LABELS, "not normalised"),
        (IMAGES + 5, LABELS, "not normalised"),
        (changed(r3=np.nan), LABELS, "1 image holds NaN"),
        (changed(r3=IMAGES[5]), np.full(40, 2), "1 image is a copy"),
        (changed(r3=IMAGES[5]), np.arange(40), "1 with another label"),
        (changed(r7=0.5), LABELS, "1 image is blank"),
        (IMAGES, np.r_[np.ones(30, int), np.zeros(10, int)], "3 times the examples"),
        (IMAGES, np.sort(LABELS), "labels are sorted"),
        (IMAGES, LABELS - 1, "the lowest is -1"),
        (IMAGES, LABELS * 10, "labels up to 30"),
        (IMAGES, LABELS.astype(float), "astype"),
        (IMAGES, np.eye(4)[LABELS], "one-hot"),
        (IMAGES[:0], LABELS[:0], "no example"),
    ],
)
def test_mistakes_are_noted(images, labels, note):
    found = Dataset(images, labels).describe()
    assert [note in text for text in found.notes].count(True) == 1


def test_classes_without_examples():
    found = Dataset(IMAGES, LABELS, ("a", "b", "c", "d", "bird", "fish")).describe()
    assert found.notes == ("without an example: bird, fish",)
    assert "bird        0    0.0%" in str(found)


def test_many_classes_are_not_all_listed():
    found = Dataset(IMAGES, np.r_[0, np.arange(39)]).describe()
    assert "and 19 more" in found.facts["classes"] and len(str(found).splitlines()) < 30


def test_other_targets():
    for labels in (RNG.normal(size=(40, 2)), np.zeros((40, 6, 5), int), RNG.normal(size=40), np.zeros((40, 3), int)):
        assert Dataset(IMAGES, labels).describe().notes == ()


def test_a_part_is_looked_at_and_the_report_says_so():
    source = Dataset(IMAGES, LABELS).map(lambda x: x)
    found = source.describe(limit=10)
    assert "(10 images, evenly spaced, were looked at)" in found.facts["values"]
    expected = IMAGES[np.linspace(0, 39, 10).astype(int)]
    assert f"{expected.min():g} to {expected.max():g}" in found.facts["values"]


def test_what_is_stored_is_described():
    assert "stored" in Dataset(IMAGES, LABELS).augment(transforms.RandomFlip()).describe().notes[-1]


def test_fashion_mnist():
    found = fashion_mnist()[0].describe()
    assert found.facts["classes"] == "10, 600 examples each" and "0 to 255" in found.facts["values"]
    assert [note.split()[0] for note in found.notes] == ["values"]
