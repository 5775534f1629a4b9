"""symcnn as a contender on a GPU."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import symcnn as sc
from benchmarks.gpu_tasks import TINY, network
from symcnn.backends.base import backend
from symcnn.bench import own
from symcnn.bench.tasks import MOMENTUM, RATE


def model(name: str) -> sc.nn.Module:
    """A network with fresh weights."""
    if name == TINY:
        layers = [sc.nn.Conv2d(1, 2, 3), sc.nn.ReLU(), sc.nn.MaxPool2d(2), sc.nn.Flatten(), sc.nn.Dense(8, 3)]
        return sc.nn.Sequential(*layers)
    return own.model(name)


def device() -> Any:
    """The GPU that ``device="cuda"`` means, or what stands in for it."""
    found: Any = backend("cuda")
    return found.device


def seconds_of(run: Callable[[], object]) -> float:
    """How long the device takes for what `run` asks of it: by the GPU's clock, where there is a GPU."""
    here = device()
    if hasattr(here, "seconds"):
        return here.seconds(run)
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def batch_of(name: str, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Random examples, and labels for them."""
    of, rng = network(name), np.random.default_rng(0)
    few = rng.normal(size=(min(batch, of.batch), *of.in_shape)).astype("float32")
    return np.resize(few, (batch, *of.in_shape)), rng.integers(0, of.classes, batch)


def compiled_step(name: str, device: str = "cuda") -> Any:
    """A training step with momentum."""
    return sc.train.compile_step(model(name), optimizer=sc.optim.SGD(RATE, momentum=MOMENTUM), device=device)


class Job:
    """Training steps on one batch."""

    def __init__(self, name: str, batch: int):
        self._step = compiled_step(name)
        self._host = batch_of(name, batch)
        self._here = self._step.upload(*self._host)
        self.wait = device().synchronize

    def step(self):
        self._step.begin(*self._here)

    def whole_step(self):
        self._step(*self._host)


def prepare(variant: str, network: str, batch: int) -> Job:
    """A job for `benchmarks.gpu_worker`."""
    return Job(network, batch)


def free() -> None:
    """Give back the memory that nobody uses."""
    gc.collect()
    if hasattr(device(), "release"):
        device().release()
