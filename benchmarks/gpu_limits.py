"""What the GPU is, what it can do at best, and how near fused elementwise chains come to that."""

from __future__ import annotations

import platform
import subprocess
import time
from statistics import median

import symcnn as sc
from benchmarks.gpu_own import device, seconds_of
from benchmarks.gpu_report import Deadline, Target
from benchmarks.gpu_tasks import CHAIN_SHARE
from symcnn.bench.machine import installed, load_average, processor
from symcnn.bench.tasks import CHAINS

PACKAGES = (
    "symcnn",
    "numpy",
    "numba",
    "numba-cuda",
    "cuda-bindings",
    "torch",
    "triton",
    "nvidia-nvjitlink",
    "nvidia-nvvm",
)
FIELDS = ("name", "driver_version", "memory.total", "clocks.max.sm", "clocks.max.mem", "power.limit", "compute_mode")


def describe(section: dict, deadline: Deadline) -> None:
    """Machine, driver and versions."""
    here = device()
    section.update(
        gpu=here.name, processor=processor(), system=f"{platform.system()} {platform.machine()}", load=load_average(),
        python=platform.python_version(), versions={name: found for name in PACKAGES if (found := installed(name))},
        nvidia_smi=_nvidia_smi(), tf32=sc.config.tf32,
    )  # fmt: skip
    print(f"{here.name}; {section['nvidia_smi']}; {section['versions']}")


def _nvidia_smi() -> dict:
    try:
        command = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader"]
        line = subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.splitlines()[0]
    except (OSError, subprocess.TimeoutExpired, IndexError):
        return {}
    return dict(zip(FIELDS, map(str.strip, line.split(",")), strict=False))


def limits(section: dict, deadline: Deadline, simulate: bool = False) -> None:
    """Bytes per second of a copy, and FLOP/s of products in float32 and tf32, as PyTorch reaches them."""
    import torch

    where = "cuda" if torch.cuda.is_available() else "cpu"
    section["torch"] = f"{torch.__version__}, CUDA {torch.version.cuda}, on {where}"
    numbers, size = (1 << 12, 64) if simulate else (1 << 28, 8192)
    source, target = torch.zeros(numbers, device=where), torch.zeros(numbers, device=where)
    copying = _seconds(lambda: target.copy_(source), torch, deadline)
    section["copy_gbs"] = round(2 * source.nbytes / copying / 1e9, 1)
    a, b = torch.randn(2, size, size, device=where)
    for name, tf32 in (("float32", False), ("tf32", True)):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        section[f"{name}_tflops"] = round(2 * size**3 / _seconds(lambda: a @ b, torch, deadline) / 1e12, 2)
    print(", ".join(f"{name} {value}" for name, value in section.items() if name != "status"))


def _seconds(work, torch, deadline: Deadline) -> float:
    """Median of ten, each long enough to count."""

    def wait():
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    for _ in range(3):
        work()
    times = []
    while len(times) < 10 and not (deadline.over and times):
        wait()
        start = time.perf_counter()
        for _ in range(5):
            work()
        wait()
        times.append((time.perf_counter() - start) / 5)
    return median(times)


def chains(section: dict, deadline: Deadline, copy_gbs: float | None, simulate: bool = False) -> list[Target]:
    """Every chain of `symcnn.bench.tasks.CHAINS` on arrays that no cache holds."""
    import numpy as np

    rows = section["rows"] = []
    size, here = 40 if simulate else 1 << 26, device()
    count, blocks = (1, 1) if simulate else (5, 15)
    values = [sc.shared(np.random.default_rng(k).normal(size=size).astype("float32")) for k in range(3)]
    for name, chain in CHAINS.items():
        if deadline.over and rows:
            break
        updates = {values[2]: chain.formula(sc, *values[: chain.operands])}
        run = sc.function([], [], updates=updates, device="cuda")
        for _ in range(1 if simulate else 3):
            run()
        here.synchronize()
        times = [seconds_of(lambda run=run: [run() for _ in range(count)]) / count for _ in range(blocks)]
        gbs = 4 * size * (chain.operands + 1) / median(times) / 1e9
        share = gbs / copy_gbs if copy_gbs else None
        rows.append({"chain": name, "size": size, "ms": median(times) * 1e3, "gbs": round(gbs, 1), "of_copy": share})
        print(f"{name:<30} {gbs:8.1f} GB/s" + (f"  {share:.0%} of a copy" if share else ""))
    shares = [row["of_copy"] for row in rows if row["of_copy"] is not None]
    name = "fused elementwise chains, worst share of copy bandwidth"
    return [Target(name, CHAIN_SHARE, min(shares, default=None), at_most=False)]
