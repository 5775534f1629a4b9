"""Kernels to machine code: Numba compiles, the cache remembers, the address is what the executor calls."""

from __future__ import annotations

import inspect
import re
import threading
import time
from collections.abc import Callable
from functools import cache

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types

from symcnn import backends
from symcnn.backends.cache import KernelCache, cache_in, content_hash, imported, package_sources
from symcnn.backends.cpu import executor, workers
from symcnn.backends.cpu.codegen import IN_ANY_ORDER
from symcnn.backends.cpu.objects import object_code
from symcnn.backends.jit import cpu_target, intrinsic
from symcnn.backends.scalars import functions
from symcnn.backends.source import function_of
from symcnn.config import config
from symcnn.ir.types import DTYPES

SIGNATURE = types.void(types.int64, types.int64, types.uintp)
# Multiply-add may be fused, and the sign of a zero is free; that NaN and infinity do not occur is never assumed, and
# divisions stay divisions. Only sums may be reordered, or they would not vectorise: kernels that have none are exact.
FASTMATH = {"contract", "nsz"}
REORDERING = FASTMATH | {"reassoc"}


def _pointer_to(element):
    @intrinsic
    def at(typing_context, address):
        def generate(context, builder, signature, arguments):
            # No two operands of a kernel overlap, unless they go by the same pointer. LLVM believes that of pointers
            # which a call returns as "noalias", as malloc does; then it need not compare addresses before each loop.
            # The empty instruction lets the pointer escape: what is written through it will be read by others.
            pointer, name = context.get_value_type(signature.return_type), f"{element}_at"
            function = builder.module.globals.get(name)
            if function is None:
                function = ir.Function(builder.module, ir.FunctionType(pointer, [ir.IntType(64)]), name)
                function.linkage = "internal"
                function.attributes.add("noinline")
                function.return_value.add_attribute("noalias")
                inside = ir.IRBuilder(function.append_basic_block())
                inside.ret(inside.inttoptr(function.args[0], pointer))
            found = builder.call(function, arguments)
            builder.asm(ir.FunctionType(ir.VoidType(), [pointer]), "", "r", [found], True)
            return found

        return types.CPointer(element)(address), generate

    return at


NAMESPACE = {
    **functions.NAMES,
    **{f"{d.name}_at": _pointer_to(getattr(types, d.name)) for d in DTYPES if d.name != "bool"},
    **{d.name: getattr(np, d.name) for d in DTYPES if d.name != "bool"},
    "nan": np.nan,
    "inf": np.inf,
}  # fmt: skip

_lock = threading.RLock()
_loaded: dict[str, tuple[int, object]] = {}
seconds = 0.0  # spent compiling by this process


def compile_kernel(kernel: str | Callable) -> int:
    """Address of a kernel given as generated source or as a function of the tuned library.

    Compiled at most once per process, and at most once per machine when the cache folder is usable.
    """
    key = _key(kernel)
    with _lock:
        if key not in _loaded:
            _loaded[key] = _load(key, *(disk_cache().read(key) or _compile(key, kernel)))
        return _loaded[key][0]


def compile_kernels(kernels) -> dict[str | Callable, int]:
    """Addresses of many kernels, and the executor made ready: what no cache holds is compiled by several processes."""
    global seconds
    unique = dict.fromkeys(kernels)
    with _lock:
        jobs = [kernel for kernel in unique if not _is_compiled(_key(kernel))]
        jobs += [] if executor.is_ready() else [workers.EXECUTOR]
        if len(jobs) > 1 and disk_cache().is_writable():
            start, before = time.perf_counter(), seconds + executor.seconds
            workers.share_out(jobs, lambda job: executor.prepare() if job == workers.EXECUTOR else compile_kernel(job))
            # Waiting for the others is compiling, too.
            seconds += time.perf_counter() - start - (seconds + executor.seconds - before)
        executor.prepare()
        return {kernel: compile_kernel(kernel) for kernel in unique}


def disk_cache() -> KernelCache:
    """The cache in the configured folder."""
    return cache_in(config.cache_dir / "kernels")


def _is_compiled(key: str) -> bool:
    return key in _loaded or key in disk_cache()


def _key(kernel) -> str:
    # What a generated kernel calls are scalar functions; a tuned one is a function of its module and what that imports.
    generated = isinstance(kernel, str)
    return content_hash(
        _fingerprint(functions.__name__ if generated else kernel.__module__),
        kernel if generated else f"{kernel.__module__}.{kernel.__qualname__}",
    )


# Taken when the sources are imported, so that editing them later cannot label old code as new.
_SOURCES = package_sources(backends)


@cache
def _fingerprint(module: str) -> str:
    """What the machine code of kernels in `module` depends on besides their names: that source, those it imports, ours."""
    needed = {__name__} | imported([module, object_code.__module__], _SOURCES)
    # The processor that Numba compiles for: this one, unless NUMBA_CPU_NAME and its like ask for another.
    target = cpu_target.target_context.codegen().magic_tuple()
    versions = numba.__version__, str(llvm.llvm_version_info)
    return content_hash(*versions, *target, *(_SOURCES[name] for name in sorted(needed)))


def _load(key: str, symbol: str, code: bytes) -> tuple[int, object]:
    """Address of a kernel, and what keeps it alive."""
    cpu_target.target_context.refresh()
    codegen = cpu_target.target_context.codegen()
    library = codegen.unserialize_library((key, "object", (code, llvm.parse_assembly("").as_bitcode())))
    # The library itself knows only symbols of bitcode, of which there is none.
    return codegen._engine.get_function_address(symbol), library


def _compile(key: str, kernel) -> tuple[str, bytes]:
    """Symbol and object code of a kernel, which are also written to the cache."""
    global seconds
    start = time.perf_counter()
    # The symbol is made unique by the key: equal names of different kernels must not meet in one process.
    function = _function(kernel, f"kernel_{key}") if isinstance(kernel, str) else kernel
    reorder = not isinstance(kernel, str) or IN_ANY_ORDER in kernel
    fastmath = REORDERING if reorder else FASTMATH
    symbol, code = object_code(function, SIGNATURE, nopython=True, fastmath=fastmath, error_model="numpy")
    disk_cache().write(key, symbol, code, kernel if isinstance(kernel, str) else inspect.getsource(kernel))
    seconds += time.perf_counter() - start
    return symbol, code


def _function(source: str, name: str):
    return function_of(re.sub(r"^def kernel\(", f"def {name}(", source), f"<symcnn {name}>", NAMESPACE, name)
