"""What the PTX of a kernel may not contain, and what the assembler makes of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any
from unittest import mock

from symcnn.backends.cache import KernelCache
from symcnn.backends.cuda import compiler
from symcnn.backends.cuda.launch import Kernel
from symcnn.config import config

Capability = tuple[int, int]

INSTALLED = shutil.which("ptxas") is not None

_SPILLS = re.compile(r"(\d+) bytes spill (?:stores|loads)")
_STACK = re.compile(r"(\d+) bytes stack frame")
_REGISTERS = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")

# What an instruction is called -> why a kernel should not have it.
_SLOW = (
    (re.compile(r"\b(?:div|rem)\.[su]64\b"), "divides integers of 64 bits: about a hundred instructions"),
    (re.compile(r"\.local\b"), "keeps values in local memory, which lies beside the arrays"),
    (re.compile(r"\bcall(?:\.uni)?\b"), "calls a function instead of containing it"),
)
_WIDE = (re.compile(r"\.f64\b"), "computes in float64, though nothing that it is given has that many bits")


def ptx_of(kernel: Kernel, capabilities: Sequence[Capability]) -> dict[Capability, str]:
    """PTX of `kernel` for several GPUs; of what does not change between runs of the tests, a folder knows it already.

    Numba's part of the work, nearly all of it, is the same for all of them, and is done once.
    """
    names = {cc: compiler.key(kernel, cc) for cc in capabilities}
    kept = KernelCache(config.cache_dir / "tests_ptx")
    found = {cc: entry[1].decode() for cc, name in names.items() if (entry := kept.read(name)) is not None}
    missing = [cc for cc in capabilities if cc not in found]
    if missing:
        made = _compiled(kernel, missing)
        for cc, text in made.items():
            kept.write(names[cc], "ptx", text.encode(), kernel.source)
        found |= made
    return found


def _compiled(kernel: Kernel, capabilities) -> dict[Capability, str]:
    from numba.cuda import codegen

    library_class: Any = codegen.CUDACodeLibrary
    assemble, libraries = library_class.get_asm_strs, []

    def remembering(library, cc=None):
        libraries.append(library)
        return assemble(library, cc)

    first, *others = capabilities
    with mock.patch.object(library_class, "get_asm_strs", remembering):
        made = {first: compiler.ptx(kernel, first)}
    return made | {cc: "\n".join(assemble(libraries[-1], cc)) for cc in others}


def lint(ptx: str, kernel: Kernel) -> list[str]:
    """Complaints about the PTX of `kernel`, each with the first line that gives cause; none is as it should be."""
    lines = [line.partition("//")[0].strip() for line in ptx.splitlines()]
    rules = _SLOW if "float64" in kernel.operands else (*_SLOW, _WIDE)
    return [
        f"{why} ({len(found)} times, first: {found[0]})"
        for pattern, why in rules
        if (found := [line for line in lines if pattern.search(line)])
    ]


def ptxas(ptx: str, cc: Capability) -> dict[str, int]:
    """Bytes of ``spills``, ``stack`` and ``shared`` memory, and ``registers`` of a thread, once it is assembled for `cc`.

    Raises
    ------
    ValueError
        With what the assembler says against it.
    """
    arguments = ["ptxas", "-v", f"-arch=sm_{cc[0]}{cc[1]}", "-", "-o", "/dev/null"]
    found = subprocess.run(arguments, input=ptx, capture_output=True, text=True)
    if found.returncode:
        raise ValueError(found.stderr)
    said = found.stderr
    return {
        "registers": max(map(int, _REGISTERS.findall(said)), default=0),
        "spills": sum(map(int, _SPILLS.findall(said))),
        "stack": sum(map(int, _STACK.findall(said))),
        "shared": sum(map(int, _SHARED.findall(said))),
    }
