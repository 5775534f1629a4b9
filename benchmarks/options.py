"""What the command lines of all benchmarks have in common."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from symcnn.bench import machine, report
from symcnn.bench.turns import CONTENDERS, contenders
from symcnn.config import config

RESULTS = Path(__file__).parent / "results"


def parser(documentation: str | None, seconds: float) -> argparse.ArgumentParser:
    """A parser with the common options; `documentation` is the docstring of the program."""
    found = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--seconds", type=float, default=seconds, help=f"per measurement and contender ({seconds:g})")
    found.add_argument("--threads", type=int, default=config.threads, help=f"({config.threads})")
    peers = [name for name in CONTENDERS if name != "symcnn"]
    found.add_argument("--peers", nargs="*", default=["torch", "jax"], choices=peers, help="(torch jax)")
    found.add_argument("--json", help="where to write (results/<name>.json beside this program)")
    return found


def chosen(options) -> list:
    """The contenders that `options` name and that are installed."""
    return contenders(options.peers)


def limits(options) -> dict:
    """What this machine can do at best, measured now and printed, and how busy it was before."""
    load = round(os.getloadavg()[0], 1)
    found = {
        "fma_gflops": round(machine.fma_peak(options.threads) / 1e9, 1),
        "copy_gbs": round(machine.copy_bandwidth(options.threads) / 1e9, 1),
        "load": load,
    }
    print(f"{machine.processor()}, {options.threads} threads:", end=" ")
    print(f"peak {found['fma_gflops']} GFLOP/s, copying {found['copy_gbs']} GB/s; load before {load}\n")
    return found


def save(options, name: str, rows: list[dict], **more) -> None:
    """Write the rows to the file of this benchmark."""
    command = " ".join(["python -m", f"benchmarks.{name}", *sys.argv[1:]])
    report.save(options.json or RESULTS / f"{name}.json", command, rows, threads=options.threads, **more)
