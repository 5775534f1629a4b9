"""Products of matrices and vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import InputError, ShapeError
from symcnn.ir.op import Example, Op, build, builder
from symcnn.ir.types import TensorType, broadcast_shapes, normalize_axes, shape_text
from symcnn.ir.variable import Variable, apply, user_origin
from symcnn.ops.elementwise import (
    absolute,
    as_operands,
    as_variable,
    cast,
    equal,
    match,
    not_equal,
    power,
    sqrt,
    square,
    where,
)
from symcnn.ops.reduce import max, min, sum
from symcnn.ops.shape import expand_dims, flatten, squeeze, swapaxes


@dataclass(frozen=True)
class MatMul(Op):
    """``out[..., i, j] = sum_k a[..., i, k] b[..., k, j]``; the leading axes broadcast."""

    @property
    def name(self):
        return "matmul"

    examples = (
        Example(((3, 4), (4, 5))),
        Example(((1, 4), (4, 1))),
        Example(((2, 3, 4), (4, 2))),
        Example(((2, 1, 3, 4), (3, 4, 2))),
        Example(((3, 0), (0, 2))),
        Example(((0, 3), (3, 2))),
        Example(((2, 3), (3, 2)), dtypes=("int32", "int64"), integers={0: 9, 1: 9}),
    )

    def infer(self, a, b):
        if a.ndim < 2 or b.ndim < 2:
            raise ShapeError(
                "the operands must be matrices or stacks of them",
                found=f"{a} and {b}",
                hint="sc.matmul takes vectors too",
            )
        if None not in (a.shape[-1], b.shape[-2]) and a.shape[-1] != b.shape[-2]:
            raise ShapeError(
                "inner sizes differ",
                expected=f"as many columns on the left as rows on the right ({a.shape[-1]} and {b.shape[-2]} given)",
                found=f"{shape_text(a.shape)} @ {shape_text(b.shape)}", hint="transpose one of the operands?",
            )  # fmt: skip
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return TensorType(np.result_type(a.dtype, b.dtype), (*batch, a.shape[-2], b.shape[-1]))

    def reference(self, a, b):
        with np.errstate(all="ignore"):
            return np.matmul(a, b)

    def pullback(self, inputs, output, cotangent):
        a, b = inputs
        return match(apply(self, cotangent, swapaxes(b, -1, -2)), a), match(
            apply(self, swapaxes(a, -1, -2), cotangent), b
        )

    def nest(self, result, a, b):
        *batch, i, j = result.index

        def stack(x):  # the leading index of an operand whose leading axes broadcast
            return tuple(
                0 if d == 1 else k for k, d in zip(batch[len(batch) - x.ndim + 2 :], x.variable.shape[:-2], strict=True)
            )

        def product(k):
            x, y = a[(*stack(a), i, k)].cast(result.dtype), b[(*stack(b), k, j)].cast(result.dtype)
            return x & y if result.dtype == bool else x * y

        return result.fold("any" if result.dtype == bool else "sum", [a.shape[-1]], product)

    def flops(self, output, a, b):
        return 2 * output.size * a.shape[-1]


@builder("matmul")
def matmul(a, b) -> Variable:
    """Matrix product, as ``np.matmul``: a vector stands for a row on the left and for a column on the right.

    Parameters
    ----------
    a, b : Variable or array_like
        Shapes (..., m, k) and (..., k, n), leading axes broadcast; or (k,).

    Returns
    -------
    Variable
        Shape (..., m, n), without m for a vector on the left, without n for one on the right.

    Raises
    ------
    ShapeError
        If the inner sizes differ or an operand is a scalar.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.matmul(sc.input("a", (None, 3)), sc.input("b", (3, 5))).shape
    (None, 5)
    """
    a, b = as_operands(a, b)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError("matmul: an operand is a scalar", found=f"{a!r} and {b!r}", hint="multiply with * instead")
    left, right = a.ndim == 1, b.ndim == 1
    found = apply(MatMul(), expand_dims(a, 0) if left else a, expand_dims(b, 1) if right else b)
    return squeeze(found, tuple(k for k, vector in ((-2, left), (-1, right)) if vector))


@builder("dot")
def dot(a, b) -> Variable:
    """Sum over the last axis of `a` and the last but one of `b` (its only one, for a vector), as ``np.dot``.

    Raises
    ------
    ShapeError
        If the sizes of these axes differ.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.dot(sc.input("a", (2, 3)), sc.input("b", (4, 3, 5))).shape
    (2, 4, 5)
    """
    a, b = as_operands(a, b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim <= 2:
        return matmul(a, b)
    return build("tensordot", a, b, ((-1,), (-2,)))


@builder("vdot")
def vdot(a, b) -> Variable:
    """Sum of the products of equal positions of two Variables with as many elements.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.vdot(sc.input("a", (2, 3)), sc.input("b", (2, 3))).shape
    ()
    """
    a, b = as_operands(a, b)
    return matmul(flatten(a), flatten(b))


@builder("outer")
def outer(a, b) -> Variable:
    """All products of an element of `a` and one of `b`: a matrix.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.outer(sc.input("a", (2,)), sc.input("b", (3,))).shape
    (2, 3)
    """
    a, b = as_operands(a, b)
    return expand_dims(flatten(a), 1) * expand_dims(flatten(b), 0)


@builder("inner")
def inner(a, b) -> Variable:
    """Sum of products over the last axes of both, as ``np.inner``.

    Raises
    ------
    ShapeError
        If the sizes of these axes differ.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.inner(sc.input("a", (2, 3)), sc.input("b", (4, 3))).shape
    (2, 4)
    """
    a, b = as_operands(a, b)
    return a * b if a.ndim == 0 or b.ndim == 0 else build("tensordot", a, b, ((-1,), (-1,)))


@builder("norm", "vector_norm")
def norm(x, ord=None, axis=None, keepdims=False) -> Variable:
    r"""Length of vectors :math:`\left(\sum |x|^p\right)^{1/p}`, as ``np.linalg.norm``.

    Parameters
    ----------
    x : Variable or array_like
    ord : None, "fro" or number
        p: ``None`` and 2 the Euclidean length, 1 the sum of sizes, ``inf`` the largest, ``-inf`` the smallest size, 0 how
        many elements are not 0. Of a matrix: ``None`` or ``"fro"``, the root of the sum of its squares.
    axis : int, tuple of int or None
        The axis of the vectors, or two axes of matrices. ``None``: one number for all of `x`.
    keepdims : bool

    Returns
    -------
    Variable
        Float. The derivative of the Euclidean length at 0 is 0.

    Raises
    ------
    InputError
        For an `ord` that is none, or a norm of matrices that is not the sum of squares.

    Examples
    --------
    >>> import symcnn as sc
    >>> x = sc.input("x", (None, 2))
    >>> sc.function([x], sc.norm(x, axis=1), device="reference")([[3, 4], [0, 0]])
    array([5., 0.], dtype=float32)
    """
    x = as_variable(x)
    x = x if x.type.is_float else cast(x, "float64")
    axes = normalize_axes(axis, x.ndim)
    if ord is None or ord == "fro" or (ord == 2 and len(axes) == 1):
        squares = sum(square(x), axes, keepdims)
        nothing = equal(squares, 0)
        return where(nothing, 0, sqrt(where(nothing, 1, squares)))
    if isinstance(ord, (str, Variable)) or not hasattr(ord, "__float__"):
        raise InputError(
            "norm: unknown order", expected="None, 'fro' or a number", found=repr(ord), where=user_origin()
        )
    if len(axes) != 1:
        raise InputError(
            f"norm: of {len(axes)} axes together there is only the root of the sum of squares", found=f"ord={ord}",
            hint="name one axis for the norms of vectors, or flatten: sc.norm(sc.ravel(x), 1)", where=user_origin(),
        )  # fmt: skip
    size = absolute(x)
    if abs(ord) == float("inf"):
        return (max if ord > 0 else min)(size, axes, keepdims)
    if ord == 0:
        return cast(sum(not_equal(x, 0), axes, keepdims), x.dtype)
    return sum(size, axes, keepdims) if ord == 1 else power(sum(power(size, ord), axes, keepdims), 1 / ord)
