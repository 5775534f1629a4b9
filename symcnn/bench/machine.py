"""This machine: what it is, and how fast it can at best compute and copy."""

from __future__ import annotations

import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from symcnn.config import config

BUSY = 0.5  # load average per processor above which figures cannot be trusted
PACKAGES = ("symcnn", "numpy", "numba", "torch", "jax", "onnxruntime")


def describe() -> dict:
    """Processor, system, and versions of everything that is timed."""
    from symcnn.backends.cpu.simd import REGISTERS, VECTOR_BYTES

    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "threads": config.threads,
        "vectors": f"{VECTOR_BYTES * 8} bits, {REGISTERS} registers",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := installed(name))},
    }


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    try:
        with open("/proc/cpuinfo") as lines:
            name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        name = ""
    return name or platform.processor() or platform.machine()


def installed(package: str) -> str | None:
    """Its version, or ``None``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def load_average() -> float | None:
    """How many processes wanted a processor during the last minute; ``None`` where the system does not tell."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def warn_if_busy() -> None:
    """Print a line if others keep this machine's processors busy."""
    load, processors = load_average(), os.cpu_count() or 1
    if load is not None and load > BUSY * processors:
        print(f"warning: load average {load} on {plural(processors, 'processor')}: others use this machine:", end=" ")
        print("figures will be too high; minima are steadier")


def plural(count: int, noun: str) -> str:
    """``1 thread``, ``2 threads``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def fma_peak(threads: int | None = None, seconds: float = 0.5) -> float:
    """FLOP/s of float32 multiplications and additions with nothing else to do: the limit of every convolution."""
    kernel, lanes = _fma_kernel()
    rounds, out = 100_000, np.zeros((threads or config.threads, 1024), "float32")

    def work(k):
        kernel(out[k].ctypes.data, rounds)

    return 2 * _CHAINS * lanes * rounds * len(out) / _fastest(work, len(out), seconds)


def copy_bandwidth(threads: int | None = None, seconds: float = 0.5, size: int = 10_000_000) -> float:
    """Bytes per second, read and written together, of copying `size` float32 numbers: the limit of every update."""
    count = threads or config.threads
    source, target = (np.zeros((count, size // count), "float32") for _ in range(2))
    source += 1

    def work(k):
        np.copyto(target[k], source[k])

    return 2 * source.nbytes / _fastest(work, count, seconds)


def _fastest(work, threads, seconds) -> float:
    """Seconds of the best simultaneous ``work(k)`` on all threads."""
    times: list[float] = []
    with ThreadPoolExecutor(threads) as pool:
        stop = time.perf_counter() + seconds
        while len(times) < 5 or time.perf_counter() < stop:
            start = time.perf_counter()
            list(pool.map(work, range(threads)))
            times.append(time.perf_counter() - start)
    return min(times)


_CHAINS = 12  # independent sums: they hide the latency of an instruction, and leave registers for the factors


def _fma_kernel():
    """A compiled ``kernel(address of float32, rounds)``, and how many numbers a vector holds."""
    from numba import float32, njit

    from symcnn.backends.cpu.simd import VECTOR_BYTES, fma, lanes, load, pointer, store

    @njit("void(uintp, int64)", nogil=True)
    def kernel(address, rounds):
        p = pointer(address, float32)
        n = lanes(p)
        x, y = load(p, 12 * n), load(p, 13 * n)
        s0, s1, s2, s3 = load(p, 0), load(p, n), load(p, 2 * n), load(p, 3 * n)
        s4, s5, s6, s7 = load(p, 4 * n), load(p, 5 * n), load(p, 6 * n), load(p, 7 * n)
        s8, s9, sa, sb = load(p, 8 * n), load(p, 9 * n), load(p, 10 * n), load(p, 11 * n)
        for _ in range(rounds):
            s0, s1, s2, s3 = fma(s0, x, y), fma(s1, x, y), fma(s2, x, y), fma(s3, x, y)
            s4, s5, s6, s7 = fma(s4, x, y), fma(s5, x, y), fma(s6, x, y), fma(s7, x, y)
            s8, s9, sa, sb = fma(s8, x, y), fma(s9, x, y), fma(sa, x, y), fma(sb, x, y)
        for k, s in enumerate((s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb)):
            store(p, k * n, s)

    return kernel, VECTOR_BYTES // 4
