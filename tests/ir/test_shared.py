"""Where the value of a Shared is: whoever asks gets the newest, from whatever device has it, and fetches it once."""

import copy
import pickle
import threading

import numpy as np
import pytest

import symcnn as sc
from symcnn.nn import Dense, Sequential


class Elsewhere:
    """Memory of a device, as far as a Shared sees it: runs double the value there, and only reading it copies it back."""

    def __init__(self, shared):
        self.shared, self.seen, self.uploads, self.downloads = shared, None, 0, 0
        self.memory = np.full(shared.shape, np.nan, shared.dtype)

    def run(self):
        if self.seen != self.shared.changes:
            self.memory = self.shared.storage.copy()
            self.uploads += 1
        self.memory = self.memory * 2
        self.shared.is_elsewhere(self.bring)
        self.seen = self.shared.changes

    def bring(self, array):
        self.downloads += 1
        array[...] = self.memory


@pytest.fixture
def w():
    return sc.shared(np.array([1.0, 2.0], "float32"), "w")


def doubled(w, device):
    """A function that also doubles the value, and returns the old one."""
    return sc.function([], w, updates={w: w * 2}, device=device)


def test_a_value_is_fetched_once_and_only_when_it_is_read(w):
    there = Elsewhere(w)
    there.run()
    there.run()
    assert (there.uploads, there.downloads) == (1, 0)
    assert w.get_value().tolist() == w.get_value().tolist() == [4, 8]
    there.run()
    assert w.storage.tolist() == [8, 16]
    assert (there.uploads, there.downloads) == (1, 2)


def test_its_memory_here_never_moves(w):
    before, there = w.storage, Elsewhere(w)
    there.run()
    assert w.storage is before


def test_a_value_that_is_set_is_newer_than_one_elsewhere_and_fetches_nothing(w):
    there = Elsewhere(w)
    there.run()
    w.set_value([5, 6])
    assert w.get_value().tolist() == [5, 6]
    there.run()
    assert w.get_value().tolist() == [10, 12]
    assert (there.uploads, there.downloads) == (2, 1)


def test_a_value_that_is_refused_changes_nothing(w):
    there = Elsewhere(w)
    there.run()
    with pytest.raises(sc.ShapeError):
        w.set_value([1, 2, 3])
    assert w.get_value().tolist() == [2, 4]


def test_several_devices_take_turns(w):
    one, other = Elsewhere(w), Elsewhere(w)
    one.run()
    other.run()
    other.run()
    one.run()
    assert w.get_value().tolist() == [16, 32]
    assert (one.uploads, one.downloads, other.uploads, other.downloads) == (2, 2, 1, 1)


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_backends_of_this_memory_take_turns_with_devices(w, device):
    f, there = doubled(w, device), Elsewhere(w)
    there.run()
    assert f().tolist() == [2, 4]
    assert f().tolist() == [4, 8]
    there.run()
    there.run()
    assert f().tolist() == [32, 64]
    assert w.get_value().tolist() == [64, 128]
    assert (there.uploads, there.downloads) == (2, 2)


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_an_update_that_reads_no_old_value_is_not_undone_by_it(w, device):
    f, there = sc.function([], [], updates={w: sc.constant([7.0, 8.0], "float32")}, device=device), Elsewhere(w)
    there.run()
    f()
    assert w.get_value().tolist() == [7, 8]


def test_weights_that_were_packed_are_packed_again():
    w = sc.shared(np.ones((8, 4, 3, 3), "float32"), "w")
    x = sc.input("x", (None, 4, 6, 6))
    f = sc.function([x], sc.sum(sc.conv2d(x, w)))
    X, there = np.ones((1, 4, 6, 6)), Elsewhere(w)
    before = f(X)
    there.run()
    assert f(X) == 2 * before


def test_what_cannot_be_fetched_is_an_error_until_it_can_be_and_never_an_old_value(w):
    there, failing = Elsewhere(w), [True]

    def bring(array):
        if failing:
            array[...] = -1  # as far as it came
            raise RuntimeError("the device is gone")
        there.bring(array)

    f = doubled(w, "cpu")
    there.run()
    w.is_elsewhere(bring)
    for read in (w.get_value, lambda: w.storage, f):
        with pytest.raises(RuntimeError, match="gone"):
            read()
    failing.clear()
    assert w.get_value().tolist() == [2, 4]
    failing.append(True)
    w.is_elsewhere(bring)
    w.set_value([5, 6])
    assert f().tolist() == [5, 6]


def test_networks_are_copied_saved_and_loaded_with_what_is_elsewhere(tmp_path):
    model = Sequential(Dense(2, 3))
    weight = model.parameters()["0.weight"]
    expected, there = 2 * weight.get_value(), Elsewhere(weight)
    there.run()
    twin = sc.nn.twin(model)
    np.testing.assert_array_equal(twin.parameters()["0.weight"].get_value(), expected)
    there.run()
    model.save(tmp_path / "weights.npz")
    there.run()
    model.load(tmp_path / "weights.npz")
    np.testing.assert_array_equal(weight.get_value(), 2 * expected)
    there.run()
    np.testing.assert_array_equal(weight.get_value(), 4 * expected)


def test_a_shared_is_neither_copied_nor_pickled(w):
    Elsewhere(w).run()
    for make in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(sc.DTypeError, match="cannot be pickled or copied"):
            make(w)


def test_threads_that_read_at_once_fetch_once(w):
    there, begun = Elsewhere(w), threading.Barrier(4)
    there.run()
    found = []

    def read():
        begun.wait()
        found.append(w.get_value().tolist())

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[2, 4]] * 4
    assert there.downloads == 1


def test_a_run_while_a_value_comes_home_is_not_forgotten(w):
    there = Elsewhere(w)

    def bring(array):
        there.bring(array)
        there.run()  # as another thread may do just now

    there.run()
    w.is_elsewhere(bring)
    there.seen = w.changes
    w.get_value()
    assert w.get_value().tolist() == [4, 8]
