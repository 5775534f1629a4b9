"""Filters copied to where neighbouring threads find neighbouring columns.

In memory, the taps of a filter are neighbours, so that a thread that asks for one tap of many filters touches as much
memory as all of them take. For small filters that is all in the nearest cache anyway. The others are packed first, as a
matrix for each group, and for each class of taps (see `conv2d_input`), with the steps (row tap, column tap, channel).
"""

from __future__ import annotations

from symcnn.backends.cuda.launch import Kernel, Launch
from symcnn.backends.cuda.tuned.source import Ending, kernel
from symcnn.schedule.plan import View

INTEGERS = (
    *("groups", "channels", "columns", "kernel_h", "kernel_w", "jump_h", "jump_w", "matrix"),
    *("of_group", "of_channel", "of_column", "of_tap_row", "of_tap_column"),
)


def packer(dtype: str, geometry) -> Kernel:
    """The kernel that packs: a thread has all taps of one channel of one column.

    The classes have ``jump_h`` by ``jump_w`` first taps; each has ``matrix`` elements of room.
    """
    body = [
        f"element = int32(cuda.blockIdx.x * {geometry.flat} + cuda.threadIdx.x)",
        "column = rest(element, columns)",
        "pair = quotient(element, columns)",
        "channel = rest(pair, channels)",
        "group = quotient(pair, channels)",
        "if group < groups:",
        "    at = int32(group * of_group + channel * of_channel + column * of_column)",
        "    for i in range(kernel_h):",
        "        for j in range(kernel_w):",
        "            first_i = rest(i, jump_h)",
        "            first_j = rest(j, jump_w)",
        "            taps_w = quotient(kernel_w - first_j + jump_w - 1, jump_w)",
        "            tap = int32(quotient(i, jump_h) * taps_w + quotient(j, jump_w))",
        "            which = int32((group * jump_h + first_i) * jump_w + first_j)",
        "            to = int32(which * matrix + (tap * channels + channel) * columns + column)",
        "            y0[to] = x0[int32(at + i * of_tap_row + j * of_tap_column)]",
    ]
    return kernel("Packs filters.", (dtype,), Ending(dtype), INTEGERS, geometry.flat, body)


def matrix_size(channels: int, columns: int, kernel_size, jump=(1, 1)) -> int:
    """Elements of room for one class of taps."""
    return -(-kernel_size[0] // jump[0]) * -(-kernel_size[1] // jump[1]) * channels * columns


def packing(problem, packed: View, geometry) -> Launch:
    """Pack the filters of a `Problem`."""
    w = problem.filters
    return Launch(
        kernel=packer(w.dtype.name, geometry),
        operands=(w, packed),
        sizes=(
            *(problem.groups, problem.channels, problem.columns, *w.shape[2:], *problem.jump, problem.matrix),
            *problem.strides(),
        ),
        grid=(-(-problem.groups * problem.channels * problem.columns // geometry.flat), 1, 1),
    )
