"""What is timed, as plain data that every contender understands. No contender's package is imported here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Network:
    """A benchmark network by the shape of its batches.

    Attributes
    ----------
    batch : int
        Examples per training step.
    in_shape : tuple of int
        Of one example, (channels, height, width) or (features,).
    classes : int
    """

    batch: int
    in_shape: tuple[int, ...]
    classes: int


NETWORKS = {
    "mlp": Network(128, (784,), 10),
    "lenet": Network(128, (1, 28, 28), 10),
    "cs231n": Network(64, (3, 32, 32), 10),
    "alexnet": Network(16, (3, 227, 227), 1000),
    "googlenet": Network(8, (3, 224, 224), 1000),
}

RATE, MOMENTUM = 0.01, 0.9  # of every optimiser


@dataclass(frozen=True)
class Chain:
    """An expression of arrays of equal size, all but its result read once: memory should be its only limit.

    Attributes
    ----------
    formula : callable
        ``formula(m, *arrays)``, where m is a module with NumPy's names.
    operands : int
    """

    formula: Callable[..., Any]
    operands: int


CHAINS = {
    "x + y": Chain(lambda m, x, y: x + y, 2),
    "clip(2x - y, 0, 1)": Chain(lambda m, x, y: m.clip(2 * x - y, 0, 1), 2),
    "(x - y)^2 / (1 + |x|)": Chain(lambda m, x, y: (x - y) * (x - y) / (1 + m.abs(x)), 2),
    "exp(-x^2) y": Chain(lambda m, x, y: m.exp(-x * x) * y, 2),
    "tanh(x) / (1 + exp(-y))": Chain(lambda m, x, y: m.tanh(x) / (1 + m.exp(-y)), 2),
    "log(1 + x^2) + sqrt(y^2 + 1)": Chain(lambda m, x, y: m.log(1 + x * x) + m.sqrt(y * y + 1), 2),
}


def training(network: str, batch: int | None = None) -> dict:
    """One step: forward, backward, momentum update."""
    return {"what": "train", "network": network, "batch": batch or NETWORKS[network].batch}


def forward(network: str, batch: int | None = None) -> dict:
    """One forward pass, in evaluation mode."""
    return {"what": "forward", "network": network, "batch": batch or NETWORKS[network].batch}


def onnx(network: str, batch: int) -> dict:
    """One forward pass of a network of `symcnn.bench.zoo`."""
    return {"what": "onnx", "network": network, "batch": batch}


def chain(name: str, size: int) -> dict:
    """One of `CHAINS` on float32 arrays of `size` elements."""
    return {"what": "chain", "chain": name, "size": size}


def update(size: int) -> dict:
    """The momentum update of `size` parameters from gradients at hand."""
    return {"what": "update", "size": size}


@dataclass(frozen=True)
class Convolution:
    """A convolution of a network: `batch` images of `height` x `width` pixels."""

    batch: int
    in_channels: int
    height: int
    width: int
    out_channels: int
    window: tuple[int, int]
    stride: int = 1
    padding: int = 0
    groups: int = 1

    @property
    def out_size(self) -> tuple[int, int]:
        return tuple(
            (size + 2 * self.padding - k) // self.stride + 1
            for size, k in zip((self.height, self.width), self.window, strict=True)
        )  # type: ignore[return-value]

    @property
    def flops(self) -> int:
        """Of one direct pass, forward or either gradient; a multiplication and an addition count as two."""
        rows, columns = self.out_size
        depth = self.in_channels // self.groups * self.window[0] * self.window[1]
        return 2 * self.batch * rows * columns * self.out_channels * depth

    def __str__(self):
        more = "".join(
            f" {name}{value}"
            for name, value, plain in (("s", self.stride, 1), ("p", self.padding, 0), ("g", self.groups, 1))
            if value != plain
        )
        size = f"{self.batch}x{self.in_channels}x{self.height}x{self.width}"
        return f"{size} -> {self.out_channels} {self.window[0]}x{self.window[1]}{more}"


DIRECTIONS = ("forward", "input gradient", "weight gradient")


def convolution(layer: Convolution, direction: str) -> dict:
    """One pass of one layer, images in the contender's favourite order."""
    return {"what": "convolution", "direction": direction, "layer": vars(layer)}
