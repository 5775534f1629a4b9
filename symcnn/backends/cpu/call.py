"""Calling a kernel by address from compiled code: how the executor starts kernels and how kernels start each other."""

from llvmlite import ir
from numba import types

from symcnn.backends.jit import intrinsic


@intrinsic
def call(typing_context, address, lo, hi, args):
    """Run ``kernel(lo, hi, args)`` for the kernel at `address`."""

    def generate(context, builder, signature, arguments):
        function = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 3)
        builder.call(builder.inttoptr(arguments[0], function.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.uintp, types.int64, types.int64, types.uintp), generate
