"""What the command lines of all benchmarks have in common."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from symcnn.bench import arguments, machine, report, tasks
from symcnn.bench.turns import CONTENDERS, contenders, missing
from symcnn.config import config

RESULTS = Path(__file__).parent / "results"


def parser(documentation: str | None, seconds: float) -> argparse.ArgumentParser:
    """A parser with the common options; `documentation` is the docstring of the program."""
    found = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument(
        "--seconds", type=arguments.seconds, default=seconds, help="per measurement and contender (default %(default)s)"
    )
    found.add_argument("--threads", type=int, default=config.threads, help="that each may use (default %(default)s)")
    peers = [name for name in CONTENDERS if name != "symcnn"]
    found.add_argument("--peers", nargs="*", default=["torch", "jax"], choices=peers, help="(default torch jax)")
    written = found.add_mutually_exclusive_group()
    written.add_argument("--json", metavar="PATH", type=Path, help="write the figures to this file")
    written.add_argument("--record", action="store_true", help="write them to benchmarks/results, for RESULTS.md")
    return found


def add_networks(to: argparse.ArgumentParser, default=tuple(tasks.NETWORKS)) -> None:
    """Let `to` take names of networks."""
    said = "all" if len(default) == len(tasks.NETWORKS) else " ".join(default)
    known = f"of {', '.join(tasks.NETWORKS)} (default {said})"
    to.add_argument("networks", nargs="*", type=arguments.network, default=list(default), help=known)


def chosen(options) -> list:
    """The contenders that `options` name and that are installed; says who is not, and whether the machine is busy."""
    machine.warn_if_busy()
    for name in missing(options.peers):
        print(f"{name}: not installed")
    return contenders(options.peers)


def ratio_columns(who) -> dict[str, int]:
    """Columns of a `report.Table` for `ratio_cells`: none without a peer."""
    return {"ratio": 13, "to": -13} if len(who) > 1 else {}


def ratio_cells(samples) -> tuple[str, ...]:
    """symcnn's time over that of the fastest peer, and who that is."""
    return report.against_best(samples) if len(samples) > 1 else ()


def limits(options) -> dict:
    """What this machine can do at best, measured now and printed, and how busy it was before."""
    load = machine.load_average()
    found = {
        "fma_gflops": round(machine.fma_peak(options.threads) / 1e9, 1),
        "copy_gbs": round(machine.copy_bandwidth(options.threads) / 1e9, 1),
        "load": load,
    }
    print(f"{machine.processor()}, {machine.plural(options.threads, 'thread')}:", end=" ")
    print(f"peak {found['fma_gflops']} GFLOP/s, copying {found['copy_gbs']} GB/s; load before {load}\n")
    return found


def save(options, name: str, rows: list[dict], **more) -> None:
    """Write the rows where `options` say, if they do."""
    path = RESULTS / f"{name}.json" if options.record else options.json
    if path is None:
        return
    command = " ".join(["python -m", f"benchmarks.{name}", *sys.argv[1:]])
    report.save(path, command, rows, threads=options.threads, **more)
    print(f"wrote {path}")
