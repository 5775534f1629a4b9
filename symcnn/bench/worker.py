"""The process of one contender: reads requests as lines of JSON, does them, answers with lines of JSON.

``{"prepare": task}`` builds the task and does it once; ``{"run": task, "seconds": s}`` repeats it and answers the time
of every repetition; ``{"memory": task}`` asks for the peak of resident memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module

LEAST = 2  # repetitions of a run, however short the time


def main(module: str, variant: str) -> None:
    """Serve requests from standard input until it ends."""
    _keep_to_processors(int(os.environ["SYMCNN_THREADS"]))
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    contender = import_module(f"symcnn.bench.{module}")
    calls: dict = {}
    for line in sys.stdin:
        try:
            answer = _serve(contender, variant, calls, json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), file=answers, flush=True)


def _keep_to_processors(count: int) -> None:
    """Use the first `count` of the processors that this process may use, so that all contenders have equally many."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def _serve(contender, variant, calls, request) -> dict:
    if "prepare" in request:
        task = request["prepare"]
        call = calls[json.dumps(task)] = contender.prepare(variant, **task)
        call()
        return {}
    if "run" in request:
        return {"times": _repeat(calls[json.dumps(request["run"])], request["seconds"])}
    return {"peak": peak_memory(), **contender.memory(request["memory"])}


def _repeat(call, seconds) -> list[float]:
    """Seconds of each repetition; the first, whose data may have left the caches meanwhile, does not count."""
    call()
    times: list[float] = []
    stop = time.perf_counter() + seconds
    while len(times) < LEAST or time.perf_counter() < stop:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def peak_memory() -> int:
    """Bytes of resident memory at the peak of this process."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
