"""Where the time of a call goes, kernel by kernel."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class KernelTime:
    """One kernel's share.

    Attributes
    ----------
    name : str
    calls : int
    seconds : float
        Median of one call.
    bytes : int
        Read and written, each operand once.
    flops : int
    share : float
        Of the whole call.
    """

    name: str
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
class Profile:
    """Times of all kernels of a function, in execution order; prints as a table, slowest first."""

    kernels: tuple[KernelTime, ...]

    @property
    def seconds(self) -> float:
        return sum(k.seconds for k in self.kernels)

    def __str__(self):
        lines = [f"{'kernel':<44} {'calls':>5} {'ms':>9} {'share':>6} {'GFLOP/s':>8} {'GB/s':>7}"]
        lines.extend(
            f"{k.name:<44.44} {k.calls:>5} {k.seconds * 1e3:>9.3f} {k.share:>6.1%} {k.gflops:>8.1f} {k.gbytes:>7.1f}"
            for k in sorted(self.kernels, key=lambda k: -k.seconds)
        )
        lines.append(f"{'total':<44} {'':>5} {self.seconds * 1e3:>9.3f}")
        return "\n".join(lines)


def measure(binding, values, repeat: int) -> Profile:
    """Run `repeat` times, step by step."""
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
                step.name, repeat, seconds,
                sum(types[v].nbytes for v in (*step.reads, *step.writes)),
                sum(v.op.flops(types[v], *(types[x] for x in v.inputs)) for v in step.computes),
                seconds / total,
            )
            for step, seconds in zip(steps, medians, strict=True)
        )
    )  # fmt: skip
