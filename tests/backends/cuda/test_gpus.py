"""Which GPU is meant, and what people are told when there is none, or something is missing that it needs."""

import subprocess
import sys

import pytest

from symcnn.backends.base import backend
from symcnn.backends.cuda import gpus
from symcnn.backends.cuda.bindings import Driver, DriverError
from symcnn.backends.cuda.driver import Gpu
from symcnn.config import config
from symcnn.errors import BackendError, InputError, PackageError
from tests.backends.cuda.fake_driver import FakeDriver


@pytest.fixture
def fake(monkeypatch):
    """A machine with two GPUs."""
    module = FakeDriver(gpus=2)
    monkeypatch.setattr(gpus, "Driver", lambda: Driver(module))
    monkeypatch.setattr(gpus, "_opened", {})
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return module


def test_names(monkeypatch):
    opened = []
    monkeypatch.setattr("symcnn.backends.cuda.backend._opened", {})
    monkeypatch.setattr("symcnn.backends.cuda.backend.gpu", lambda number: opened.append(number) or object())
    monkeypatch.setattr(config, "simulate_cuda", False)
    for name in ("cuda", "cuda:0", "cuda:12"):
        backend(name)
    assert opened == [0, 0, 12]
    for name in ("cuda:", "cuda:-1", "cuda:x", "cuda1", "gpu", "cuda:0 "):
        with pytest.raises(InputError, match="there is no device") as caught:
            backend(name)
        assert "'cuda:1'" in caught.value.hint


def test_a_gpu_is_opened_once(fake):
    first = gpus.gpu()
    assert isinstance(first, Gpu) and first is gpus.gpu(0) and first.number == 0
    assert gpus.unavailable() is None and fake.calls.count("cuDevicePrimaryCtxRetain") == 1
    assert gpus.unavailable(2) == (
        "there is no GPU number 2; nvidia-smi lists the GPUs of this machine; device='cpu' needs none"
    )


def test_the_list(fake):
    assert gpus.listed() == ["Fake H200 (9.0)"] * 2
    assert "cuDevicePrimaryCtxRetain" not in fake.calls  # nothing is put on them


def refused(kind, what):
    """The error."""
    with pytest.raises(kind, match=what) as caught:
        gpus.gpu()
    assert gpus.unavailable().startswith(caught.value.what) and not gpus._opened
    return caught.value


def test_no_gpu(fake, monkeypatch):
    fake.gpus = 0
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    error = refused(BackendError, "there is no GPU")
    assert error.found == "CUDA_VISIBLE_DEVICES=''" and "nvidia-smi" in error.hint


def test_a_driver_that_finds_no_gpu(fake):
    fake.failing["cuInit"] = "CUDA_ERROR_NO_DEVICE"
    error = refused(DriverError, "CUDA cannot be started")
    assert error.found == "CUDA_ERROR_NO_DEVICE: what NVIDIA says" and "CUDA_VISIBLE_DEVICES" in error.hint


def test_too_old_a_gpu(fake):
    fake.capability = (7, 2)
    error = refused(BackendError, "the Fake H200 is too old")
    assert error.found == "7.2" and "7.5" in error.expected
    fake.capability = (7, 5)
    assert gpus.gpu().capability == (7, 5)


def test_no_driver(fake, monkeypatch):
    class NoLibrary(FakeDriver):
        def _cuInit(self, flags):
            raise RuntimeError('Failed to dlopen "libcuda.so.1"')  # as the bindings do

    monkeypatch.setattr(gpus, "Driver", lambda: Driver(NoLibrary()))
    error = refused(BackendError, "there is no NVIDIA driver")
    assert "libcuda" in error.found and "device='cpu'" in error.hint and "--gpus all" in error.hint


@pytest.mark.parametrize("missing", [{"numba_cuda": "numba-cuda"}, {"cuda": "cuda-bindings"}])
def test_no_packages(fake, monkeypatch, missing):
    honest = gpus.find_spec
    monkeypatch.setattr(gpus, "find_spec", lambda name: None if name in missing else honest(name))
    error = refused(PackageError, f"device='cuda' needs {next(iter(missing.values()))}")
    assert error.hint == "pip install 'symcnn[cuda]'"


def test_bindings_without_a_driver_module(fake, monkeypatch):
    def bare():
        raise ModuleNotFoundError("No module named 'cuda.bindings'")

    monkeypatch.setattr(gpus, "Driver", bare)
    error = refused(PackageError, "needs cuda-bindings")
    assert "cuda.bindings" in error.found and "symcnn[cuda]" in error.hint


def test_no_compiler(fake, monkeypatch):
    def missing(name):
        assert name == "nvvm"
        raise RuntimeError("libnvvm.so.4 not found")

    monkeypatch.setattr(gpus, "bindings", missing)
    error = refused(BackendError, "NVVM, the compiler of the CUDA toolkit, is missing")
    assert "libnvvm" in error.found and "CUDA_HOME" in error.hint


def test_numba_simulates(fake, monkeypatch):
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    assert refused(BackendError, "Numba simulates CUDA").hint == "unset it"


def test_this_machine():
    # In a process of its own, since CUDA cannot be started and stopped.
    code = "from symcnn.backends.cuda import gpus; print(gpus.unavailable(), flush=True); print(gpus.unavailable(99))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = found.stdout.splitlines()
    assert (
        first == "None" or "there is no NVIDIA driver" in first or "there is no GPU" in first or "CUDA_ERROR" in first
    )
    assert second.startswith("there is no GPU number 99") if first == "None" else second


def test_nothing_happens_at_import():
    code = "import sys, symcnn.backends.cuda.gpus, symcnn.backends.cuda.array as a; print({'cuda', 'numba'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
