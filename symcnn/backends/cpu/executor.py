"""One compiled function that walks the plan's table: kernel address, number of tasks, grain, argument block.

A whole training step is one call into it. Tasks of a launch are split into chunks of `grain`, which run in parallel;
a launch of one chunk runs on the calling thread at once.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import prange

from symcnn.backends.cpu.call import call
from symcnn.backends.jit import njit, numba_config
from symcnn.config import config

# An idle OpenMP thread spins for milliseconds by default, which starves whoever else needs the processor; long enough
# to bridge two launches of a step is enough. Read when the thread pool starts.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")

# One launch at a time: Numba's thread pool does not take calls from several Python threads at once, and the
# functions of one process share parameters.
lock = threading.RLock()


def _walk(addresses, tasks, grains, blocks):
    for k in range(addresses.shape[0]):
        count, grain = tasks[k], grains[k]
        address, block = addresses[k], blocks[k]
        chunks = (count + grain - 1) // grain
        if chunks == 1:
            call(address, 0, count, block)
        else:
            for c in prange(chunks):
                call(address, c * grain, min(count, c * grain + grain), block)


@contextmanager
def _numba_cache_in(folder: Path):
    """Numba's own cache of this one function goes into our folder; the user's setting is put back."""
    saved = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba_config.CACHE_DIR = saved


def _compiled():
    options = {"parallel": True, "nogil": True}
    signature = "void(uintp[::1], int64[::1], int64[::1], uintp[::1])"
    folder = config.cache_dir / "executor"
    for _ in range(2):
        try:
            with _numba_cache_in(folder):
                return njit(signature, cache=True, **options)(_walk)
        except Exception:  # a damaged cache is thrown away and made anew, one that cannot be used is done without
            shutil.rmtree(folder, ignore_errors=True)
    return njit(signature, **options)(_walk)


def is_ready() -> bool:
    """Whether `prepare` is quick: it was called before, or finds something in the cache."""
    return _walker is not None or any((config.cache_dir / "executor").rglob("*.nbc"))


_walker: Any = None
seconds = 0.0  # spent making it ready by this process


def prepare() -> None:
    """Compile the executor, or load it from the cache; once per process."""
    global _walker, seconds
    with lock:
        if _walker is None:
            start = time.perf_counter()
            _walker = _compiled()
            seconds = time.perf_counter() - start


def run(addresses: np.ndarray, tasks: np.ndarray, grains: np.ndarray, blocks: np.ndarray) -> None:
    """Execute a table of launches, in order."""
    prepare()
    with lock:
        numba.set_num_threads(min(config.threads, numba_config.NUMBA_NUM_THREADS))
        _walker(addresses, tasks, grains, blocks)
