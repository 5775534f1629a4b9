"""PyTorch as a contender: eager in channels_last (its fastest order on processors) or NCHW, or torch.compile."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from symcnn.bench.tasks import CHAINS, MOMENTUM, NETWORKS, RATE, Convolution
from symcnn.bench.torch_networks import torch_network

VARIANTS = ("channels_last", "nchw", "compile")


def prepare(variant: str, what: str, **task):
    """A call without arguments that does `task` once and waits for its result."""
    import torch

    torch.set_num_threads(int(os.environ["SYMCNN_THREADS"]))
    return _TASKS[what](variant, **task)


def memory(task: dict) -> dict:
    return {}


@cache
def _model(variant, network):
    import torch

    torch.manual_seed(0)
    model: Any = torch_network(network, NETWORKS[network].classes)
    model = model.to(memory_format=_order(variant))
    return model, torch.compile(model) if variant == "compile" else model


@cache
def _optimizer(variant, network):
    import torch

    return torch.optim.SGD(_model(variant, network)[0].parameters(), lr=RATE, momentum=MOMENTUM)


def _order(variant):
    import torch

    return torch.contiguous_format if variant == "nchw" else torch.channels_last


def _batch(variant, network, batch):
    import torch

    of = NETWORKS[network]
    x = torch.randn((batch, *of.in_shape))
    return x.to(memory_format=_order(variant)) if x.ndim == 4 else x, torch.randint(0, of.classes, (batch,))


def _train(variant, network, batch):
    from torch.nn import functional

    model, forward = _model(variant, network)
    optimizer, (x, y) = _optimizer(variant, network), _batch(variant, network, batch)

    def step():
        model.train()
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(forward(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _infer(variant, network, batch):
    import torch

    (model, forward), (x, _) = _model(variant, network), _batch(variant, network, batch)

    def infer():
        model.eval()
        with torch.inference_mode():
            return forward(x).numpy()

    return infer


def _chain(variant, chain, size):
    import torch

    of = CHAINS[chain]
    arrays = [torch.randn(size) for _ in range(of.operands)]

    def formula():
        return of.formula(torch, *arrays)

    return torch.compile(formula) if variant == "compile" else formula


def _update(variant, size):
    import torch

    parameter = torch.nn.Parameter(torch.randn(size))
    parameter.grad = torch.randn(size)
    return torch.optim.SGD([parameter], lr=RATE, momentum=MOMENTUM, fused=variant == "compile").step


def _convolution(variant, direction, layer):
    import torch

    of, order = Convolution(**layer), _order(variant)
    x = torch.randn(of.batch, of.in_channels, of.height, of.width).to(memory_format=order)
    w = torch.randn(of.out_channels, of.in_channels // of.groups, *of.window).to(memory_format=order)
    stride, padding = [of.stride] * 2, [of.padding] * 2
    if direction == "forward":
        return lambda: torch.conv2d(x, w, None, stride, padding, 1, of.groups)
    g = torch.randn(of.batch, of.out_channels, *of.out_size).to(memory_format=order)
    wanted = [direction == "input gradient", direction == "weight gradient", False]
    backward = torch.ops.aten.convolution_backward
    return lambda: backward(g, x, w, None, stride, padding, [1, 1], False, [0, 0], of.groups, wanted)


_TASKS = {"train": _train, "forward": _infer, "chain": _chain, "update": _update, "convolution": _convolution}
