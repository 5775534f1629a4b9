"""Kernels to machine code of a GPU: numba.cuda writes PTX, nvJitLink assembles it, the cache remembers. None needs a GPU.

Numba, NVVM and nvJitLink are loaded when the first kernel is compiled: what comes from the cache needs none of them.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import astuple
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from symcnn import backends
from symcnn.backends import workers
from symcnn.backends.cache import KernelCache, cache_in, content_hash, imported, package_sources
from symcnn.backends.cuda.bindings import bindings
from symcnn.backends.cuda.launch import Kernel
from symcnn.backends.source import function_of
from symcnn.config import config
from symcnn.errors import BackendError

Capability = tuple[int, int]  # of a GPU, as NVIDIA numbers them: (9, 0) is Hopper

LEAST, PER_SECOND = 0.15, 4000  # seconds and characters: how long compiling takes, roughly

NAMESPACE = "symcnn.backends.cuda.namespace"
INSTALL = "pip install 'symcnn[cuda]'"

# Taken when the sources are imported, so that editing them later cannot label old code as new.
_SOURCES = package_sources(backends)
_ENVIRONMENT = re.compile(r"^\.common \.global .*?(_ZN08NumbaEnv\w+);\n", re.MULTILINE)
_ENTRY = re.compile(r"\.entry (\w+)\(")
_SHARED = re.compile(r"(cuda\.shared\.array\(\d+, \w+)\)")

_lock = threading.RLock()
_ready: dict[tuple[Kernel, Capability], tuple[str, bytes]] = {}
seconds = 0.0  # spent compiling by this process


def images(kernels: Iterable[Kernel], cc: Capability) -> dict[Kernel, tuple[str, bytes]]:
    """Symbol and code of each kernel as a driver loads it: a cubin, or PTX where there is no nvJitLink.

    Each is compiled at most once per process, and at most once per machine when the cache folder is usable.
    """
    global seconds
    unique = dict.fromkeys(kernels)
    with _lock:
        missing = [kernel for kernel in unique if (kernel, cc) not in _ready and key(kernel, cc) not in disk_cache()]
        if len(missing) > 1 and disk_cache().is_writable():
            start, before = time.perf_counter(), seconds
            jobs = {_as_text(kernel, cc): LEAST + len(kernel.source) / PER_SECOND for kernel in missing}
            workers.share_out(jobs, do, __name__)
            # Waiting for the others is compiling, too.
            seconds = before + time.perf_counter() - start
        return {kernel: _image(kernel, cc) for kernel in unique}


def _image(kernel: Kernel, cc: Capability) -> tuple[str, bytes]:
    if (kernel, cc) not in _ready:
        name = key(kernel, cc)
        _ready[kernel, cc] = disk_cache().read(name) or _compile(name, kernel, cc)
    return _ready[kernel, cc]


def _as_text(kernel: Kernel, cc: Capability) -> str:
    return json.dumps([*astuple(kernel), cc])


def do(text: str) -> None:
    """Compile the kernel of a line that another process wrote."""
    source, operands, integers, threads, cc = json.loads(text)
    _image(Kernel(source, tuple(operands), integers, threads), (cc[0], cc[1]))


def disk_cache() -> KernelCache:
    """The cache in the configured folder."""
    return cache_in(config.cache_dir / "cuda")


def key(kernel: Kernel, cc: Capability) -> str:
    """A name that stands for everything that the machine code depends on."""
    return content_hash(_fingerprint(), kernel.source, repr((kernel.operands, kernel.integers, kernel.threads, cc)))


def ptx(kernel: Kernel, cc: Capability) -> str:
    """PTX of a kernel, whose symbol is ``kernel_`` and its key."""
    compiler, number = _numba()
    pointers = (number.CPointer(getattr(number, name)) for name in kernel.operands)
    signature = number.void(*pointers, *[number.int32] * kernel.integers)
    symbol = f"kernel_{key(kernel, cc)}"
    # Without "fastmath" NVVM still fuses multiply-adds, rounds divisions and roots as IEEE says, keeps subnormal numbers
    # and assumes nothing about NaN and infinity. Knowing how many threads share the registers of a multiprocessor, the
    # assembler may give each as many as that leaves.
    function = _function(kernel.source, symbol)
    text, _ = compiler.compile_ptx(function, signature, cc=cc, launch_bounds=kernel.threads)
    return _tidy(text, symbol)


def cubin(text: str, cc: Capability) -> bytes | None:
    """Machine code of PTX; ``None`` if there is no nvJitLink that knows how: then a driver can assemble it.

    Raises
    ------
    BackendError
        With what nvJitLink says against the PTX.
    """
    if _version("nvjitlink", "nvJitLink") is None:
        return None
    linker = bindings("nvjitlink")
    try:
        handle = linker.create(1, [f"-arch=sm_{cc[0]}{cc[1]}"])
    except linker.nvJitLinkError:  # older than the GPU
        return None
    try:
        data = text.encode()
        linker.add_data(handle, linker.InputType.PTX, data, len(data), "kernel")
        linker.complete(handle)
        code = bytearray(linker.get_linked_cubin_size(handle))
        linker.get_linked_cubin(handle, code)
        return bytes(code)
    except linker.nvJitLinkError as error:
        log = bytearray(linker.get_error_log_size(handle))
        linker.get_error_log(handle, log)
        found = log.decode(errors="replace").strip("\0\n")
        if "Unsupported .version" in found:  # older than NVVM
            return None
        raise BackendError(
            f"nvJitLink cannot assemble a kernel for compute capability {cc[0]}.{cc[1]}",
            where="the CUDA compiler", found=found or str(error),
            hint="numba-cuda, nvidia-nvvm and nvidia-nvjitlink should be of one CUDA version; if they are, this is a "
            "fault of symcnn: please report it",
        ) from error  # fmt: skip
    finally:
        linker.destroy(handle)


def _compile(name: str, kernel: Kernel, cc: Capability) -> tuple[str, bytes]:
    """Symbol and code of a kernel, which are also written to the cache."""
    global seconds
    start = time.perf_counter()
    text = ptx(kernel, cc)
    symbol, code = f"kernel_{name}", cubin(text, cc) or text.encode()
    disk_cache().write(name, symbol, code, kernel.source)
    seconds += time.perf_counter() - start
    return symbol, code


def _numba() -> tuple[Any, Any]:
    """Its compiler for GPUs, and its types. Imported here, because a machine with a full cache compiles nothing."""
    try:
        from numba import cuda, types
    except Exception as error:  # whatever the one package misses in the other
        raise BackendError(
            "numba-cuda cannot be imported",
            where="the CUDA compiler",
            found=f"{error}, with numba-cuda {_package_version('numba-cuda')} and numba {_package_version('numba')}",
            hint=f"install versions that belong together: {INSTALL}",
        ) from error
    return cuda, types


def _function(source: str, name: str):
    # NVVM loads four neighbours at once only where it knows that they are aligned; the simulator knows no alignment.
    return function_of(_SHARED.sub(r"\1, alignment=16)", source), f"<symcnn {name}>", import_module(NAMESPACE).NAMES)


def _tidy(text: str, symbol: str) -> str:
    """PTX under the name that we choose, without memory that Numba reserves for each function and no code of a GPU reads."""
    (entry,) = _ENTRY.findall(text)
    text = text.replace(entry, symbol)
    for match in list(_ENVIRONMENT.finditer(text)):
        if text.count(match[1]) == 1:
            text = text.replace(match[0], "")
    return text


@cache
def _fingerprint() -> str:
    """What the machine code depends on besides the kernel: versions of the compilers, what kernels call, this module."""
    sources = sorted({__name__} | imported([NAMESPACE], _SOURCES))
    packages = [_package_version(name) for name in ("numba", "numba-cuda")]
    tools = [str(_version(*tool)) for tool in (("nvvm", "nvvm"), ("nvjitlink", "nvJitLink"))]
    return content_hash(*packages, *tools, *(_SOURCES[name] for name in sources))


def _package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


@cache
def _version(module: str, library: str) -> str | None:
    """Version of a library of the CUDA toolkit, and its size, for they say their version coarsely; ``None`` if missing."""
    try:
        found = bindings(module).version()
        path = import_module("cuda.pathfinder").load_nvidia_dynamic_lib(library).abs_path
        return f"{found} {Path(path).stat().st_size}"
    except Exception:  # each version of the bindings has its own for a library that cannot be found or loaded
        return None
