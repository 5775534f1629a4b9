"""A contender on a GPU, in a process of its own: what fails or hangs there takes nobody else with it.

The process answers lines of JSON with lines of JSON: ``{"prepare": task}`` builds a training step and does it twice,
``{"time": task, "seconds": s}`` repeats it, ``{"drop": task}`` forgets it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCKS = 5  # of repetitions in every turn, at least
BLOCK = 0.02  # seconds, about


class Failed(Exception):
    """A contender could not do something; the message says why."""


class Worker:
    """The process of a contender; a context manager.

    Parameters
    ----------
    module : str
        It has ``prepare(variant, network, batch)``, which returns a job with ``step()``, which may return before the GPU is
        done, ``whole_step()`` from host memory to host memory, and ``wait()``; and ``free()``, after a job has gone.
    variant : str
    environment : dict
    """

    def __init__(self, module: str, variant: str, environment: dict | None = None):
        self.name = variant
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self._rest = b""
        code = f"from benchmarks.gpu_worker import serve; serve({module!r}, {variant!r})"
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": path, **(environment or {})},
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def ask(self, request: dict, seconds: float) -> dict:
        """The answer to `request`, if it comes in time."""
        self.send(request)
        return self.answer(seconds)

    def send(self, request: dict) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Failed(self._obituary()) from None

    def answer(self, seconds: float) -> dict:
        """What the process says next."""
        assert self._process.stdout is not None
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready, *_ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise Failed(f"{self.name}: no answer within {seconds:.0f} s")
            found = os.read(self._process.stdout.fileno(), 1 << 16)
            if not found:
                raise Failed(self._obituary())
            self._rest += found
        line, _, self._rest = self._rest.partition(b"\n")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self.name}: {answer['error']}")
        return answer

    def _obituary(self) -> str:
        status = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"{self.name}: its process ended with status {status}: {said[-1] if said else 'it said nothing'}"


def serve(module: str, variant: str) -> None:
    """Answer requests from standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between the answers
    contender = import_module(module)
    jobs: dict = {}
    for line in sys.stdin:
        try:
            answer = _answer(contender, variant, jobs, json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {str(error).strip()[:400]}"}
        print(json.dumps(answer), file=answers, flush=True)


def _answer(contender, variant, jobs, request) -> dict:
    if "prepare" in request:
        start = time.perf_counter()
        job = jobs[json.dumps(request["prepare"])] = contender.prepare(variant, **request["prepare"])
        for _ in range(2):
            job.step()
        job.wait()
        return {"seconds": round(time.perf_counter() - start, 2)}
    if "time" in request:
        job = jobs[json.dumps(request["time"])]
        return {"times": repeat(job.whole_step if request.get("whole") else job.step, job.wait, request["seconds"])}
    jobs.pop(json.dumps(request["drop"]), None)
    contender.free()
    return {}


def repeat(step, wait, seconds: float) -> list[float]:
    """Seconds of a step, in blocks of as many as fill a moment: within a block nobody waits for the GPU."""
    wait()
    start = time.perf_counter()
    step()
    wait()
    count = max(1, min(200, round(BLOCK / max(time.perf_counter() - start, 1e-6))))
    times: list[float] = []
    stop = time.perf_counter() + seconds
    while len(times) < BLOCKS or time.perf_counter() < stop:
        start = time.perf_counter()
        for _ in range(count):
            step()
        wait()
        times.append((time.perf_counter() - start) / count)
        if len(times) == 1 and times[0] * BLOCKS > 4 * seconds:  # a step so long that one is enough
            break
    return times
