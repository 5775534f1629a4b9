"""Values of Shareds between host and device: the newest is where it was last changed, and moves only when it is needed."""

import gc
import threading
import weakref
from contextlib import suppress

import numpy as np
import pytest

import symcnn as sc
from tests.backends.cuda.devices import Spy, backend_of, made

ONES = np.ones((2, 3), "float32")


@pytest.fixture
def device():
    return made(Spy())


def spy_of(device):
    return backend_of(device).device


def adding(s, amount, device):
    return sc.function([], [], updates={s: s + amount}, device=device)


def test_devices_take_turns(device):
    """Host and two devices update one Shared; each sees what the others did, and moves it only then."""
    s, other = sc.shared(ONES, "s"), made(Spy())
    steps = [adding(s, 1, device), adding(s, 10, "cpu"), adding(s, 100, other), adding(s, 1000, "reference")]
    spies = [spy_of(device), None, spy_of(other), None]
    expected = 1
    for k in (0, 1, 2, 3, 0, 0, 2, 2, 0, 1, 1, 0, 3, 3, 2, 0):
        steps[k]()
        expected += 10**k
    np.testing.assert_array_equal(s.get_value(), ONES * expected)
    spies[0].since()
    steps[0]()
    assert "upload" not in spies[0].since()
    steps[1]()
    assert spies[0].since() == {"download": 1}
    steps[1]()
    steps[1]()
    assert spies[0].since() == {}
    steps[0]()
    assert spies[0].since() == {"upload": 1, "launch": 1}


def test_functions_of_one_device_share_its_memory(device):
    s = sc.shared(ONES, "s")
    f, g = adding(s, 1, device), sc.function([], sc.sum(s), device=device)
    f()
    spy = spy_of(device)
    spy.since()
    for k in range(2, 5):
        assert g() == 6 * k
        f()
    assert "upload" not in spy.since()


def test_a_value_that_was_set_is_brought_once(device):
    s, t = sc.shared(ONES, "s"), sc.shared(ONES, "t")
    f = sc.function([], [s + t], updates={s: s + 1}, device=device)
    spy = spy_of(device)
    f()
    spy.since()
    for value in (5, 7):
        s.set_value(ONES * value)
        np.testing.assert_array_equal(f()[0], ONES * (value + 1))
        assert spy.since()["upload"] == 1
        np.testing.assert_array_equal(s.get_value(), ONES * (value + 1))
        spy.since()
    s.set_value(ONES * 3)
    np.testing.assert_array_equal(s.get_value(), ONES * 3)
    assert spy.since() == {}, "a value that was replaced is not fetched"


def test_a_value_that_only_the_device_writes_is_not_sent_back(device):
    s = sc.shared(ONES, "s")
    f = adding(s, 1, device)
    f()
    spy = spy_of(device)
    for k in range(3):
        assert s.get_value()[0, 0] == k + 2
        spy.since()
        f()
        assert "upload" not in spy.since()


def test_a_download_that_fails_is_tried_again(device):
    s = sc.shared(ONES, "s")
    spy, f = spy_of(device), adding(s, 1, device)
    f()
    download = spy.download

    def broken(*args):
        spy.download = download
        raise sc.errors.BackendError("the cable came off")

    spy.download = broken
    with pytest.raises(sc.errors.BackendError):
        s.get_value()
    np.testing.assert_array_equal(s.get_value(), ONES * 2)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (0, 2)])
def test_every_dtype_and_shape(device, dtype, shape):
    value = np.ones(shape, dtype)
    s = sc.shared(value, "s")
    new = ~s if dtype == "bool" else s + s
    f = sc.function([], s, updates={s: new}, device=device)
    for _ in range(2):
        found = f()
        assert (found.dtype, found.shape) == (value.dtype, shape)
        np.testing.assert_array_equal(found, value)
        value = ~value if dtype == "bool" else value + value
        np.testing.assert_array_equal(s.get_value(), value)


def test_memory_goes_with_the_shared(device):
    residents = backend_of(device).residents
    s = sc.shared(ONES, "s")
    f = adding(s, 1, device)
    f()
    memory = weakref.ref(residents.shared(s))
    del f
    gc.collect()
    assert memory() is residents.shared(s), "the newest value is there"
    assert s.get_value()[0, 0] == 2
    del s
    gc.collect()
    assert memory() is None


def test_another_shared_of_the_same_identity_is_another(device):
    """Identities are given again to whoever comes next."""
    for k in range(20):
        s = sc.shared(ONES * k, "s")
        f = adding(s, 1, device)
        f()
        np.testing.assert_array_equal(s.get_value(), ONES * (k + 1))
        del f, s


def test_values_set_by_other_threads_are_not_lost(device):
    """What another thread sets is there at the end, or was the start of an update."""
    s = sc.shared(np.zeros(1, "float32"), "s")
    f = adding(s, 1, device)
    for k in range(20):
        setter = threading.Thread(target=s.set_value, args=(np.full(1, 100 * k, "float32"),))
        setter.start()
        f()
        setter.join()
        f()
        assert s.get_value()[0] in (100 * k + 1, 100 * k + 2), k


def test_functions_that_threads_build_at_once_share_a_value(monkeypatch):
    """None has memory of its own for it, in which updates would be lost."""
    spy, waiting = Spy(), threading.Barrier(2)
    s, device, built = sc.shared(ONES, "s"), made(spy), []
    allocate = spy.allocate

    def allocating_slowly(nbytes):
        if nbytes == ONES.nbytes:
            with suppress(threading.BrokenBarrierError):
                waiting.wait(0.1)  # for the other thread, if it comes
        return allocate(nbytes)

    monkeypatch.setattr(spy, "allocate", allocating_slowly)
    threads = [threading.Thread(target=lambda: built.append(adding(s, 1, device))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for f in built:
        f()
    np.testing.assert_array_equal(s.get_value(), ONES + 2)
