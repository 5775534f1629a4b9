"""PyTorch as a contender on a GPU, in the variants of `benchmarks.gpu_tasks.VARIANTS`; without one, on the processor."""

from __future__ import annotations

import gc
from typing import Any

import torch
from torch.nn import functional

from benchmarks.gpu_tasks import TINY, network
from symcnn.bench.tasks import MOMENTUM, RATE
from symcnn.bench.torch_networks import torch_network

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def wait() -> None:
    """Until the GPU has done all it was asked for."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def model(name: str) -> Any:
    if name == TINY:
        nn = torch.nn
        return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))
    return torch_network(name, network(name).classes)


class Job:
    """Training steps on one batch."""

    def __init__(self, variant: str, name: str, batch: int):
        of = network(name)
        order = torch.contiguous_format if variant == "eager" else torch.channels_last
        torch.manual_seed(0)
        self.model = model(name).to(device=DEVICE, memory_format=order)
        compiled: Any = torch.compile
        modes = {"compile": None, "compile_graphs": "reduce-overhead"}
        self.forward = compiled(self.model, mode=modes[variant]) if variant in modes else self.model
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=RATE, momentum=MOMENTUM)
        x, self.y = torch.randn((batch, *of.in_shape), device=DEVICE), torch.randint(0, of.classes, (batch,)).to(DEVICE)
        self.x = x.to(memory_format=order) if x.ndim == 4 else x
        self._host: Any = None
        self.model.train()
        self.wait = wait

    def step(self):
        return self._on(self.x, self.y)

    def whole_step(self):
        if self._host is None:
            pin = "pin_memory" if DEVICE == "cuda" else "clone"
            self._host = [getattr(t.cpu(), pin)() for t in (self.x, self.y)]
        return self._on(*(t.to(DEVICE, non_blocking=True) for t in self._host)).item()

    def _on(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(self.forward(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()


def prepare(variant: str, network: str, batch: int) -> Job:
    """A job for `benchmarks.gpu_worker`."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.matmul.allow_tf32 = variant != "eager"
    return Job(variant, network, batch)


def free() -> None:
    gc.collect()
    if DEVICE == "cuda":
        torch.cuda.empty_cache()
