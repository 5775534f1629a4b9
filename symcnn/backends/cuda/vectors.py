"""Four neighbours in memory moved by one instruction of 16 bytes.

::

    a, b, c, d = load4(x0, i)
    store4(x1, i, a, b, c, d)

The pointer is a kernel's own, its elements are of 4 bytes, and ``x0 + i`` is a multiple of 16 bytes.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types

from symcnn.backends.jit import intrinsic

_COUNT = 4
_ALIGNMENT = 16


@intrinsic
def load4(context, pointer, index):
    """The elements ``index .. index + 3`` behind `pointer`."""
    element = pointer.dtype

    def generate(context, builder, signature, arguments):
        vector = builder.load(_place(builder, *arguments), align=_ALIGNMENT)
        values = [builder.extract_element(vector, ir.Constant(ir.IntType(32), k)) for k in range(_COUNT)]
        return cgutils.pack_array(builder, values)

    return types.UniTuple(element, _COUNT)(pointer, types.int32), generate


@intrinsic
def store4(context, pointer, index, a, b, c, d):
    """Write the elements ``index .. index + 3`` behind `pointer`."""
    element = pointer.dtype

    def generate(context, builder, signature, arguments):
        place, *values = _place(builder, *arguments[:2]), *arguments[2:]
        vector = ir.Constant(ir.VectorType(values[0].type, _COUNT), ir.Undefined)
        for k, value in enumerate(values):
            vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), k))
        builder.store(vector, place, align=_ALIGNMENT)
        return context.get_dummy_value()

    return types.void(pointer, types.int32, *[element] * _COUNT), generate


def _place(builder, pointer, index):
    """The address of `_COUNT` elements as one vector."""
    first = builder.gep(pointer, [index])
    element = pointer.type.pointee
    return builder.bitcast(first, ir.VectorType(element, _COUNT).as_pointer())
