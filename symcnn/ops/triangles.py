"""Diagonals and triangles of matrices, which are the last two axes of stacks of them unless said otherwise."""

from __future__ import annotations

from symcnn.errors import ShapeError
from symcnn.ir.op import builder
from symcnn.ir.types import shape_text
from symcnn.ir.variable import Variable, user_origin
from symcnn.ops.elementwise import as_variable, equal, greater_equal, where
from symcnn.ops.fill import position_like
from symcnn.ops.indexing import WHOLE, slice_axes
from symcnn.ops.pad import pad
from symcnn.ops.reduce import sum
from symcnn.ops.shape import expand_dims, flatten, moveaxis


@builder("tril")
def tril(x, k=0) -> Variable:
    """The lower triangle: zeros above the k-th diagonal of the last two axes.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.function([], sc.tril(sc.ones((2, 3))), device="reference")()
    array([[1., 0., 0.],
           [1., 1., 0.]], dtype=float32)
    """
    x = _matrix("tril", x)
    return where(greater_equal(position_like(x, -2) + k, position_like(x, -1)), x, 0)


@builder("triu")
def triu(x, k=0) -> Variable:
    """The upper triangle: zeros below the k-th diagonal of the last two axes.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.function([], sc.triu(sc.ones((2, 3))), device="reference")()
    array([[1., 1., 1.],
           [0., 1., 1.]], dtype=float32)
    """
    x = _matrix("triu", x)
    return where(greater_equal(position_like(x, -1), position_like(x, -2) + k), x, 0)


@builder("diagonal")
def diagonal(x, offset=0, axis1=0, axis2=1) -> Variable:
    """Diagonals as a last axis: the elements ``x[.., i, .., i + offset, ..]``, with i along `axis1` and `axis2`.

    Raises
    ------
    ShapeError
        If `x` has less than two axes, or the sizes of the two are not known.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.diagonal(sc.input("x", (3, 4, 5))).shape
    (5, 3)
    """
    x = moveaxis(_matrix("diagonal", x), (axis1, axis2), (-2, -1))
    n, m = x.shape[-2:]
    if None in (n, m):
        raise ShapeError(
            "diagonal: the sizes of both axes must be known", found=shape_text(x.shape), where=user_origin()
        )
    row, column = (0, offset) if offset >= 0 else (-offset, 0)
    count = max(0, min(n - row, m - column))
    start = row * m + column if count else 0
    step = m + 1
    return slice_axes(flatten(x, x.ndim - 2), (*[WHOLE] * (x.ndim - 2), (start, start + count * step, step)))


@builder("trace")
def trace(x, offset=0, axis1=0, axis2=1) -> Variable:
    """The sum of a `diagonal`.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.trace(sc.input("x", (3, 3))).shape
    ()
    """
    return sum(diagonal(x, offset, axis1, axis2), -1)


@builder("diag")
def diag(x, k=0) -> Variable:
    """A vector as the k-th diagonal of a matrix of zeros, or the k-th diagonal of a matrix.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.diag(sc.input("x", (3,))).shape, sc.diag(sc.input("y", (3, 4)), k=1).shape
    ((3, 3), (3,))
    """
    x = as_variable(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError("diag takes a vector or a matrix", found=shape_text(x.shape), where=user_origin())
    position = position_like(x)
    square = where(equal(expand_dims(position, 1), expand_dims(position, 0)), expand_dims(x, 0), 0)
    return pad(square, ((max(-k, 0), max(k, 0)), (max(k, 0), max(-k, 0)))) if k else square


def _matrix(what, x) -> Variable:
    x = as_variable(x)
    if x.ndim < 2:
        raise ShapeError(f"{what} takes matrices", expected="at least two axes", found=shape_text(x.shape),
                         where=user_origin())  # fmt: skip
    return x
