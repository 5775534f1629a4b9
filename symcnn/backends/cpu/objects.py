"""Object code of a kernel by Numba, without Numba's execution engine.

Numba loads everything that it compiles, and what is loaded is first translated to machine code: each helper of a kernel
too, though its code is needed only where it is inlined. Here only the kernel is translated, with what is left of its
helpers, and nothing is loaded.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from numba.core import codegen
from numba.core.compiler_lock import global_compiler_lock

from symcnn.backends.jit import cfunc, cpu_target

_NumbaLibrary: Any = codegen.JITCodeLibrary


class _Unloaded(_NumbaLibrary):
    """Functions as optimised LLVM code, ready to be linked into their callers."""

    def _finalize_final_module(self):
        self._finalized = True

    def get_pointer_to_function(self, name):
        self._ensure_finalized()
        return 0


def object_code(function: Callable, signature, **options) -> tuple[str, bytes]:
    """Symbol and object code of `function` as C would call it; `options` are those of `numba.cfunc`."""
    with _nothing_loaded() as numba_codegen, _no_garbage_collection():
        compiled = cfunc(signature, **options)(function)
        return compiled._wrapper_name, numba_codegen._tm.emit_object(compiled._library._final_module)


@contextmanager
def _nothing_loaded():
    numba_codegen = cpu_target.target_context.codegen()
    with global_compiler_lock:
        numba_codegen._library_class = _Unloaded
        numba_codegen.set_env = lambda name, environment: None  # there is no memory to store it in
        try:
            yield numba_codegen
        finally:
            del numba_codegen._library_class, numba_codegen.set_env  # those of its class again


@contextmanager
def _no_garbage_collection():
    """The compiler makes many objects and next to no garbage: to look for it costs up to a tenth of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
