"""One command on a machine with an NVIDIA GPU: is everything right there, and how fast is it beside PyTorch?

    python -m benchmarks.gpu
    python -m benchmarks.gpu --quick
    python -m benchmarks.gpu --sections machine limits networks --networks lenet --minutes 2

From a source checkout, with NumPy, numba-cuda and PyTorch; no network. It keeps to its time, writes what it has to
``benchmarks/results/gpu-<date>-<gpu>.json`` after every section, and ends with what was to be reached and what was.
``--simulate`` goes the same ways without a GPU, with a network of a few numbers.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.gpu_report import Deadline, Report
from symcnn.config import config

# Section -> its share of the time. What one does not use is there for the others; the last takes all that is left.
SECTIONS = {
    "machine": 0.03, "contract": 0.2, "tuned": 0.13, "networks": 0.37, "limits": 0.04, "chains": 0.05, "kernels": 0.08,
    "batches": 0.1,
}  # fmt: skip
NETWORKS = ("lenet", "cs231n", "alexnet", "googlenet", "mlp")
RESULTS = Path(__file__).parent / "results"
MINUTES, QUICK_MINUTES = 7.25, 3.0
SHORTEST = 10.0  # seconds for a section, even when time is up


def main(arguments=None) -> int:
    """Run what the command line asks for; 0 if nothing failed and nothing was wrong."""
    options = _parser().parse_args(arguments)
    if options.simulate:
        os.environ["SYMCNN_SIMULATE_CUDA"] = "1"  # for other processes
        config.simulate_cuda = True
    device = _device(options.simulate)
    report = Report(options.json or _path(device.name), {"command": _command(arguments), "started": _now()})
    run(options, report)
    print(f"\n{'target':<58}    {'':<5} {'found':>7}")
    for target in report.targets:
        print(target)
    if report.failures:
        print(f"failed, or with wrong results: {', '.join(report.failures)}")
    print(f"wrote {report.path}")
    return bool(report.failures)


def run(options, report: Report) -> None:
    """Every section that was asked for, in the order of `SECTIONS`."""
    from benchmarks import gpu_contract, gpu_networks
    from benchmarks.gpu_sections import WORKS, apart
    from benchmarks.gpu_tasks import TINY

    simulate, quick = options.simulate, options.quick
    names = [TINY] if simulate else options.networks
    seconds = 0.1 if simulate else 0.6 if quick else 1.2  # of timing, per network and contender
    whole = Deadline(60 * (options.minutes or (QUICK_MINUTES if quick else MINUTES)))
    chosen = [name for name in SECTIONS if name in options.sections]
    sections = report.content.setdefault("sections", {})

    def work(name, contenders):
        """``work(section, deadline)``, which may return targets."""
        if name == "contract":
            return lambda s, d: gpu_contract.check(s, d, "cuda and (Exp or Neg)" if simulate else "cuda")
        if name == "networks":
            return lambda s, d: gpu_networks.networks(s, d, contenders, seconds)
        if name == "batches":
            return lambda s, d: gpu_networks.batches(s, d, contenders, seconds / 2, 4 if simulate else 1 << 20)
        request = {"simulate": simulate, "networks": names, "limits": sections.get("limits", {})}
        if options.in_process:
            return lambda s, d: WORKS[name](s, d, request)
        return lambda s, d: apart(name, s, d, request)

    with gpu_networks.Contenders(names, simulate, compile_too=not options.no_compile) as contenders:
        for number, name in enumerate(chosen):
            if name != "machine" and "networks" in chosen[number:]:
                contenders.begin()
            share = SECTIONS[name] / sum(SECTIONS[n] for n in chosen[number:])
            report.section(name, max(SHORTEST, whole.left * share), work(name, contenders))


def _device(simulate: bool):
    """The GPU, or an end with the reason why there is none."""
    from benchmarks.gpu_own import device
    from symcnn.errors import SymcnnError

    try:
        found = device()
    except SymcnnError as error:
        sys.exit(f"benchmarks.gpu needs an NVIDIA GPU.\n{error}")
    if (found.name == "simulator") != simulate:
        sys.exit("benchmarks.gpu measures a GPU, not the simulator: unset SYMCNN_SIMULATE_CUDA, or give --simulate")
    return found


def _path(gpu: str) -> Path:
    return RESULTS / f"gpu-{datetime.now(UTC):%Y%m%d-%H%M}-{re.sub('[^a-z0-9]+', '-', gpu.lower()).strip('-')}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _command(arguments) -> str:
    return " ".join(["python -m benchmarks.gpu", *(sys.argv[1:] if arguments is None else map(str, arguments))])


def _parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="(default all)")
    found.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="(default all)")
    found.add_argument(
        "--minutes", type=float, help=f"for everything (default {MINUTES:g}, or {QUICK_MINUTES:g} if quick)"
    )
    found.add_argument(
        "--quick", action="store_true", help="shorter measurements, and fewer of what is bounded by time"
    )
    found.add_argument("--no-compile", action="store_true", help="leave out torch.compile, which takes long")
    found.add_argument("--simulate", action="store_true", help="no GPU: a tiny network in Numba's simulator")
    found.add_argument(
        "--in-process", action="store_true", help="all checks in one process, to look at them with a debugger"
    )
    found.add_argument("--json", metavar="PATH", type=Path, help="write the figures to this file")
    return found


if __name__ == "__main__":
    sys.exit(main())
