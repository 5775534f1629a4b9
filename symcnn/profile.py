"""Where the time of a call goes, kernel by kernel."""

from __future__ import annotations

import time
from dataclasses import dataclass

from symcnn.display import Displayed

WIDTH = 44  # characters for the name of a kernel


@dataclass(frozen=True)
class KernelTime:
    """One kernel's share.

    Attributes
    ----------
    index : int
        Of the step, and of the kernel in `Function.kernels`.
    name : str
    algorithm : str
        As in `KernelInfo`.
    calls : int
    seconds : float
        Median of one call.
    bytes : int
        Read and written, each operand once.
    flops : int
    share : float
        Of the whole call.
    """

    index: int
    name: str
    algorithm: str
    calls: int
    seconds: float
    bytes: int
    flops: int
    share: float

    @property
    def gflops(self) -> float:
        """Achieved GFLOP/s."""
        return self.flops / self.seconds / 1e9 if self.seconds else 0.0

    @property
    def gbytes(self) -> float:
        """Achieved GB/s."""
        return self.bytes / self.seconds / 1e9 if self.seconds else 0.0


@dataclass(frozen=True)
class Profile(Displayed):
    """Times of all kernels of a function, in execution order; a table, slowest first, in a notebook with bars."""

    kernels: tuple[KernelTime, ...]

    @property
    def seconds(self) -> float:
        return sum(k.seconds for k in self.kernels)

    def __str__(self):
        lines = [
            f"{'#':>3} {'kernel':<{WIDTH}} {'algorithm':<12} {'calls':>5} {'ms/call':>9} {'share':>6} {'GFLOP/s':>8} {'GB/s':>7}"
        ]
        lines.extend(
            f"{k.index:>3} {_shortened(k.name):<{WIDTH}} {k.algorithm:<12} {k.calls:>5} {k.seconds * 1e3:>9.3f} "
            f"{k.share:>6.1%} {k.gflops:>8.1f} {k.gbytes:>7.1f}"
            for k in sorted(self.kernels, key=lambda k: -k.seconds)
        )
        lines.append(f"{'':>3} {'total':<{WIDTH}} {'':<12} {'':>5} {self.seconds * 1e3:>9.3f}")
        return "\n".join(lines)

    __repr__ = __str__


def _shortened(name: str) -> str:
    """The ops of a kernel as far as they fit, and how many there are besides."""
    ops = name.split(" + ")
    text, count = name, len(ops)
    while len(text) > WIDTH and count > 1:
        count -= 1
        text = " + ".join([*ops[:count], f"{len(ops) - count} more"])
    return text


def measure(binding, values, repeat: int, algorithms) -> Profile:
    """Run `repeat` times, step by step; `algorithms` are those of the steps."""
    steps, types = binding.plan.steps, binding.plan.types
    times: list[list[float]] = [[] for _ in steps]

    def observe(number, run):
        start = time.perf_counter()
        run()
        times[number].append(time.perf_counter() - start)

    for _ in range(repeat):
        binding.executable.run(values, observe)
    medians = [sorted(t)[len(t) // 2] for t in times]
    total = sum(medians) or 1.0
    return Profile(
        tuple(
            KernelTime(
                index, step.name, algorithm, repeat, seconds,
                sum(types[v].nbytes for v in (*step.reads, *step.writes)),
                sum(v.op.flops(types[v], *(types[x] for x in v.inputs)) for v in step.computes),
                seconds / total,
            )
            for index, (step, algorithm, seconds) in enumerate(zip(steps, algorithms, medians, strict=True))
        )
    )  # fmt: skip
