"""Compiling a kernel: once per process, under a name that stands for everything it depends on."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import symcnn as sc
from symcnn.backends.cache import KernelCache, content_hash
from symcnn.backends.cpu import compiler
from symcnn.backends.cpu.objects import object_code
from symcnn.backends.cpu.tuned.arguments import helper
from symcnn.backends.jit import njit

SOURCE = '''def kernel(lo, hi, args):
    """{name}"""
    block = int64_at(args)
    x0 = float64_at(block[0])
    for i in range(lo, hi):
        x0[i] = x0[i] * float64({factor})
'''


def call(address, array):
    """The kernel at `address` on all elements of `array`."""
    import ctypes

    block = np.array([array.ctypes.data, 0, 0, 1], np.int64)
    ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_size_t)(address)(0, array.size, block.ctypes.data)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(sc.config, "cache_dir", tmp_path)
    monkeypatch.setattr(compiler, "_loaded", {})
    return tmp_path / "kernels"


def test_a_kernel_is_compiled_once_and_then_loaded(empty_cache, monkeypatch):
    source = SOURCE.format(name="once", factor=3.0)
    before = compiler.seconds
    address = compiler.compile_kernel(source)
    assert compiler.seconds > before
    assert compiler.compile_kernel(source) == address
    after = compiler.seconds
    monkeypatch.setattr(compiler, "_loaded", {})  # as in another process
    loaded = compiler.compile_kernel(source)
    assert compiler.seconds == after
    for where in (address, loaded):
        array = np.ones(5)
        call(where, array)
        assert array.tolist() == [3] * 5
    assert sorted(p.suffix for p in empty_cache.iterdir()) == [".kernel", ".py"]
    (text,) = empty_cache.glob("*.py")
    assert text.read_text() == source


def test_kernels_of_one_name_do_not_meet(empty_cache):
    addresses = [compiler.compile_kernel(SOURCE.format(name="same", factor=float(k))) for k in (2, 5)]
    found = []
    for address in addresses:
        array = np.ones(2)
        call(address, array)
        found.append(array[0])
    assert found == [2, 5]


def test_the_key_changes_with_what_the_machine_code_depends_on(monkeypatch):
    source = SOURCE.format(name="key", factor=1.0)
    key = compiler._key(source)
    assert key == compiler._key(source)
    assert key != compiler._key(source + "\n")
    compiler._fingerprint.cache_clear()
    monkeypatch.setattr(compiler.numba, "__version__", "0.0.0")
    assert compiler._key(source) != key
    compiler._fingerprint.cache_clear()


@pytest.mark.parametrize("setting", [{"NUMBA_CPU_NAME": "nehalem"}, {"NUMBA_CPU_FEATURES": "+sse2"}])
def test_a_kernel_for_another_processor_has_another_key(setting):
    program = "from symcnn.backends.cpu import compiler; print(compiler._key('def kernel(lo, hi, args): pass'))"
    keys = [
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, **extra}, check=True, capture_output=True, text=True
        ).stdout
        for extra in ({}, setting)
    ]
    assert keys[0] and keys[0] != keys[1]


def test_a_kernel_depends_on_the_sources_it_uses_and_no_others(monkeypatch):
    def tuned(lo, hi, args): ...

    tuned.__module__ = "symcnn.backends.cpu.tuned.tile"
    generated = SOURCE.format(name="sources", factor=1.0)

    def keys_without(module):
        compiler._fingerprint.cache_clear()
        with monkeypatch.context() as edited:
            if module:
                edited.setitem(compiler._SOURCES, f"symcnn.backends.{module}", "")
            return compiler._key(generated), compiler._key(tuned)

    before = keys_without(None)
    changed = {
        module: [old != new for old, new in zip(before, keys_without(module), strict=True)]
        for module in (
            "cpu.compiler",
            "cpu.objects",
            "jit",
            "scalars.functions",
            "cpu.simd",
            "cpu.tuned.tile",
            "cpu.codegen",
            "cpu.executor",
        )
    }
    compiler._fingerprint.cache_clear()
    assert changed == {
        "cpu.compiler": [True, True],
        "cpu.objects": [True, True],
        "jit": [True, True],
        "scalars.functions": [True, False],
        "cpu.simd": [False, True],
        "cpu.tuned.tile": [False, True],
        "cpu.codegen": [False, False],
        "cpu.executor": [False, False],
    }


def test_hashes_do_not_run_into_each_other():
    assert content_hash("ab", "c") != content_hash("a", "bc")
    assert content_hash("ab") == content_hash(b"ab")
    assert len(content_hash("")) == 32


def test_a_helper_of_a_kernel_serves_other_functions_too():
    at = compiler.NAMESPACE["int64_at"]

    @helper
    def cube(x):
        return x * x * x

    def kernel(lo, hi, args):
        block = at(args)
        block[0] = cube(block[0])

    _, code = object_code(kernel, compiler.SIGNATURE, nopython=True)
    assert code
    assert njit(lambda x: cube(x))(3) == 27


def test_threads_compile_a_kernel_once(empty_cache, monkeypatch):
    compiled = []
    honest = compiler._compile
    monkeypatch.setattr(compiler, "_compile", lambda key, kernel: compiled.append(key) or honest(key, kernel))
    addresses = []
    source = SOURCE.format(name="threads", factor=7.0)
    threads = [threading.Thread(target=lambda: addresses.append(compiler.compile_kernel(source))) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(compiled) == 1
    assert len(set(addresses)) == 1


@pytest.mark.parametrize("data", [b"", b"symcnn", b"x" * 500, b"symcnn-kernel-1\n" + b"\0" * 32 + b"code"])
def test_a_file_that_is_no_kernel_is_absent(tmp_path, data):
    cache = KernelCache(tmp_path)
    (tmp_path / "key.kernel").write_bytes(data)
    assert cache.read("key") is None


def test_what_is_written_is_read(tmp_path):
    cache = KernelCache(tmp_path / "new" / "folder")
    assert cache.read("key") is None
    code = bytes(range(256)) * 10
    cache.write("key", "symbol", code, "source")
    assert cache.read("key") == ("symbol", code)
    assert sorted(p.name for p in cache.folder.iterdir()) == ["key.kernel", "key.py"]
    path = cache.folder / "key.kernel"
    whole = path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert cache.read("key") is None
    for position in (0, 20, 40, len(whole) - 1):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert cache.read("key") is None
    path.write_bytes(whole)
    assert cache.read("key") == ("symbol", code)


def test_a_folder_that_cannot_be_written_costs_one_warning(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = KernelCache(tmp_path / "file" / "kernels")
    with pytest.warns(RuntimeWarning, match="SYMCNN_CACHE_DIR") as seen:
        cache.write("key", "symbol", b"code", "source")
        cache.write("other", "symbol", b"code", "source")
    assert len(seen) == 1
    assert cache.read("key") is None


def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path, monkeypatch):
    import os

    cache = KernelCache(tmp_path)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        cache.write("key", "symbol", b"code", "source")
    assert list(tmp_path.iterdir()) == []
