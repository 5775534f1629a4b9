"""Contenders in processes of their own, taking turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from symcnn.config import config
from symcnn.errors import InputError
from symcnn.keywords import nearest

PACKAGE = Path(__file__).parents[1]

# A peer finds `symcnn.bench` without executing `symcnn/__init__`: its time and memory are its own.
_ALONE = "import sys, types; p = types.ModuleType('symcnn'); p.__path__ = [{package!r}]; sys.modules['symcnn'] = p; "
_START = "from symcnn.bench.worker import main; main({module!r}, {variant!r})"


@dataclass(frozen=True)
class Contender:
    """Who is timed: a name such as ``symcnn``, ``torch:nchw`` or ``jax``.

    Attributes
    ----------
    name : str
    module : str
        Of `symcnn.bench`, which does its tasks.
    package : str
        What has to be installed.
    variant : str
    """

    name: str
    module: str
    package: str
    variant: str = ""

    @property
    def installed(self) -> bool:
        return find_spec(self.package) is not None


CONTENDERS = {
    c.name: c
    for c in (
        Contender("symcnn", "own", "symcnn"),
        Contender("torch", "torch_peer", "torch", "channels_last"),
        Contender("torch:nchw", "torch_peer", "torch", "nchw"),
        Contender("torch:compile", "torch_peer", "torch", "compile"),
        Contender("jax", "jax_peer", "jax"),
        Contender("onnxruntime", "onnxruntime_peer", "onnxruntime"),
    )
}


def contenders(names) -> list[Contender]:
    """symcnn and the contenders called `names`; those whose package is missing are left out.

    Raises
    ------
    InputError
        For a name that is none.
    """
    found = [CONTENDERS["symcnn"]]
    for name in names:
        if name not in CONTENDERS:
            raise InputError(f"no contender is called {name!r}", hint=nearest(name, CONTENDERS))
        if CONTENDERS[name].installed and name != "symcnn":
            found.append(CONTENDERS[name])
    return found


def missing(names) -> list[str]:
    """Those of the contenders called `names` whose package is not installed."""
    return [name for name in names if not CONTENDERS[name].installed]


class Failed(Exception):
    """A contender could not do a task; the message says why."""


class Worker:
    """A contender's process; a context manager.

    Parameters
    ----------
    contender : Contender
    threads : int
    environment : dict, optional
        Additional environment variables.
    """

    def __init__(self, contender: Contender, threads: int, environment=None):
        self.contender = contender
        code = _START.format(module=contender.module, variant=contender.variant)
        if contender.module != "own":
            code = _ALONE.format(package=str(PACKAGE)) + code
        count = str(threads)
        path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
        # Byte code is kept, as it is for users.
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        variables = {"SYMCNN_THREADS": count, "OMP_NUM_THREADS": count, "PYTHONPATH": path, **(environment or {})}
        self._started: float | None = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**inherited, **variables},
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.kill()
        self._process.communicate()

    def prepare(self, task: dict) -> float:
        """Build `task` and do it once; seconds, for the first task since the process started, imports included."""
        start = self._started or time.perf_counter()
        self._started = None
        self._ask({"prepare": task})
        return time.perf_counter() - start

    def run(self, task: dict, seconds: float) -> list[float]:
        """Seconds of each repetition within about `seconds`."""
        return self._ask({"run": task, "seconds": seconds})["times"]

    def memory(self, task: dict) -> dict:
        """``peak`` bytes of resident memory so far, and for symcnn the bytes ``planned`` for a training task."""
        return self._ask({"memory": task})

    def _ask(self, request) -> dict:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"{self.contender.name}: its process ended with status {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self.contender.name}: {answer['error']}")
        return answer


@dataclass(frozen=True)
class Sample:
    """Times of one task by one contender.

    Attributes
    ----------
    first : float
        Seconds to the first result; for the first task of a process since its start.
    times : tuple of float
        Seconds of each repetition, ascending.
    """

    first: float
    times: tuple[float, ...]

    @property
    def minimum(self) -> float:
        return self.times[0]

    @property
    def median(self) -> float:
        return self.times[len(self.times) // 2]


def take_turns(who, tasks, seconds: float, threads: int | None = None, turns: int = 4, report=None):
    """Time every task by every contender: in turn, each turn a part of `seconds`.

    Parameters
    ----------
    who : sequence of Contender
    tasks : sequence of dict
        Of `symcnn.bench.tasks`.
    seconds : float
        Per task and contender.
    threads : int, optional
        ``config.threads`` by default.
    turns : int
    report : callable, optional
        Called as ``report(task, {name: Sample or Failed})`` after each task.

    Returns
    -------
    list of (task, dict)
    """
    found = []
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(c, threads or config.threads)) for c in who]
        for task in tasks:
            samples = _one_task(workers, task, seconds, turns)
            found.append((task, samples))
            if report:
                report(task, samples)
    return found


def _one_task(workers, task, seconds, turns) -> dict:
    first, times, failed = {}, {}, {}
    for worker in workers:
        try:
            first[worker] = worker.prepare(task)
            times[worker] = []
        except Failed as error:
            failed[worker] = error
    for _ in range(turns):
        for worker in [w for w in times if w not in failed]:
            try:
                times[worker] += worker.run(task, seconds / turns)
            except Failed as error:
                failed[worker] = error
    return {w.contender.name: failed[w] if w in failed else Sample(first[w], tuple(sorted(times[w]))) for w in workers}
