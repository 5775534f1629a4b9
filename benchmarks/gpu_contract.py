"""The contract tests on the device, without the extras of pytest that this repository otherwise asks for.

This module is also the plugin of pytest that picks the tests of device "cuda", one part of them per process, and writes
down how each ended as soon as it has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from zlib import crc32

from benchmarks.gpu_report import Deadline
from symcnn.config import config

ROOT = Path(__file__).parents[1]
FILES = ("test_ops.py", "test_elementwise.py")  # without hypothesis, which need not be installed
PROCESSES = 14  # at most; a test is mostly compiling
PART, LOG = "SYMCNN_CONTRACT_PART", "SYMCNN_CONTRACT_LOG"  # environment variables
WRITTEN_DOWN = 20  # failures


def check(section: dict, deadline: Deadline, only: str = "cuda", names=FILES) -> None:
    """Run them in several processes until the deadline; `section` tells how many passed and what failed.

    Parameters
    ----------
    section : dict
    deadline : Deadline
    only : str
        An expression for pytest's option ``-k``.
    names : sequence of str
        Files among the contract tests.
    """
    if find_spec("pytest") is None:
        raise RuntimeError("pytest is not installed")
    files = [str(ROOT / "tests" / "contract" / name) for name in names]
    quiet = [
        "-p",
        "no:cacheprovider",
        "--noconftest",
        "-o",
        "addopts=",
        "-o",
        "filterwarnings=",
        "--import-mode=importlib",
    ]
    command = [sys.executable, "-m", "pytest", "-q", *quiet, "-p", "benchmarks.gpu_contract", "-k", only, *files]
    count = max(1, min(PROCESSES, (os.cpu_count() or 1) - 2))
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder) / f"{k}.jsonl" for k in range(count)]
        processes = []
        for k, log in enumerate(logs):
            own = {PART: f"{k}/{count}", LOG: str(log), "PYTHONPATH": str(ROOT), "SYMCNN_THREADS": "1"}
            if not config.simulate_cuda:
                own["SYMCNN_TEST_GPU"] = "1"  # all cases, not only those that a simulator has time for
            environment = {**os.environ, **own}
            with (Path(folder) / f"{k}.txt").open("w") as output:
                processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output))
        finished = _wait(processes, deadline)
        found = [json.loads(line) for log in logs if log.exists() for line in log.read_text().splitlines()]
        said = "\n".join((Path(folder) / f"{k}.txt").read_text()[-2000:] for k in range(count))
    tests = [f for f in found if "test" in f]
    failed = [f for f in tests if f["outcome"] == "failed"]
    section.update(
        selected=max((f["selected"] for f in found if "selected" in f), default=0),
        ran=len(tests), passed=sum(f["outcome"] == "passed" for f in tests), failed=len(failed), finished=finished,
        wrong=len(failed), failures=failed[:WRITTEN_DOWN],
    )  # fmt: skip
    if not tests:
        raise RuntimeError(f"no test ran:\n{said}")
    print(f"{section['passed']} of {section['selected']} passed, {len(failed)} failed", end="")
    print("" if finished else "; the rest did not come to it")


def _wait(processes, deadline: Deadline) -> bool:
    """Whether all of them ended by themselves."""
    finished = True
    for process in processes:
        try:
            process.wait(deadline.left)
        except subprocess.TimeoutExpired:
            finished = False
            process.kill()
            process.wait()
    return finished


# ---- the plugin


def pytest_collection_modifyitems(config, items) -> None:
    """Keep this process's part of the tests, mixed, so that what time leaves over is of every kind; after ``-k``."""
    part, _, parts = os.environ[PART].partition("/")
    _log({"selected": len(items)})
    items.sort(key=lambda item: crc32(item.nodeid.encode()))
    items[:] = items[int(part) :: int(parts)]


pytest_collection_modifyitems.pytest_impl = {"trylast": True}  # type: ignore[attr-defined]


def pytest_runtest_logreport(report) -> None:
    if report.when == "call" or report.outcome != "passed":
        reason = str(report.longrepr)[-1500:] if report.failed else ""
        _log({"test": report.nodeid, "outcome": report.outcome, "reason": reason})


def _log(entry: dict) -> None:
    with open(os.environ[LOG], "a") as log:
        log.write(json.dumps(entry) + "\n")
