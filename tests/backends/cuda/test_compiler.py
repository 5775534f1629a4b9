"""Kernels become machine code without a GPU: once per process and machine, under a name that stands for all it depends on."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import symcnn as sc
from symcnn.backends import workers
from symcnn.backends.cuda import compiler
from symcnn.backends.cuda.launch import Kernel
from symcnn.errors import BackendError

HOPPER = (9, 0)
KERNEL = Kernel(
    """def kernel(x0, x1, n0):
    i = int32(cuda.blockIdx.x * 128 + cuda.threadIdx.x)
    if i < n0:
        x1[i] = exp(x0[i]) / x0[i] + x0[i] * x1[i]
""",
    ("float32", "float32"),
    1,
    128,
)
# Compiles, or says that nothing had to be compiled and which modules that took.
PROGRAM = """
import sys
from symcnn.backends.cuda import compiler
from symcnn.backends.cuda.launch import Kernel
kernel = {kernel!r}
(symbol, code), = compiler.images([kernel], (9, 0)).values()
print(symbol, code[:4], "compiled" if compiler.seconds else "loaded", "numba" in sys.modules)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Of an empty cache, in a process that has compiled nothing."""
    monkeypatch.setattr(sc.config, "cache_dir", tmp_path)
    another_process(monkeypatch)
    return tmp_path / "cuda"


def another_process(monkeypatch):
    monkeypatch.setattr(compiler, "_ready", {})
    monkeypatch.setattr(compiler, "seconds", 0.0)


def compiled(kernel=KERNEL, cc=HOPPER):
    return compiler.images([kernel], cc)[kernel]


@pytest.mark.parametrize("cc", [(8, 0), HOPPER])
def test_ptx(cc):
    text = compiler.ptx(KERNEL, cc)
    symbol = f"kernel_{compiler.key(KERNEL, cc)}"
    assert re.findall(r"\.entry (\w+)", text) == [symbol]
    assert f".target sm_{cc[0]}{cc[1]}" in text and "NumbaEnv" not in text and "_ZN" not in text
    assert ".maxntid 128" in text
    assert re.findall(r"\.param \.(\w+) ", text) == ["u64", "u64", "u32"]


def test_arithmetic_is_that_of_ieee_but_for_fused_multiply_add():
    text = compiler.ptx(KERNEL, HOPPER)
    assert "div.rn.f32" in text and "fma.rn.f32" in text
    source = KERNEL.source.replace("exp(x0[i]) / x0[i] + x0[i] * x1[i]", "sqrt(x0[i]) * float32(isnan(x1[i]))")
    text = compiler.ptx(replace(KERNEL, source=source), HOPPER)
    assert "sqrt.rn.f32" in text and re.search(r"setp\.(nan|neu)\.f32", text) and ".ftz" not in text


def test_numbers_of_every_kind():
    names = ("uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float32", "float64")
    lines = [f"    x{k}[n0] = x{(k + 1) % len(names)}[n1]" for k in range(len(names))]
    source = "\n".join([f"def kernel({', '.join(f'x{k}' for k in range(len(names)))}, n0, n1):", *lines, ""])
    assert compiler.cubin(compiler.ptx(Kernel(source, names, 2, 32), HOPPER), HOPPER)


def test_a_cubin(folder):
    symbol, code = compiled()
    assert symbol == f"kernel_{compiler.key(KERNEL, HOPPER)}"
    assert code.startswith(b"\x7fELF") and symbol.encode() in code


def test_ptx_that_cannot_be_assembled():
    text = compiler.ptx(KERNEL, HOPPER).replace("div.rn.f32", "div.by.f32")
    with pytest.raises(BackendError, match=r"cannot assemble a kernel for compute capability 9\.0") as caught:
        compiler.cubin(text, HOPPER)
    assert "Unknown modifier '.by'" in caught.value.found and "one CUDA version" in caught.value.hint


def test_ptx_that_is_too_new_for_nvjitlink_is_left_to_the_driver():
    text = re.sub(r"\.version [\d.]+", ".version 99.0", compiler.ptx(KERNEL, HOPPER))
    assert compiler.cubin(text, HOPPER) is None


def test_a_gpu_that_is_too_new_for_nvjitlink_is_left_to_the_driver():
    assert compiler.cubin(compiler.ptx(KERNEL, HOPPER), (99, 0)) is None


def test_without_nvjitlink_the_driver_gets_ptx(folder, monkeypatch):
    honest = compiler._version
    monkeypatch.setattr(
        compiler, "_version", lambda module, library: None if module == "nvjitlink" else honest(module, library)
    )
    symbol, code = compiled()
    assert f".entry {symbol}(".encode() in code
    another_process(monkeypatch)
    assert compiled() == (symbol, code) and compiler.seconds == 0


def test_a_missing_library_has_no_version():
    assert compiler._version("nvjitlink", "nvJitLink")
    assert compiler._version("no_such_module", "none") is None
    assert compiler._version("nvjitlink", "no_such_library") is None


def test_a_kernel_is_compiled_once(folder, monkeypatch):
    other = replace(KERNEL, threads=64)
    found = compiler.images([KERNEL, other, KERNEL], HOPPER)
    assert list(found) == [KERNEL, other] and len({symbol for symbol, _ in found.values()}) == 2
    spent = compiler.seconds
    assert spent > 0 and compiler.images([KERNEL, other], HOPPER) == found and compiler.seconds == spent
    another_process(monkeypatch)
    assert compiler.images([other, KERNEL], HOPPER) == found and compiler.seconds == 0
    name = compiler.key(KERNEL, HOPPER)
    assert (folder / f"{name}.py").read_text() == KERNEL.source
    assert len(list(folder.iterdir())) == 4


def test_a_second_process_compiles_nothing_and_needs_no_compiler(folder):
    symbol, _ = compiled()
    environment = {**os.environ, "SYMCNN_CACHE_DIR": str(folder.parent)}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(kernel=KERNEL)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == [symbol, r"b'\x7fELF'", "loaded", "False"] and not run.stderr


@pytest.fixture
def eager(monkeypatch):
    """One worker, however little there is to do."""
    monkeypatch.setattr(sc.config, "threads", 2)
    monkeypatch.setattr(workers, "START", 1e-3)


def test_kernels_are_compiled_by_several_processes(folder, eager, monkeypatch):
    kernels = [replace(KERNEL, threads=32 * (k + 1)) for k in range(6)]
    done = []
    honest = compiler.do

    def slow(text):
        honest(text)
        done.append(text)
        deadline = time.monotonic() + 60
        while len(list(folder.glob("*.kernel"))) == 1 and time.monotonic() < deadline:
            time.sleep(0.01)  # so that the worker has its share

    monkeypatch.setattr(compiler, "do", slow)
    found = compiler.images(kernels, HOPPER)
    assert list(found) == kernels and all(code.startswith(b"\x7fELF") for _, code in found.values())
    assert 0 < len(done) < len(kernels) and compiler.seconds and len(list(folder.glob("*.kernel"))) == len(kernels)
    another_process(monkeypatch)
    assert compiler.images(kernels, HOPPER) == found and compiler.seconds == 0


def test_a_failure_is_raised_whoever_met_it(folder, eager):
    bad = replace(KERNEL, source="def kernel(x0, x1, n0):\n    x0[0] = nothing_known\n")
    with pytest.raises(Exception, match="nothing_known"):
        compiler.images([KERNEL, bad], HOPPER)


@pytest.mark.parametrize("broken", ["no such program", sys.executable, None])
def test_without_workers_all_is_compiled_here(folder, eager, monkeypatch, broken):
    monkeypatch.setattr(workers, "_CODE", "raise SystemExit(3)  # {path} {module}")
    monkeypatch.setattr(sys, "executable", broken)
    kernels = [KERNEL, replace(KERNEL, threads=64)]
    assert list(compiler.images(kernels, HOPPER)) == kernels


def test_a_cache_that_cannot_be_written_starts_no_worker(folder, eager, monkeypatch):
    monkeypatch.setattr(workers, "_Worker", None)
    monkeypatch.setattr(os, "access", lambda *_: False)
    kernels = [KERNEL, replace(KERNEL, threads=64)]
    assert list(compiler.images(kernels, HOPPER)) == kernels


@pytest.mark.parametrize("damage", ["truncated", "emptied", "flipped"])
def test_damaged_files_are_compiled_again(folder, monkeypatch, damage):
    whole = compiled()
    (path,) = folder.glob("*.kernel")
    data = bytearray(path.read_bytes())
    data[-20] ^= 0xFF
    path.write_bytes({"truncated": data[: len(data) // 2], "emptied": b"", "flipped": data}[damage])
    another_process(monkeypatch)
    assert compiled() == whole and compiler.seconds > 0
    another_process(monkeypatch)
    assert compiled() == whole and compiler.seconds == 0


def test_the_key_changes_with_what_the_machine_code_depends_on(monkeypatch):
    def key(kernel=KERNEL, cc=HOPPER):
        compiler._fingerprint.cache_clear()
        return compiler.key(kernel, cc)

    usual = key()
    assert usual == key() and re.fullmatch("[0-9a-f]{32}", usual)
    others = [
        key(cc=(8, 0)),
        key(replace(KERNEL, source=KERNEL.source + "\n")),
        key(replace(KERNEL, operands=("float32", "float64"))),
        key(replace(KERNEL, integers=2)),
        key(replace(KERNEL, threads=64)),
    ]
    for package in ("numba", "numba-cuda"):
        with monkeypatch.context() as changed:
            honest = compiler._package_version
            changed.setattr(compiler, "_package_version", lambda name: "0" if name == package else honest(name))  # noqa: B023
            others.append(key())
    for tool in ("nvvm", "nvjitlink"):
        with monkeypatch.context() as changed:
            honest = compiler._version
            changed.setattr(compiler, "_version", lambda module, lib: "0" if module == tool else honest(module, lib))  # noqa: B023
            others.append(key())
    for module in ("cuda.compiler", "cuda.namespace", "scalars.functions", "scalars.formula", "cuda.vectors"):
        with monkeypatch.context() as changed:
            changed.setitem(compiler._SOURCES, f"symcnn.backends.{module}", "")
            others.append(key())
    assert len({usual, *others}) == 1 + len(others)
    for module in ("cuda.driver", "cuda.launch", "cpu.compiler", "cache"):
        with monkeypatch.context() as changed:
            changed.setitem(compiler._SOURCES, f"symcnn.backends.{module}", "")
            assert key() == usual
    compiler._fingerprint.cache_clear()


def test_packages_that_do_not_belong_together(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba.cuda", None)
    monkeypatch.delattr("numba.cuda", raising=False)
    with pytest.raises(BackendError, match="numba-cuda cannot be imported") as caught:
        compiler.ptx(KERNEL, HOPPER)
    assert compiler._package_version("numba") in caught.value.found and "symcnn[cuda]" in caught.value.hint


def test_a_version_that_cannot_be_told():
    assert compiler._package_version("numba") != compiler._package_version("no such package") == "none"


def test_what_a_compiler_says_names_the_line_of_the_kernel(folder):
    with pytest.raises(Exception, match="nothing_known") as caught:
        compiled(replace(KERNEL, source="def kernel(x0, x1, n0):\n    x0[0] = n0.nothing_known\n"))
    assert "x0[0] = n0.nothing_known" in str(caught.value)
    assert not folder.exists()


def test_the_sources_are_those_of_the_files():
    assert compiler._SOURCES[compiler.__name__] == Path(compiler.__file__).read_text()
