"""Tensor cores: the 32 threads of a warp multiply two small matrices of shared memory together, in tf32.

tf32 is float32 with 10 bits of fraction in place of 23; sums are float32. A warp holds the matrices in pieces, and each
thread has a few elements of each. With ``g = lane // 4`` and ``t = lane % 4``, of a product of 16 x 8 and 8 x 8
numbers a thread has

    left    (g, t)  (g + 8, t)  (g, t + 4)  (g + 8, t + 4)
    right   (t, g)  (t + 4, g)
    result  (g, 2 t)  (g, 2 t + 1)  (g + 8, 2 t)  (g + 8, 2 t + 1)

as in "PTX ISA", Matrix Fragments for mma.m16n8k8. Where there are no tensor cores, each thread finds its elements of the
result in shared memory by itself: `symcnn.backends.cuda.simulated` says how.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import types

from symcnn.backends.jit import intrinsic

LEFT = ((0, 0), (8, 0), (0, 4), (8, 4))
"""How many rows and steps beyond (g, t) a thread's elements of the left matrix are, in the order of the instruction."""
RIGHT = (0, 4)
"""How many steps beyond (t, g) those of the right matrix are."""
OWN = 4
"""Elements of the result that a thread has."""

_WORD, _FLOAT = ir.IntType(32), ir.FloatType()
_MULTIPLY = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};"


@intrinsic
def to_tf32(context, x):
    """A float32 rounded to the nearest number of tf32, of two the one farther from 0."""

    def generate(context, builder, signature, arguments):
        shape = ir.FunctionType(_WORD, [_FLOAT])
        word = builder.asm(shape, "cvt.rna.tf32.f32 $0, $1;", "=r,f", arguments, False)
        return builder.bitcast(word, _FLOAT)

    return types.float32(types.float32), generate


@intrinsic
def multiply_tiles(context, shared, left, left_own, left_step, right, right_own, right_step, sums, at, lane):
    """Add a thread's elements of a product to ``sums[at : at + 4]``.

    The left matrix begins at ``shared[left]``, and its rows and steps are ``left_own`` and ``left_step`` apart; the
    right matrix likewise. All numbers in them are of tf32.
    """

    def generate(context, builder, signature, arguments):
        memory, left, left_own, left_step, right, right_own, right_step, own, at, lane = arguments
        shared_type, sums_type = signature.args[0], signature.args[7]
        memory = context.make_array(shared_type)(context, builder, memory).data
        own = context.make_array(sums_type)(context, builder, own).data
        group, member = builder.lshr(lane, _WORD(2)), builder.and_(lane, _WORD(3))

        def element(first, along, stride, across, other):
            place = builder.add(builder.mul(along, stride), builder.mul(across, other))
            index = builder.zext(builder.add(first, place), ir.IntType(64))
            return builder.bitcast(builder.load(builder.gep(memory, [index])), _WORD)

        def after(number, more):
            return builder.add(number, _WORD(more))

        operands = [element(left, after(group, row), left_own, after(member, step), left_step) for row, step in LEFT]
        operands += [element(right, group, right_own, after(member, step), right_step) for step in RIGHT]
        places = [builder.gep(own, [builder.zext(after(at, k), ir.IntType(64))]) for k in range(OWN)]
        operands += map(builder.load, places)
        shape = ir.FunctionType(ir.LiteralStructType([_FLOAT] * OWN), [_WORD] * 6 + [_FLOAT] * OWN)
        found = builder.asm(shape, _MULTIPLY, ",".join(["=f"] * OWN + ["r"] * 6 + ["f"] * OWN), operands, False)
        for attribute in ("convergent", "nounwind", "readnone"):
            found.attributes.add(attribute)
        for k, place in enumerate(places):
            builder.store(builder.extract_value(found, k), place)
        return context.get_dummy_value()

    integer = types.uint32
    signature = types.void(shared, *[integer] * 6, sums, integer, integer)
    return signature, generate
