"""What several families need to read their operands: the broadcasting of opset 6, and numbers out of arrays."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.errors import InputError

NUMPY_BROADCASTING = 7  # the opset since which operands broadcast as in NumPy
MOST = 2**24  # positions that are counted one by one while translating


def aligned(node, x, y):
    """`y` with as many axes as it needs to broadcast against `x`.

    Until opset 6 an attribute says to which axis of `x` the first axis of `y` belongs.
    """
    axis = node.get("axis")
    if node.opset >= NUMPY_BROADCASTING or axis is None or not node.get("broadcast", 0):
        return y
    behind = x.ndim - (axis + x.ndim if axis < 0 else axis) - y.ndim
    if behind < 0:
        raise InputError("the second operand has no place at its axis", expected=f"a rank that fits {x!r} from axis {axis} on",
                         found=repr(y))  # fmt: skip
    return sc.expand_dims(y, tuple(range(y.ndim, y.ndim + behind)))


def integers(value) -> tuple[int, ...]:
    """The numbers of an attribute or of a known input."""
    return tuple(int(n) for n in np.ravel(value))


def integer(value) -> int:
    """The only number of a known input."""
    found = integers(value)
    if len(found) != 1:
        raise InputError("one number is needed", found=f"{len(found)}")
    return found[0]


def countable(count, what: str):
    """`count` itself, if so many positions may be counted one by one.

    Raises
    ------
    InputError
    """
    if not count <= MOST:
        raise InputError(f"{what} is too large", expected=f"at most {MOST:,}", found=count)
    return count


def axis_of(axis: int, ndim: int) -> int:
    """An axis counted from the front.

    Raises
    ------
    InputError
    """
    if not -ndim <= axis < ndim:
        raise InputError(f"axis {axis} is out of range", expected=f"{-ndim} <= axis < {ndim}")
    return axis % ndim
