"""Data sets: pairs, stratified splits, batches."""

import numpy as np
import pytest

from symcnn.data import Dataset, as_dataset
from symcnn.errors import DTypeError, InputError, ShapeError


@pytest.fixture
def numbered():
    """Example i holds the number i; classes of 10, 20 and 30 examples."""
    return Dataset(np.arange(60.0)[:, None], np.repeat([0, 1, 2], [10, 20, 30]), ("a", "b", "c"))


def test_unpacks_like_a_pair(numbered):
    images, labels = numbered
    assert images is numbered.images and labels is numbered.labels
    assert as_dataset(numbered) is numbered
    assert len(as_dataset((images, labels))) == 60


def test_needs_as_many_labels_as_images():
    with pytest.raises(ShapeError, match="one label per image"):
        Dataset(np.zeros((3, 2)), np.zeros(4))
    with pytest.raises(InputError, match="pair"):
        as_dataset(np.zeros(3))


def test_split_is_stratified_disjoint_and_complete(numbered):
    rest, part = numbered.split(0.2, seed=3)
    assert part.class_counts().tolist() == [2, 4, 6]
    assert rest.class_counts().tolist() == [8, 16, 24]
    assert sorted([*rest.images[:, 0], *part.images[:, 0]]) == list(range(60))
    assert part.classes == ("a", "b", "c")


def test_split_follows_its_seed(numbered):
    first, again, other = (numbered.split(0.5, seed=s)[1].images for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 5])
def test_split_fraction(numbered, fraction):
    with pytest.raises(InputError, match="between 0 and 1"):
        numbered.split(fraction)


def test_split_needs_class_labels():
    with pytest.raises(DTypeError, match="class labels"):
        Dataset(np.zeros((4, 2)), np.zeros((4, 2))).split(0.5)


@pytest.mark.parametrize("size", [1, 7, 60, 100])
def test_batches_hold_each_example_once(numbered, size):
    for shuffle in (False, True):
        batches = list(numbered.batches(size, shuffle=shuffle, seed=1))
        assert all(len(x) == len(y) <= size for x, y in batches)
        assert sorted(np.concatenate([x for x, _ in batches])[:, 0]) == list(range(60))


def test_batches_keep_labels_with_their_images(numbered):
    for images, labels in numbered.batches(7, shuffle=True):
        np.testing.assert_array_equal(labels, numbered.labels[images[:, 0].astype(int)])


def test_every_epoch_has_its_own_reproducible_order(numbered):
    def order(*seed):
        return np.concatenate([x for x, _ in numbered.batches(8, shuffle=True, seed=seed)])[:, 0].tolist()

    assert order(0, 1) == order(0, 1) != order(0, 2)


def test_batch_size(numbered):
    with pytest.raises(InputError, match="at least 1"):
        list(numbered.batches(0))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("start", [0, 1, 4, 8, 9, 50])
def test_start_continues_the_same_order(numbered, shuffle, start):
    def epoch(**more):
        return [x[:, 0].tolist() for x, _ in numbered.batches(7, shuffle=shuffle, seed=(4, 2), **more)]

    assert epoch(start=start) == epoch()[start:]
    assert epoch(start=start, drop_last=True) == epoch()[:8][start:]  # 60 = 8 x 7 + 4


def test_start_is_a_batch(numbered):
    with pytest.raises(InputError, match="number 0"):
        numbered.batches(7, start=-1)


def test_map_and_take(numbered):
    assert numbered.map(lambda x: x * 2).images[3, 0] == 6
    assert numbered.take(numbered.labels == 0).class_counts().tolist() == [10, 0, 0]
