"""What the PTX of a kernel may not contain, and what the assembler makes of it."""

from __future__ import annotations

import re
import shutil
import subprocess

from symcnn.backends.cuda.launch import Kernel

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


def lint(ptx: str, kernel: Kernel) -> list[str]:
    """Complaints about the PTX of `kernel`, each with the first line that gives cause; none is as it should be."""
    lines = [line.partition("//")[0].strip() for line in ptx.splitlines()]
    rules = _SLOW if "float64" in kernel.operands else (*_SLOW, _WIDE)
    return [
        f"{why} ({len(found)} times, first: {found[0]})"
        for pattern, why in rules
        if (found := [line for line in lines if pattern.search(line)])
    ]


def ptxas(ptx: str, cc: tuple[int, int]) -> dict[str, int]:
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
