"""Arrays that are read when they are indexed behave like the arrays that they stand for, and read no more than asked."""

import numpy as np
import pytest

from symcnn.data import Dataset
from symcnn.data.lazy import Chained, LazyArray, Mapped, Rows, as_array_like, in_memory
from symcnn.errors import InputError, ShapeError

N = 20


class Counted(LazyArray):
    """Row i holds i, and every read is written down."""

    def __init__(self, n=N):
        self.shape, self.dtype, self.reads = (n, 1, 2, 2), np.dtype("float32"), []

    def read(self, rows):
        self.reads.append(rows.tolist())
        return np.broadcast_to(rows.astype("float32").reshape(-1, 1, 1, 1), (len(rows), 1, 2, 2))


class LikeH5py:
    """What h5py allows: a slice, or increasing row numbers without repetition."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def __len__(self):
        return len(self.values)

    def __getitem__(self, key):
        assert isinstance(key, slice) or (np.diff(key) > 0).all()
        return self.values[key]


def dense(n=N):
    return Counted(n)[:]


@pytest.fixture
def memmap(tmp_path):
    np.save(tmp_path / "images.npy", dense())
    return np.load(tmp_path / "images.npy", mmap_mode="r")


def kinds(memmap):
    return {
        "own": Counted(),
        "memmap": memmap,
        "h5py": LikeH5py(dense()),
        "rows": Rows(Counted(30), np.arange(N)),
        "mapped": Mapped(Counted(), lambda x: x),
        "chained": Chained([Counted(3), Rows(Counted(30), np.arange(3, N))]),
    }


KINDS = ["own", "memmap", "h5py", "rows", "mapped", "chained"]
KEYS = [
    3,
    -1,
    slice(2, 9, 3),
    slice(None),
    [4, 4, 1],
    [],
    np.arange(N) % 3 == 0,
    (slice(3), 0),
    (2, 0, 1),
    ([5, 3], ..., 1),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("kind", ["own", "rows", "mapped", "chained"])
def test_indexed_like_an_array(kind, key, memmap):
    found, expected = kinds(memmap)[kind][key], dense()[key]
    np.testing.assert_array_equal(found, expected)
    assert np.shape(found) == expected.shape and found.dtype == expected.dtype


def test_as_a_whole():
    np.testing.assert_array_equal(np.asarray(Counted()), dense())
    assert [row[0, 0, 0] for row in Counted(3)] == [0, 1, 2]
    assert repr(Counted()) == "Counted(float32[20, 1, 2, 2])" and Counted().ndim == 4
    assert "Mapped" not in repr(Counted())


@pytest.mark.parametrize("key", [20, -21, [0, 99]])
def test_rows_that_do_not_exist(key):
    with pytest.raises(IndexError, match="of 20"):
        Counted()[key]


@pytest.mark.parametrize("key", ["a", 1.5, [[1, 2]], [True, False]])
def test_what_is_no_index(key):
    with pytest.raises(InputError, match="mask or a slice"):
        Counted()[key]


@pytest.mark.parametrize("kind", KINDS)
class TestDataset:
    """A data set does with them what it does with arrays."""

    @pytest.fixture
    def pair(self, kind, memmap):
        labels = np.arange(N) % 3
        return Dataset(kinds(memmap)[kind], labels), Dataset(dense(), labels)

    @pytest.mark.parametrize("shuffle", [False, True])
    @pytest.mark.parametrize("size", [3, 7, 50])
    def test_batches(self, pair, size, shuffle):
        lazy, eager = (data.batches(size, shuffle=shuffle, seed=(1, 2)) for data in pair)
        for found, expected in zip(lazy, eager, strict=True):
            for a, b in zip(found, expected, strict=True):
                assert isinstance(a, np.ndarray)
                np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d.take([5, 5, 2, 19]),
            lambda d: d.take(d.labels == 1).take(slice(1, None, 2)),
            lambda d: d.split(0.4)[1],
            lambda d: d.map(lambda x: (x * 255).astype("int16")).map(lambda x: x[:, :, :1]),
            lambda d: d.augment(lambda x, t, rng: (x + rng.random((len(x), 1, 1, 1)), t)).map(np.float32),
            lambda d: d.balanced(9),
            lambda d: d.concat(d.take([1, 3])),
            lambda d: d.concat(d).map(np.float64).take(slice(15, 25)),
        ],
        ids=["take", "mask", "split", "map", "augment", "balanced", "concat", "all"],
    )
    def test_changed(self, pair, change):
        lazy, eager = map(change, pair)
        assert repr(lazy) == repr(eager) and lazy.images.shape == eager.images.shape
        assert not in_memory(lazy.images)
        for found, expected in zip(lazy.batches(4, shuffle=True), eager.batches(4, shuffle=True), strict=True):
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_array_equal(a, b)
                assert a.dtype == b.dtype


def test_only_what_a_batch_needs_is_read():
    source = Counted()
    data = (
        Dataset(source, np.arange(N))
        .take(slice(0, N, 2))
        .split(0.5, stratified=False)[0]
        .concat(Dataset(source, np.arange(N)))
    )
    assert source.reads == []
    next(data.batches(3))
    assert len(source.reads) == 1 and len(source.reads[0]) == 3
    source.reads.clear()
    next(data.batches(3, start=2))
    assert sum(map(len, source.reads)) == 3


def test_rows_that_a_batch_repeats_are_fetched_once():
    source = LikeH5py(dense())
    pairs = Dataset(source, np.zeros(N, int)).take([7, 7, 1, 7])
    np.testing.assert_array_equal(next(pairs.batches(4))[0][:, 0, 0, 0], [7, 7, 1, 7])


def test_a_function_that_mixes_rows_up():
    with pytest.raises(ShapeError, match="one result for each"):
        Mapped(Counted(), lambda x: x.reshape(-1, 2))[0:4]


def test_labels_may_be_lazy_too():
    pairs = Dataset(Counted(), Counted())
    for images, maps in pairs.map(lambda x: x + 1).batches(6, shuffle=True):
        np.testing.assert_array_equal(images, maps + 1)


def test_what_is_not_indexed_by_rows_becomes_an_array():
    class Table:  # as pandas: [] takes labels, iloc takes rows
        shape, dtype, iloc = (2,), np.dtype("int64"), None

        def __len__(self):
            return 2

        def __getitem__(self, key):
            raise KeyError(key)

        def __array__(self, dtype=None, copy=None):
            return np.array([4, 5])

    assert type(as_array_like(Table())) is np.ndarray
    assert as_array_like([1, 2]).tolist() == [1, 2]
