"""Scalar functions as formulas over LLVM values.

A formula is a Python function that runs once, when a kernel that calls it is compiled: its operands are `Value`s, and
every operator on them emits one instruction. What comes out has no branches (a choice is a `select`, a loop over
coefficients is unrolled), so LLVM vectorises the kernel's loop around it; Numba has nothing to infer and nothing to
inline, so it costs next to no compile time.

::

    @formula
    def sigmoid(x):
        e = exp(-abs(x))
        return select(x >= 0, 1, e) / (e + 1)

A plain number beside a Value is a constant of its type, so nothing is widened by accident. Integers wrap around. The
order of operations is kept even in a kernel whose sums may be reordered; a product and a sum may become one fused
instruction where the host has it.
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
        return self.new(self.builder.fneg(self.llvm)) if self.is_float else 0 - self

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
    """LLVM's own function `name` of numbers of one type."""
    x = args[0]
    shape = ir.FunctionType(x.llvm.type, [x.llvm.type] * len(args))
    suffix = f"f{x.type.bitwidth}" if x.is_float else f"i{x.type.bitwidth}"
    function = cgutils.get_or_insert_function(x.builder.module, shape, f"llvm.{name}.{suffix}")
    return x.new(x.builder.call(function, [a.llvm for a in args]))


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
    """The Numba type in which to compute: that of the operands. NumPy never mixes uint64 with a signed integer or a
    float with an integer here, so where they meet the other one is a literal."""
    kinds = {as_dtype(types.unliteral(t)) for t in numba_types}
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
    return intrinsic(define)
