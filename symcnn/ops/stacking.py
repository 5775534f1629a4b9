"""Joining where the number of axes says along which, by NumPy's names."""

from __future__ import annotations

from symcnn.ir.op import builder
from symcnn.ir.variable import Variable
from symcnn.ops.elementwise import as_variable
from symcnn.ops.joining import as_list, concat
from symcnn.ops.shape import expand_dims


@builder("hstack")
def hstack(xs) -> Variable:
    """The Variables of a list side by side: vectors one after the other, all else along axis 1.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.hstack([sc.input("x", (2, 3)), sc.input("y", (2, 1))]).shape
    (2, 4)
    """
    xs = [_with_axes(x, 1) for x in as_list(xs, "hstack")]
    return concat(xs, 0 if xs and xs[0].ndim == 1 else 1)


@builder("vstack")
def vstack(xs) -> Variable:
    """The Variables of a list on top of each other: along axis 0, vectors as rows.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.vstack([sc.input("x", (2, 3)), sc.input("y", (3,))]).shape
    (3, 3)
    """
    return concat([_with_axes(x, 2) for x in as_list(xs, "vstack")], 0)


@builder("column_stack")
def column_stack(xs) -> Variable:
    """The Variables of a list as columns: along axis 1, vectors as matrices of one column.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.column_stack([sc.input("x", (3,)), sc.input("y", (3, 2))]).shape
    (3, 3)
    """
    xs = [_with_axes(x, 1) for x in as_list(xs, "column_stack")]
    return concat([expand_dims(x, 1) if x.ndim == 1 else x for x in xs], 1)


def _with_axes(x, ndim) -> Variable:
    """`x` with new axes of size 1 in front, as many as it lacks."""
    x = as_variable(x)
    return expand_dims(x, tuple(range(ndim - x.ndim)))
