"""Compiling many kernels at once: Numba compiles one at a time, so other processes take a share.

A worker is a fresh Python that reads jobs as lines of JSON and leaves what it has compiled in the kernel cache, where
this process finds it. Workers are a help and never needed: what they do not deliver is compiled here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from importlib import import_module
from typing import Any

from symcnn.backends.cpu import executor
from symcnn.config import config

EXECUTOR = "executor"  # the job of compiling the executor

# Seconds of compiling, roughly: what is written by hand is long and unrolled.
GENERATED, HANDWRITTEN = 0.25, 1.5
START = 1.0  # seconds of work that a worker must be good for: it has to import Numba first

_CODE = "import sys; sys.path[:] = {path!r}; from symcnn.backends.cpu.workers import serve; serve()"


def share_out(jobs: list, compile_job: Callable[[Any], object]) -> None:
    """Do all `jobs`, kernels or `EXECUTOR`: here by ``compile_job(job)``, and in other processes meanwhile.

    Parameters
    ----------
    jobs : list of str or callable
        Generated source, functions of the tuned library, or `EXECUTOR`.
    compile_job : callable
    """
    # The longest first: nobody should start one when the others are done.
    waiting = deque(sorted(jobs, key=_seconds, reverse=True))
    count = min(config.threads - 1, int(sum(map(_seconds, jobs)) / 2 // START), len(jobs) - 1)
    workers = [_Worker(waiting) for _ in range(count if sys.executable else 0)]
    try:
        while waiting:
            compile_job(waiting.popleft())
        for worker in workers:
            worker.join()
    finally:
        for worker in workers:
            worker.stop()


def _seconds(job) -> float:
    generated = isinstance(job, str) and job != EXECUTOR
    return GENERATED + len(job) / 1e5 if generated else HANDWRITTEN


class _Worker(threading.Thread):
    """A process, and the thread that hands it jobs."""

    def __init__(self, waiting: deque):
        super().__init__(daemon=True)
        self._waiting = waiting
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CODE.format(path=sys.path)],
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
            if not self._answer(_as_text(job)):
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


def _as_text(job) -> str:
    return json.dumps(job if isinstance(job, str) else [job.__module__, job.__qualname__])


def serve() -> None:
    """The life of a worker: do jobs until the input ends."""
    from symcnn.backends.cpu import compiler

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        try:
            if job == EXECUTOR:
                executor.prepare()
            else:
                compiler.compile_kernel(job if isinstance(job, str) else _function(*job))
        except Exception:  # whoever wanted it will see it fail, with a traceback
            pass
        print("done", file=answers, flush=True)


def _function(module: str, name: str):
    """The kernel called `name` in a module of the tuned library, by itself or in a table of kernels."""
    for value in vars(import_module(module)).values():
        for kernel in value.values() if isinstance(value, dict) else [value]:
            if getattr(kernel, "__qualname__", None) == name:
                return kernel
    raise LookupError(name)
