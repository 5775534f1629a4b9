"""Scalar functions as formulas over LLVM values.

A formula is a Python function that runs once, when a kernel that calls it is compiled: its operands are `Value`s, and
every operator on them emits one instruction. What comes out has no branches (a choice is a `select`, a loop over
coefficients is unrolled; only `repeat` is a loop), so LLVM vectorises the kernel's loop around it; Numba has nothing to
infer and nothing to inline, so it costs next to no compile time.

::

    @formula
    def sigmoid(x):
        e = exp(-abs(x))
        return select(x >= 0, 1, e) / (e + 1)

A plain number beside a Value is a constant of its type, so nothing is widened by accident, and so is a literal beside
a variable. Integers wrap around. The order of operations is kept even in a kernel whose sums may be reordered; a product
and a sum may become one fused instruction where the processor has it.

The same formulas serve the GPU. What differs is only where a function of the C library comes from: see `call`.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.np.numpy_support import as_dtype, from_dtype

from symcnn.backends.jit import intrinsic

# A product and a sum may be fused. Instructions without any flags of their own would be given those of the kernel.
_FLAGS = ("contract",)

_LLVM_FLOAT = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


def _assembly(instruction: str):
    """An instruction of the GPU that takes two numbers of 32 bits and has no name in LLVM."""

    def emit(builder, x, y):
        shape = ir.FunctionType(x.type, [x.type, y.type])
        return builder.asm(shape, f"{instruction} $0, $1, $2;", "=f,f,f", [x, y], False)

    return emit


def _extreme(sign: str):
    """The operand that compares so, and a NaN if there is one."""

    def emit(builder, x, y):
        chosen = builder.or_(builder.fcmp_ordered(sign, x, y, flags=_FLAGS), builder.fcmp_unordered("!=", x, x))
        return builder.select(chosen, x, y)

    return emit


# Where a function of the C library comes from: by default from LLVM on the host, from libdevice on the GPU.
_INSTRUCTIONS = {"fmod": lambda builder, x, y: builder.frem(x, y)}
_GPU_INSTRUCTIONS = {
    ("maximum", 32): _assembly("max.NaN.f32"),
    ("minimum", 32): _assembly("min.NaN.f32"),
    ("maximum", 64): _extreme(">"),
    ("minimum", 64): _extreme("<"),
}
_GPU_SUFFIX = {types.float32: "f", types.float64: ""}


class Value:
    """A number or truth value of a kernel under construction.

    Attributes
    ----------
    type : Numba type
    llvm : llvmlite value
    """

    def __init__(self, builder, type, llvm):
        self.builder, self.type, self.llvm = builder, type, llvm

    @property
    def is_float(self) -> bool:
        return isinstance(self.type, types.Float)

    @property
    def on_gpu(self) -> bool:
        return "nvptx" in self.builder.module.triple

    @property
    def is_signed(self) -> bool:
        return isinstance(self.type, types.Integer) and self.type not in types.unsigned_domain

    def like(self, other) -> Value:
        """`other` if it is a Value, else this number as a constant of the same type as `self`."""
        return other if isinstance(other, Value) else self.new(ir.Constant(self.llvm.type, other))

    def new(self, llvm, type=None) -> Value:
        return Value(self.builder, type or self.type, llvm)

    def __add__(self, other):
        return self._arithmetic("add", other)

    def __sub__(self, other):
        return self._arithmetic("sub", other)

    def __mul__(self, other):
        return self._arithmetic("mul", other)

    def __truediv__(self, other):
        return self.new(self.builder.fdiv(self.llvm, self.like(other).llvm, flags=_FLAGS))

    def __radd__(self, other):
        return self.like(other) + self

    def __rsub__(self, other):
        return self.like(other) - self

    def __rmul__(self, other):
        return self.like(other) * self

    def __rtruediv__(self, other):
        return self.like(other) / self

    def __neg__(self):
        return (-0.0 if self.is_float else 0) - self

    def __abs__(self):
        if self.is_float:
            return call("fabs", self)
        return select(self < 0, -self, self) if self.is_signed else self

    def __lt__(self, other):
        return self._comparison("<", other)

    def __le__(self, other):
        return self._comparison("<=", other)

    def __gt__(self, other):
        return self._comparison(">", other)

    def __ge__(self, other):
        return self._comparison(">=", other)

    def __eq__(self, other: Any) -> Any:
        return self._comparison("==", other)

    def __ne__(self, other: Any) -> Any:
        return self._comparison("!=", other)

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other):
        return self.new(self.builder.and_(self.llvm, self.like(other).llvm))

    def __or__(self, other):
        return self.new(self.builder.or_(self.llvm, self.like(other).llvm))

    def __xor__(self, other):
        return self.new(self.builder.xor(self.llvm, self.like(other).llvm))

    def __lshift__(self, count):
        return self.new(self.builder.shl(self.llvm, self.like(count).llvm))

    def __rshift__(self, count):
        shift = self.builder.ashr if self.is_signed else self.builder.lshr
        return self.new(shift(self.llvm, self.like(count).llvm))

    def __floordiv__(self, other):
        """The quotient of integers without its fraction, as in C; undefined where it is none of their type."""
        divide = self.builder.sdiv if self.is_signed else self.builder.udiv
        return self.new(divide(self.llvm, self.like(other).llvm))

    def __mod__(self, other):
        """What is left by ``//``: it has the sign of `self`."""
        divide = self.builder.srem if self.is_signed else self.builder.urem
        return self.new(divide(self.llvm, self.like(other).llvm))

    def _arithmetic(self, name, other):
        other = self.like(other)
        if self.is_float:
            return self.new(getattr(self.builder, f"f{name}")(self.llvm, other.llvm, flags=_FLAGS))
        return self.new(getattr(self.builder, name)(self.llvm, other.llvm))

    def _comparison(self, sign, other):
        """False with a NaN, but for ``!=``."""
        other, builder = self.like(other), self.builder
        if self.is_float:
            compare = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
            return self.new(compare(sign, self.llvm, other.llvm, flags=_FLAGS), types.boolean)
        compare = builder.icmp_signed if self.is_signed else builder.icmp_unsigned
        return self.new(compare(sign, self.llvm, other.llvm), types.boolean)


def select(condition: Value, a, b) -> Value:
    """`a` if `condition`, else `b`; both are computed, and at most one is a plain number."""
    a, b = (b.like(a), b) if isinstance(b, Value) else (a, a.like(b))
    return a.new(condition.builder.select(condition.llvm, a.llvm, b.llvm))


def call(name: str, *args: Value) -> Value:
    """The function `name` of the C library, of floats of one type."""
    x = args[0]
    instruction = _GPU_INSTRUCTIONS.get((name, x.type.bitwidth)) if x.on_gpu else _INSTRUCTIONS.get(name)
    if instruction is not None:
        return x.new(instruction(x.builder, *(a.llvm for a in args)))
    symbol = f"__nv_{name}{_GPU_SUFFIX[x.type]}" if x.on_gpu else f"llvm.{name}.f{x.type.bitwidth}"
    shape = ir.FunctionType(x.llvm.type, [x.llvm.type] * len(args))
    function = cgutils.get_or_insert_function(x.builder.module, shape, symbol)
    return x.new(x.builder.call(function, [a.llvm for a in args]))


def repeat(condition, step, *values: Value) -> tuple[Value, ...]:
    """`values` after ``values = step(*values)`` for as long as ``condition(*values)`` holds."""
    builder = values[0].builder
    before = builder.block
    test, body, after = (builder.append_basic_block(name) for name in ("test", "body", "after"))
    builder.branch(test)
    builder.position_at_end(test)
    now = tuple(v.new(builder.phi(v.llvm.type)) for v in values)
    builder.cbranch(condition(*now).llvm, body, after)
    builder.position_at_end(body)
    following = step(*now)
    builder.branch(test)
    for phi, first, other in zip(now, values, following, strict=True):
        phi.llvm.add_incoming(first.llvm, before)
        phi.llvm.add_incoming(other.llvm, builder.block)
    builder.position_at_end(after)
    return now


def with_sign(x: Value, y: Value) -> Value:
    """The float `x` with the sign of `y`."""
    return call("copysign", x, y)


def bits(x: Value) -> Value:
    """The representation of the float `x`, as an unsigned integer."""
    type = {32: types.uint32, 64: types.uint64}[x.type.bitwidth]
    return x.new(x.builder.bitcast(x.llvm, ir.IntType(type.bitwidth)), type)


def from_bits(x: Value) -> Value:
    """The float whose representation is the unsigned integer `x`."""
    type = {32: types.float32, 64: types.float64}[x.type.bitwidth]
    return x.new(x.builder.bitcast(x.llvm, _LLVM_FLOAT[type]), type)


def convert(x: Value, type) -> Value:
    """`x` as a number of another type: a float is rounded, an integer truncated or extended; none becomes an integer
    that was a float."""
    builder, wider = x.builder, type.bitwidth > x.type.bitwidth
    if x.is_float:
        change = builder.fpext if wider else builder.fptrunc
    elif isinstance(type, types.Float):
        change = builder.sitofp if x.is_signed else builder.uitofp
    else:
        change = (builder.sext if x.is_signed else builder.zext) if wider else builder.trunc
    target = _LLVM_FLOAT.get(type) or ir.IntType(type.bitwidth)
    return x.new(x.llvm if x.llvm.type == target else change(x.llvm, target), type)


def polynomial(x: Value, coefficients) -> Value:
    """``c[0] + c[1] x + c[2] x**2 + ...`` by Horner's scheme."""
    *lower, total = coefficients
    for c in reversed(lower):
        total = x * total + c
    return total


def number_type(*numba_types):
    """The Numba type in which to compute: that of the operands. Literals take that of the others; NumPy never mixes
    uint64 with a signed integer or a float with an integer here, so where they meet the other one came from a literal."""
    variables = [t for t in numba_types if not isinstance(t, types.Literal)]
    kinds = {as_dtype(types.unliteral(t)) for t in variables or numba_types}
    floats = [k for k in kinds if k.kind == "f"]
    return types.uint64 if np.dtype("uint64") in kinds else from_dtype(np.result_type(*(floats or kinds)))


def formula(function, operands=None, result=None):
    """`function` of Values as a function that kernels can call.

    Parameters
    ----------
    function : callable
        All its operands are brought to one type.
    operands : Numba type, optional
        That type; by default the `number_type` of what it is called with.
    result : Numba type, optional
        If not that of the operands.
    """
    parameters = inspect.signature(function).parameters.values()

    def define(context, *given):
        type = operands or number_type(*given)

        def generate(context, builder, signature, arguments):
            return function(*(Value(builder, type, a) for a in arguments)).llvm

        return (result or type)(*[type] * len(given)), generate

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    define.__signature__ = inspect.Signature([context, *parameters])  # Numba asks for the number of operands
    define.__name__ = define.__qualname__ = function.__name__
    return intrinsic(prefer_literal=True)(define)
