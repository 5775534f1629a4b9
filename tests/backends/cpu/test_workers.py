"""Kernels compiled by several processes: all of them arrive, whoever compiled them, and whoever failed."""

import os
import subprocess
import sys

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends import workers as processes
from symcnn.backends.cpu import compiler, executor, workers
from tests.backends.cpu.test_compiler import SOURCE, call, empty_cache  # noqa: F401


@pytest.fixture
def eager(monkeypatch):
    """One worker, however little there is to do."""
    monkeypatch.setattr(sc.config, "threads", 2)
    monkeypatch.setattr(processes, "START", 1e-3)


def sources(count):
    return [SOURCE.format(name=f"shared out {k}", factor=float(k)) for k in range(count)]


def works(address, factor):
    array = np.ones(3)
    call(address, array)
    return array.tolist() == [factor] * 3


def test_every_kernel_arrives(empty_cache, eager):  # noqa: F811
    kernels = sources(8)
    found = compiler.compile_kernels([*kernels, kernels[0]])
    assert list(found) == kernels and all(works(found[k], n) for n, k in enumerate(kernels))
    assert len(list(empty_cache.glob("*.kernel"))) == 8
    assert compiler.compile_kernels(kernels) == found


def test_a_worker_does_jobs_of_every_kind(empty_cache):  # noqa: F811
    from symcnn.backends.cpu.tuned.packing import PACK

    source, pack = sources(1)[0], PACK["float32"]
    jobs = [source, pack, workers.EXECUTOR, "def kernel(lo, hi, args):\n    return nothing_known"]
    code = processes._CODE.format(path=sys.path, module=workers.__name__)
    found = subprocess.run(
        [sys.executable, "-c", code],
        input="\n".join(map(workers._as_text, jobs)),
        env={**os.environ, "SYMCNN_CACHE_DIR": str(sc.config.cache_dir)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ["ready", *["done"] * len(jobs)]
    assert compiler._key(source) in compiler.disk_cache() and compiler._key(pack) in compiler.disk_cache()
    assert len(list(empty_cache.glob("*.kernel"))) == 2
    assert any((sc.config.cache_dir / "executor").rglob("*.nbc"))


@pytest.mark.parametrize("broken", ["no such program", sys.executable, None])
def test_without_workers_all_is_compiled_here(empty_cache, eager, monkeypatch, broken):  # noqa: F811
    monkeypatch.setattr(processes, "_CODE", "raise SystemExit(3)  # {path}")
    monkeypatch.setattr(sys, "executable", broken)
    kernels = sources(3)
    found = compiler.compile_kernels(kernels)
    assert all(works(found[k], n) for n, k in enumerate(kernels))


def test_a_failure_here_is_raised(empty_cache, eager):  # noqa: F811
    bad = "def kernel(lo, hi, args):\n    return nothing_known"
    with pytest.raises(Exception, match="nothing_known"):
        compiler.compile_kernels([*sources(2), bad])


def test_few_kernels_start_no_worker(empty_cache, monkeypatch):  # noqa: F811
    monkeypatch.setattr(processes, "_Worker", None)
    executor.prepare()
    compiler.compile_kernels(sources(2))


def test_a_cache_that_cannot_be_written_starts_no_worker(empty_cache, eager, monkeypatch):  # noqa: F811
    executor.prepare()
    monkeypatch.setattr(processes, "_Worker", None)
    monkeypatch.setattr(os, "access", lambda *_: False)
    kernels = sources(3)
    found = compiler.compile_kernels(kernels)
    assert all(works(found[k], n) for n, k in enumerate(kernels))
