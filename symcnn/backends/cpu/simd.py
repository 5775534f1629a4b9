"""SIMD vectors as a Numba type, so that a micro-kernel reads like ordinary Python.

A `Vector` holds as many float32 or float64 numbers as one register of this machine. Its operations compile to single
LLVM instructions, and LLVM translates those for whatever processor it finds, so nothing below names an instruction set:
only the width and the number of registers are looked up, once, from the host's features.

======================  =================  ==================  =========
host                    float32 per vector float64 per vector  registers
======================  =================  ==================  =========
x86-64 with AVX-512     16                 8                   32
x86-64 with AVX         8                  4                   16
other x86-64 (SSE2)     4                  2                   16
AArch64 (NEON)          4                  2                   32
======================  =================  ==================  =========

Pointers are typed (`CPointer(float32)`), and the element type of the pointer decides the type of the vector::

    @njit
    def add(x, y, n):                       # n is a multiple of lanes(x)
        for i in range(0, n, lanes(x)):
            store(x, i, load(x, i) + load(y, i))

Indices count elements, never bytes, and no alignment is assumed.
"""

import operator
import platform
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.codegen import get_host_cpu_features
from numba.extending import lower_builtin, models, register_model, type_callable

from symcnn.backends.jit import intrinsic, numba_config


def _host_vectors():
    """Bytes per vector register, how many registers there are, and whether they can multiply and add in one go."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return 16, 32, True
    features = (get_host_cpu_features() if numba_config.CPU_FEATURES is None else numba_config.CPU_FEATURES).split(",")
    if "+avx512f" in features:
        return 64, 32, True
    return (32 if "+avx" in features else 16), 16, "+fma" in features


VECTOR_BYTES, REGISTERS, FUSED = _host_vectors()

_INT32 = ir.IntType(32)
_INT64 = ir.IntType(64)
_LLVM_SCALAR = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


class Vector(types.Type):
    """One register full of `dtype` numbers."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.lanes = VECTOR_BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"Vector({dtype} x {self.lanes})")


class Mask(types.Type):
    """One truth value for each lane of a vector."""

    def __init__(self, lanes):
        self.lanes = lanes
        super().__init__(name=f"Mask({lanes})")


def _llvm_vector(vector):
    return ir.VectorType(_LLVM_SCALAR[vector.dtype], vector.lanes)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, _llvm_vector(vector))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager, mask):
        super().__init__(manager, mask, ir.VectorType(ir.IntType(1), mask.lanes))


def vector_at(pointer) -> Any:
    """The vector type that a pointer's elements fill, or None (so that Numba reports a typing error)."""
    if isinstance(pointer, types.CPointer) and pointer.dtype in _LLVM_SCALAR:
        return Vector(pointer.dtype)
    return None


def _suffix(vector):
    """The ending that LLVM gives the names of its intrinsics: ``v8f32``."""
    return f"v{vector.lanes}f{vector.dtype.bitwidth}"


def _element(builder, pointer, index):
    return builder.gep(pointer, [index])


def _vector_pointer(builder, pointer, index, vector):
    return builder.bitcast(_element(builder, pointer, index), ir.PointerType(_llvm_vector(vector)))


def _fill(builder, scalar, lanes):
    """A vector whose every lane is `scalar`."""
    vector = ir.VectorType(scalar.type, lanes)
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_INT32, lanes), [0] * lanes))


def _call(builder, name, result, arguments, **options):
    """Call LLVM's intrinsic function `name`."""
    shape = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, shape, name), arguments, **options)


# -- Instructions, for intrinsics here and elsewhere -------------------------------------------------------------------


def emit_load(builder, vector, pointer, index, mask=None):
    """The vector at ``pointer[index]``; lanes outside of the mask are 0 and their memory is not touched."""
    place, align = _vector_pointer(builder, pointer, index, vector), vector.dtype.bitwidth // 8
    if mask is None:
        return builder.load(place, align=align)
    llvm = _llvm_vector(vector)
    arguments = [place, ir.Constant(_INT32, align), mask, ir.Constant(llvm, [0.0] * vector.lanes)]
    return _call(builder, f"llvm.masked.load.{_suffix(vector)}.p0", llvm, arguments)


def emit_store(builder, vector, pointer, index, value, mask=None):
    """Write a vector, or its lanes in the mask, to ``pointer[index]``."""
    place, align = _vector_pointer(builder, pointer, index, vector), vector.dtype.bitwidth // 8
    if mask is None:
        builder.store(value, place, align=align)
    else:
        arguments = [value, place, ir.Constant(_INT32, align), mask]
        _call(builder, f"llvm.masked.store.{_suffix(vector)}.p0", ir.VoidType(), arguments)


def emit_broadcast(builder, vector, pointer, index):
    """The vector whose every lane is ``pointer[index]``."""
    return _fill(builder, builder.load(_element(builder, pointer, index)), vector.lanes)


def emit_fma(builder, vector, a, b, c):
    """``a * b + c``, rounded once where the host can (elsewhere LLVM would call a slow function for it)."""
    if not FUSED:
        return builder.fadd(builder.fmul(a, b), c)
    return _call(builder, f"llvm.fma.{_suffix(vector)}", _llvm_vector(vector), [a, b, c])


def emit_zero(vector):
    """The vector of zeros."""
    return ir.Constant(_llvm_vector(vector), [0.0] * vector.lanes)


def emit_lane_range(builder, vector, first, stop):
    """The mask of the lanes ``first <= lane < stop``."""
    first, stop = (_fill(builder, builder.trunc(end, _INT32), vector.lanes) for end in (first, stop))
    lane = ir.Constant(ir.VectorType(_INT32, vector.lanes), list(range(vector.lanes)))
    return builder.and_(builder.icmp_signed(">=", lane, first), builder.icmp_signed("<", lane, stop))


# -- Pointers ---------------------------------------------------------------------------------------------------------


@intrinsic
def pointer(typing, address, dtype):
    """The integer `address` as a pointer to `dtype` elements."""
    result = types.CPointer(dtype.instance_type)

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(result))

    return result(types.uintp, dtype), generate


@intrinsic
def advance(typing, p, count):
    """The pointer `count` elements after `p`."""

    def generate(context, builder, signature, arguments):
        return _element(builder, *arguments)

    return p(p, types.int64), generate


@intrinsic
def integers(typing, p, first, count):
    """The tuple ``(p[first], ..., p[first + count - 1])``; `count` is a literal."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    result = types.UniTuple(types.int64, count.literal_value)

    def generate(context, builder, signature, arguments):
        start = _element(builder, arguments[0], arguments[1])
        items = [builder.load(_element(builder, start, ir.Constant(_INT64, i))) for i in range(result.count)]
        return context.make_tuple(builder, result, items)

    return result(p, types.int64, count), generate


# -- Loads and stores -------------------------------------------------------------------------------------------------


@intrinsic
def lanes(typing, p):
    """How many of `p`'s elements one vector holds: a constant when the kernel is compiled."""
    vector = vector_at(p)

    def generate(context, builder, signature, arguments):
        return ir.Constant(_INT64, vector.lanes)

    return types.int64(p), generate


@intrinsic
def load(typing, p, i):
    """The vector ``p[i], p[i + 1], ...``."""
    vector = vector_at(p)

    def generate(context, builder, signature, arguments):
        return emit_load(builder, vector, *arguments)

    return vector(p, types.int64), generate


@intrinsic
def store(typing, p, i, value):
    """Write the vector `value` to ``p[i], p[i + 1], ...``."""

    def generate(context, builder, signature, arguments):
        emit_store(builder, value, *arguments)
        return context.get_dummy_value()

    return types.void(p, types.int64, value), generate


@intrinsic
def load_where(typing, mask, p, i):
    """The vector at ``p[i]`` in the lanes of `mask` and 0 in the others, whose memory is not touched."""
    vector = vector_at(p)

    def generate(context, builder, signature, arguments):
        return emit_load(builder, vector, *arguments[1:], mask=arguments[0])

    return vector(mask, p, types.int64), generate


@intrinsic
def store_where(typing, mask, p, i, value):
    """Write the lanes of `value` that are in `mask` to ``p[i], p[i + 1], ...`` and leave the others alone."""

    def generate(context, builder, signature, arguments):
        emit_store(builder, value, *arguments[1:], mask=arguments[0])
        return context.get_dummy_value()

    return types.void(mask, p, types.int64, value), generate


@intrinsic
def zero(typing, p):
    """The vector of zeros of the element type of `p`."""
    vector = vector_at(p)

    def generate(context, builder, signature, arguments):
        return emit_zero(vector)

    return vector(p), generate


# -- Arithmetic -------------------------------------------------------------------------------------------------------


@intrinsic
def fma(typing, a, b, c):
    """``a * b + c``, rounded once where the host can (elsewhere LLVM would call a slow function for it)."""

    def generate(context, builder, signature, arguments):
        return emit_fma(builder, a, *arguments)

    return a(a, a, a), generate


@type_callable(operator.add)
def _sum_type(context):
    return lambda a, b: a if isinstance(a, Vector) and a == b else None


@lower_builtin(operator.add, Vector, Vector)
def _sum(context, builder, signature, arguments):
    return builder.fadd(*arguments)


@intrinsic
def total(typing, a):
    """The sum of all lanes, taken pairwise."""
    if not isinstance(a, Vector):
        return None

    def generate(context, builder, signature, arguments):
        scalar = _LLVM_SCALAR[a.dtype]
        operands = [ir.Constant(scalar, -0.0), arguments[0]]
        return _call(builder, f"llvm.vector.reduce.fadd.{_suffix(a)}", scalar, operands, fastmath=("reassoc",))

    return a.dtype(a), generate


# -- Masks ------------------------------------------------------------------------------------------------------------


@intrinsic
def lane_range(typing, p, first, stop):
    """The mask of the lanes ``first <= lane < stop``; both ends may lie outside the vector."""
    vector = vector_at(p)

    def generate(context, builder, signature, arguments):
        return emit_lane_range(builder, vector, *arguments[1:])

    return Mask(vector.lanes)(p, types.int64, types.int64), generate
