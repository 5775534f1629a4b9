"""symcnn as a contender on a GPU."""

from __future__ import annotations

import gc
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
    gc.collect()
