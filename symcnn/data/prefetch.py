"""Loading while computing: a background thread makes the next batches."""

from __future__ import annotations

from collections.abc import Iterable
from queue import SimpleQueue
from threading import Thread, current_thread

from symcnn.errors import InputError


class prefetch:  # lower-case, like contextlib.closing: it is called like a function and used by `for` and `with`
    """The items of `iterable`, made by a background thread up to `depth` items ahead.

    Reading files, NumPy and compiled steps all let other threads run meanwhile, so the next batch is ready when the
    step before it ends.

    Parameters
    ----------
    iterable : iterable
        Such as ``dataset.batches(...)``; only the thread touches it, from now on.
    depth : int
        How many items may wait, or be in the making, at a time: what a depth of 2 costs is the memory of two batches.

    Raises
    ------
    InputError
        If `iterable` is none, or `depth` is no positive integer.

    Notes
    -----
    The order is kept. An error of the producer is raised to the consumer in its place, with the producer's traceback.
    The thread ends with the last item, with an error, or with `close`, which a ``with`` block calls however it is left;
    items made but not taken are dropped, and a generator as `iterable` is closed as well.

    Examples
    --------
    >>> with prefetch(range(5), depth=2) as numbers:
    ...     for number in numbers:
    ...         print(number, end=" ")
    0 1 2 3 4
    """

    def __init__(self, iterable: Iterable, depth: int = 2):
        if not isinstance(depth, int) or depth < 1:
            raise InputError("prefetch: the depth is an integer, at least 1", found=depth)
        try:
            iterator = iter(iterable)
        except TypeError:
            raise InputError("prefetch: this cannot be iterated over", found=type(iterable).__name__) from None
        self._channel = _Channel(depth)
        # The thread knows the channel, not this object: when nobody holds this object any more, it closes.
        self._thread = Thread(target=_produce, args=(iterator, self._channel), name="symcnn-prefetch", daemon=True)
        self._thread.start()

    def __iter__(self):
        return self

    def __next__(self):
        if self._channel.closed:
            raise StopIteration
        kind, item = self._channel.queue.get()
        if kind == "item":
            self._channel.slots.put(None)
            return item
        self.close()
        if kind == "end":
            raise StopIteration
        try:
            raise item
        finally:
            del item  # its traceback holds this frame: no cycle

    def close(self) -> None:
        """Stop the thread and wait until it has; an item in the making is finished and dropped."""
        self._channel.close()
        if self._thread is not current_thread():
            self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __del__(self):
        if hasattr(self, "_thread"):  # not where __init__ refused
            self._channel.close()


class _Channel:
    """What producer and consumer share: the items made, a token for each that may be made, and the wish to stop.

    Two simple queues, whose operations no Ctrl-C can cut in half.
    """

    def __init__(self, depth: int):
        self.queue, self.slots, self.closed = SimpleQueue(), SimpleQueue(), False
        for _ in range(depth):
            self.slots.put(None)

    def close(self) -> None:
        self.closed = True
        self.slots.put(None)  # wakes a producer that waits for one


def _produce(iterator, channel: _Channel) -> None:
    last = ("end", None)
    try:
        try:
            while True:
                channel.slots.get()
                if channel.closed:
                    break
                channel.queue.put(("item", next(iterator)))
        finally:
            if hasattr(iterator, "close"):
                iterator.close()
    except StopIteration:
        pass
    except BaseException as error:  # whatever it is: nobody else could report it, and the consumer waits
        last = ("error", error)
    channel.queue.put(last)
    del last  # the traceback of an error holds this frame: no cycle
