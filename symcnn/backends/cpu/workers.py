"""What other processes are asked to compile: generated kernels, functions of the tuned library, and the executor."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from symcnn.backends import workers
from symcnn.backends.cpu import executor

EXECUTOR = "executor"  # the job of compiling the executor

# Seconds of compiling, roughly: what is written by hand is long and unrolled.
GENERATED, HANDWRITTEN = 0.25, 1.5


def share_out(jobs: list, compile_job: Callable[[Any], object]) -> None:
    """Do all `jobs`, kernels or `EXECUTOR`: here by ``compile_job(job)``, and in other processes meanwhile.

    Parameters
    ----------
    jobs : list of str or callable
        Generated source, functions of the tuned library, or `EXECUTOR`.
    compile_job : callable
    """
    of_text = {_as_text(job): job for job in jobs}
    seconds = {text: _seconds(job) for text, job in of_text.items()}
    workers.share_out(seconds, lambda text: compile_job(of_text[text]), __name__)


def _seconds(job) -> float:
    generated = isinstance(job, str) and job != EXECUTOR
    return GENERATED + len(job) / 1e5 if generated else HANDWRITTEN


def _as_text(job) -> str:
    return json.dumps(job if isinstance(job, str) else [job.__module__, job.__qualname__])


def do(text: str) -> None:
    """Do a job in a worker."""
    from symcnn.backends.cpu import compiler

    job = json.loads(text)
    if job == EXECUTOR:
        executor.prepare()
    else:
        compiler.compile_kernel(job if isinstance(job, str) else _function(*job))


def _function(module: str, name: str):
    """The kernel called `name` in a module of the tuned library, by itself or in a table of kernels."""
    for value in vars(import_module(module)).values():
        for kernel in value.values() if isinstance(value, dict) else [value]:
            if getattr(kernel, "__qualname__", None) == name:
                return kernel
    raise LookupError(name)
