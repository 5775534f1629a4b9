"""Ctrl-C: the first ends the training in good order, the second ends the program."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

from symcnn.train.callback import Run


class Interrupts:
    """A context in which Ctrl-C lets the step in progress end, so that weights and position always agree.

    Only the main thread is told of Ctrl-C, and a program that has a handler of its own keeps it.
    """

    def __init__(self, run: Run):
        self._run = run
        self._at_once = False
        self._installed = False

    def __enter__(self):
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._installed = True
        return self

    def __exit__(self, *exception):
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def at_once(self):
        """A context that changes nothing, and need not be waited for: Ctrl-C raises where it is."""
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False

    def _handle(self, number, frame):
        if self._at_once or self._run.interrupted:
            raise KeyboardInterrupt
        self.note()

    def note(self) -> None:
        """The run was interrupted."""
        self._run.interrupted = True
        self._run.stop("interrupted")
