"""How a kernel reads its argument block (see `symcnn.backends.cpu.launch`), and how its helpers are compiled."""

from numba import float32, float64, int64, uintp

from symcnn.backends.cpu.call import call
from symcnn.backends.cpu.launch import HEADER
from symcnn.backends.cpu.simd import advance, pointer
from symcnn.backends.jit import njit

# Sums may be reordered and contracted to fused multiply-adds, but NaN and infinity keep their meaning.
helper = njit(
    fastmath={"reassoc", "contract", "arcp", "nsz"},
    error_model="numpy",
    boundscheck=False,
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
)


@helper
def arguments(args):
    """The argument block at the address `args`."""
    return pointer(args, int64)


@helper
def operand(block, index, dtype):
    """Pointer to the first element of operand `index`."""
    return pointer(uintp(block[index]), dtype)


@helper
def scratch_address(block, operands, lo):
    """Address of the private memory of the chunk that starts at task `lo`."""
    return block[operands] + lo // block[operands + 2] * block[operands + 1]


@helper
def scratch(block, operands, lo, dtype):
    """Pointer to the private memory of the chunk that starts at task `lo`."""
    return pointer(uintp(scratch_address(block, operands, lo)), dtype)


@helper
def sizes(block, operands):
    """Pointer to the sizes, which follow the header."""
    return advance(block, operands + HEADER)


@helper
def finish(block, operands, lo, hi):
    """Let the epilogue, if there is one, work on rows ``lo <= row < hi`` of the output, all finally written just now.

    A row is what one index of all axes of the output but the last leads to: a pixel of an image, a row of a matrix.
    """
    if block[operands + 3] != 0:
        call(uintp(block[operands + 3]), lo, hi, uintp(block[operands + 4]))


@helper
def keeps_rows(block, operands):
    """Whether the output has no memory, so that `finish_kept` takes the place of `finish`."""
    return block[operands + 5] != 0


@helper
def finish_kept(block, operands, task, at, lo, hi, row_bytes):
    """`finish` for rows that lie `at` bytes from the start of the scratch memory of the chunk that `task` is in."""
    words = block[operands + 5]
    own = scratch_address(block, operands, task)
    given, place = pointer(uintp(block[operands + 4]), int64), own + block[operands + 1] - 8 * words
    private = pointer(uintp(place), int64)
    for k in range(words):
        private[k] = given[k]
    private[0] = own + at - lo * row_bytes
    call(uintp(block[operands + 3]), lo, hi, uintp(place))


def both_precisions(factory):
    """The kernels ``factory(float32)`` and ``factory(float64)`` keyed by dtype name, each with a name of its own.

    A factory is a function of the element type that returns a kernel, since the signature of a kernel has no room for
    a type.
    """
    kernels = {}
    for dtype in (float32, float64):
        kernel = factory(dtype)
        kernel.__name__ = kernel.__qualname__ = f"{factory.__name__}_{dtype}"
        kernels[dtype.name] = kernel
    return kernels
