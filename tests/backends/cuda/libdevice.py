"""NVIDIA's library of device functions run by the host, so that formulas can be tested as a GPU gets them.

The library is LLVM code for an abstract GPU. Its functions are copied, and what they ask of the hardware is replaced by
the host's arithmetic: operations with a stated rounding by the same, approximations (of a quotient, a reciprocal, a root
or a power of two) by the correctly rounded function. So what is tested is the library's formulas, not the accuracy of
the hardware's approximations; and not the reduction of large angles in float64, which is written in assembly.
"""

from __future__ import annotations

import re
from functools import cache

import llvmlite.binding as llvm
from numba.cuda.cudadrv.libs import get_libdevice

_OF_BOTH = ("fabs", "copysign", "rint", "trunc", "floor", "ceil", "sqrt", "pow", "fmod", "atan", "sinh", "cosh")
FUNCTIONS = tuple(f"__nv_{name}" for name in (*_OF_BOTH, *(f"{name}f" for name in _OF_BOTH), "sin", "cos", "tan"))
"""What formulas call."""

_ASSEMBLY = re.compile(r'asm "rcp.approx.f32 \$0,\$1;", "=f,f"')
_LARGE_ANGLES = "__internal_trig_reduction_slowpathd"

_OPERATIONS = """
define i32 @nvvm.d2i.hi(double %x) {{
  %b = bitcast double %x to i64
  %h = lshr i64 %b, 32
  %r = trunc i64 %h to i32
  ret i32 %r
}}
define i32 @nvvm.d2i.lo(double %x) {{
  %b = bitcast double %x to i64
  %r = trunc i64 %b to i32
  ret i32 %r
}}
define double @nvvm.lohi.i2d(i32 %low, i32 %high) {{
  %l = zext i32 %low to i64
  %h = zext i32 %high to i64
  %s = shl i64 %h, 32
  %b = or i64 %l, %s
  %r = bitcast i64 %b to double
  ret double %r
}}
define float @nvvm.fma.rz.f(float %x, float %y, float %z) {{
  %a = fpext float %x to double
  %b = fpext float %y to double
  %c = fpext float %z to double
  %s = call double @llvm.fma.f64(double %a, double %b, double %c)
  %i = bitcast double %s to i64
  %m = and i64 %i, -536870912
  %d = bitcast i64 %m to double
  %r = fptrunc double %d to float
  ret float %r
}}
define i32 @__nvvm_reflect(ptr %question) {{
  %flush = icmp eq ptr %question, @{flush}
  %r = select i1 %flush, i32 0, i32 900
  ret i32 %r
}}
"""
"""What is neither one function nor one instruction of LLVM. The library asks about its target by name: whether to flush
small numbers to zero (no), about the accuracy of roots (full), and for the architecture."""

_SAME = {
    "fma.rn": ("fma", 3), "floor": ("floor", 1), "ceil": ("ceil", 1), "trunc": ("trunc", 1), "round": ("rint", 1),
    "sqrt.rn": ("sqrt", 1), "sqrt.approx": ("sqrt", 1), "fabs": ("fabs", 1), "ex2.approx": ("exp2", 1),
}  # fmt: skip
_INSTRUCTIONS = {"add.rn": "fadd {t} %a, %b", "mul.rn": "fmul {t} %a, %b", "div.approx": "fdiv {t} %a, %b"}


def _hardware():
    """Definitions of everything that the library asks of a GPU."""
    for kind, t, width in (("f", "float", 32), ("d", "double", 64)):
        for name, (function, count) in _SAME.items():
            suffix = f"f{width}" if name in ("fabs", "ex2.approx") else kind
            operands = ", ".join(f"{t} %{k}" for k in "abc"[:count])
            body = f"call {t} @llvm.{function}.f{width}({operands})"
            yield f"define {t} @nvvm.{name}.{suffix}({operands}) {{\n  %r = {body}\n  ret {t} %r\n}}"
        for name, instruction in _INSTRUCTIONS.items():
            yield f"define {t} @nvvm.{name}.{kind}({t} %a, {t} %b) {{\n  %r = {instruction.format(t=t)}\n  ret {t} %r\n}}"
        yield f"define {t} @nvvm.rcp.approx.{kind}({t} %a) {{\n  %r = fdiv {t} 1.0, %a\n  ret {t} %r\n}}"
        whole = f"  %n = call {t} @llvm.rint.f{width}({t} %a)\n  %r = call i32 @llvm.fptosi.sat.i32.f{width}({t} %n)"
        yield f"define i32 @nvvm.{kind}2i.rn({t} %a) {{\n{whole}\n  ret i32 %r\n}}"


def _needed(text):
    """The library's own lines that `FUNCTIONS` need."""
    definitions = {re.search(r"@([\w.]+)\(", d)[1]: d for d in re.findall(r"^define .*?^}$", text, re.M | re.S)}  # type: ignore[index]
    numbers = {re.match(r"@([\w.]+)", g)[1]: g for g in re.findall(r"^@.*$", text, re.M)}  # type: ignore[index]
    structures = re.findall(r"^%struct.*$", text, re.M)
    waiting, found = list(FUNCTIONS), {}
    while waiting:
        name = waiting.pop()
        line = definitions.get(name) or numbers.get(name)
        if line is not None and name not in found and name != _LARGE_ANGLES:
            found[name] = line
            waiting += re.findall(r"@([\w.]+)", line)
    return [*structures, *found.values()]


def _declarations(text):
    """What `text` calls of LLVM itself."""
    for result, name, operands in re.findall(r"(\w+) (@llvm\.[\w.]+)\(([^)]*)\)", text):
        types = ", ".join(operand.split()[0] for operand in operands.split(", "))
        yield f"declare {result} {name}({types})"


@cache
def install():
    """Let code that Numba compiles for the host call the functions by the names that they have on a GPU.

    Returns
    -------
    object
        Keeps them.
    """
    with open(get_libdevice(), "rb") as file:
        text = str(llvm.parse_bitcode(file.read()))
    flush = re.search(r'^@([\w.]+) = .*c"__CUDA_FTZ', text, re.M)
    assert flush is not None
    text = re.sub(r" #\d+|, !(?:srcloc|llvm\.loop) !\d+", "", text).replace(".ftz", "")
    needed = _ASSEMBLY.sub("@nvvm.rcp.approx.f", "\n".join(_needed(text))).replace("@llvm.nvvm.", "@nvvm.")
    angles = f"define %struct.trig_reduction_return @{_LARGE_ANGLES}(double %a) {{\n  unreachable\n}}"
    code = "\n".join([needed, angles, *_hardware(), _OPERATIONS.format(flush=flush[1])])
    module = llvm.parse_assembly("\n".join([code, *dict.fromkeys(_declarations(code))]))
    module.verify()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    for name in FUNCTIONS:
        llvm.add_symbol(name, engine.get_function_address(name))
    return engine
