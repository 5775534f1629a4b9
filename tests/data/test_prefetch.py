"""Prefetching: order, errors and ends as without it, and a thread that never outlives its consumer."""

import gc
import signal
import threading
import traceback

import pytest

from symcnn.data import prefetch
from symcnn.errors import InputError

PATIENCE = 30  # seconds after which a test that waits has failed; none waits that long when all is well


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "symcnn-prefetch"]


@pytest.fixture(autouse=True)
def no_thread_left():
    assert not threads()
    yield
    assert not threads()


@pytest.mark.parametrize("depth", [1, 2, 100])
def test_same_items_in_the_same_order(depth):
    assert list(prefetch(range(50), depth)) == list(range(50))
    assert list(prefetch([], depth)) == []


def test_ended_stays_ended():
    items = prefetch([1])
    assert list(items) == [1]
    assert next(items, "nothing") == "nothing" and list(items) == []


def test_depth_is_positive():
    with pytest.raises(InputError, match="at least 1"):
        prefetch([], 0)
    with pytest.raises(InputError, match="integer"):
        prefetch([], 2.5)
    with pytest.raises(InputError, match="iterated"):
        prefetch(3)


def failing():
    yield 1
    raise KeyError("lost")


def test_an_error_comes_in_its_place_with_its_traceback():
    items = prefetch(failing())
    assert next(items) == 1
    with pytest.raises(KeyError, match="lost") as caught:
        next(items)
    assert "failing" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert list(items) == []


def test_an_error_of_closing_is_reported_too():
    def careless():
        try:
            yield 1
            yield 2
        finally:
            raise OSError("the file would not close")

    items = prefetch(careless())
    assert next(items) == next(items) - 1
    with pytest.raises(OSError, match="would not close"):
        next(items)


def test_even_exits_of_the_producer_reach_the_consumer():
    def leaving():
        raise SystemExit(3)
        yield

    with pytest.raises(SystemExit):
        next(prefetch(leaving()))


@pytest.mark.parametrize("depth", [1, 3])
def test_never_more_than_depth_ahead(depth):
    made = []

    def producer():
        for i in range(20):
            made.append(i)
            yield i

    for taken, i in enumerate(prefetch(producer(), depth)):
        assert taken == i and len(made) <= taken + 1 + depth


def test_loading_overlaps_computing():
    """Item 2 is made while the consumer is still busy with item 1: else this would wait for ever."""
    made = [threading.Event() for _ in range(3)]

    def producer():
        for event in made:
            event.set()
            yield

    with prefetch(producer(), depth=1) as items:
        for later in (*made[1:], None):
            next(items)
            if later:
                assert later.wait(PATIENCE)


class Endless:
    """Makes items until it is closed, and remembers that it was."""

    def __init__(self):
        self.closed = threading.Event()

    def __iter__(self):
        try:
            while True:
                yield 0
        finally:
            self.closed.set()


def test_close_stops_thread_and_producer():
    source = Endless()
    items = prefetch(source)
    next(items)
    items.close()
    assert source.closed.is_set() and not threads()
    items.close()
    assert next(items, "nothing") == "nothing"


def test_with_closes_on_break_and_on_errors():
    source = Endless()
    with prefetch(source) as items:
        for _ in items:
            break
    assert source.closed.is_set() and not threads()
    with pytest.raises(ZeroDivisionError), prefetch(Endless()) as items:
        1 / next(items)
    assert not threads()


def test_forgotten_ones_close_themselves():
    source = Endless()
    for _ in prefetch(source):
        break
    gc.collect()
    assert source.closed.wait(PATIENCE)
    for thread in threads():
        thread.join(PATIENCE)


def test_keyboard_interrupt_while_waiting():
    """Ctrl-C reaches the consumer while it waits for an item, and the thread ends with it."""
    enough = threading.Event()

    def producer():
        yield 1
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        enough.wait(PATIENCE)
        yield 2

    with pytest.raises(KeyboardInterrupt), prefetch(producer(), depth=1) as items:
        try:
            for _ in items:
                pass
        finally:
            enough.set()


def test_closing_wakes_a_waiting_consumer():
    waiting, found = threading.Event(), []

    def producer():
        waiting.set()
        enough.wait(PATIENCE)
        yield 1

    enough = threading.Event()
    items = prefetch(producer())
    consumer = threading.Thread(target=lambda: found.append(next(items, "nothing")))
    consumer.start()
    assert waiting.wait(PATIENCE)
    closer = threading.Thread(target=items.close)
    closer.start()
    enough.set()
    for thread in (closer, consumer):
        thread.join(PATIENCE)
    assert found in (["nothing"], [1])
