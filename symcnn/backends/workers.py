"""Compiling many kernels at once: Numba compiles one at a time, so other processes take a share.

A worker is a fresh Python that reads jobs as lines of text and leaves what it has compiled in the kernel cache, where this
process finds it. Workers are a help and never needed: what they do not deliver is compiled here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

from symcnn.config import config

START = 1.0  # seconds of work that a worker must be good for: it has to import Numba first

_CODE = "import sys; sys.path[:] = {path!r}; from symcnn.backends.workers import serve; serve({module!r})"


def share_out(jobs: dict[str, float], do: Callable[[str], object], module: str) -> None:
    """Do all jobs: here by ``do(job)``, and in other processes meanwhile.

    Parameters
    ----------
    jobs : dict
        Each a line of text, with the seconds that it takes, roughly.
    do : callable
    module : str
        Whose function `do` other processes call with a job.
    """
    # The longest first: nobody should start one when the others are done.
    waiting = deque(sorted(jobs, key=lambda job: jobs[job], reverse=True))
    count = min(config.threads - 1, int(sum(jobs.values()) / 2 // START), len(jobs) - 1)
    workers = [_Worker(waiting, module) for _ in range(count if sys.executable else 0)]
    try:
        while waiting:
            do(waiting.popleft())
        for worker in workers:
            worker.join()
    finally:
        for worker in workers:
            worker.stop()


class _Worker(threading.Thread):
    """A process, and the thread that hands it jobs."""

    def __init__(self, waiting: deque[str], module: str):
        super().__init__(daemon=True)
        self._waiting = waiting
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CODE.format(path=sys.path, module=module)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "SYMCNN_CACHE_DIR": str(config.cache_dir.absolute()), "SYMCNN_THREADS": "1"},
            )
        except OSError:
            self._process = None
        self.start()

    def run(self):
        if self._process is None or not self._answer():
            return
        while self._waiting:
            try:
                job = self._waiting.popleft()
            except IndexError:
                return
            if not self._answer(job):
                return

    def _answer(self, line: str | None = None) -> bool:
        """Whether the process lives on to answer a job; without one, whether it says that it is ready."""
        try:
            assert self._process and self._process.stdin and self._process.stdout
            if line is not None:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
            return bool(self._process.stdout.readline())
        except (OSError, ValueError):
            return False

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def serve(module: str) -> None:
    """The life of a worker: do jobs until the input ends."""
    do = import_module(module).do
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        with suppress(Exception):  # whoever wanted it will see it fail, with a traceback
            do(line.rstrip("\n"))
        print("done", file=answers, flush=True)
