"""Cross-entropy of a softmax: the one loss whose direct composition would overflow and take a logarithm of 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symcnn.errors import DTypeError, ShapeError
from symcnn.ir.loops import INT, call
from symcnn.ir.op import Example, Op, builder
from symcnn.ir.types import shape_text
from symcnn.ir.variable import Variable, apply
from symcnn.ops.composite import softmax
from symcnn.ops.elementwise import as_variable, cast, equal
from symcnn.ops.fill import position_like
from symcnn.ops.shape import expand_dims


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Op):
    """``out[n, s] = log(sum_c exp(x[n, c, s])) - x[n, label[n, s], s]``."""

    checked_indices = (1,)
    images = (0,)
    image_result = False
    examples = (
        Example(((4, 5), (4,)), dtypes=("float", "int64"), integers={1: 5}),
        Example(((2, 3, 2, 4), (2, 2, 4)), dtypes=("float", "uint8"), integers={1: 3}),
        Example(((3, 1), (3,)), dtypes=("float", "int32"), integers={1: 1}),
        Example(((0, 3), (0,)), dtypes=("float", "int64"), integers={1: 3}),
        Example(((6, 4), (6,)), low=-50, high=50, dtypes=("float", "int64"), integers={1: 4}),
    )

    def infer(self, x, labels):
        if not x.is_float:
            raise DTypeError(
                "logits must be float",
                expected="float32 or float64",
                found=str(x),
                hint="convert them with .astype('float32')",
            )
        if labels.dtype.kind not in "iu":
            raise DTypeError("labels must be integers, the number of the right class", expected="an integer dtype", found=str(labels),
                             hint="for one-hot or soft targets use -sc.sum(t * sc.log_softmax(x, axis=1), axis=1)")  # fmt: skip
        if x.ndim < 2:
            raise ShapeError(
                "logits have a batch and a class axis",
                expected="(N, C) or (N, C, spatial ..)",
                found=shape_text(x.shape),
            )
        if x.shape[1] == 0:
            raise ShapeError("there is no class to choose", expected="C of at least 1", found=shape_text(x.shape))
        expected = (x.shape[0], *x.shape[2:])
        differ = [None not in (a, b) and a != b for a, b in zip(expected, labels.shape, strict=False)]
        if len(expected) != labels.ndim or any(differ):
            raise ShapeError("there must be one label for each row of logits", expected=f"labels of shape {shape_text(expected)}",
                             found=f"{shape_text(labels.shape)} with logits {shape_text(x.shape)}",
                             hint="integer labels, not one-hot vectors; the class axis of the logits is 1")  # fmt: skip
        return x.with_shape(a if a is not None else b for a, b in zip(expected, labels.shape, strict=True))

    def index_bound(self, position, x, labels):
        return 0, x.shape[1] - 1

    def reference(self, x, labels):
        label = np.expand_dims(np.clip(labels.astype(INT), 0, x.shape[1] - 1), 1)
        with np.errstate(all="ignore"):
            shifted = x - x.max(axis=1, keepdims=True)
            found = np.log(np.exp(shifted).sum(axis=1, keepdims=True)) - np.take_along_axis(shifted, label, 1)
        return found.squeeze(1)

    def pullback(self, inputs, output, cotangent):
        x, labels = inputs
        right = equal(position_like(x, 1), expand_dims(cast(labels, INT), 1))
        return (softmax(x, axis=1) - cast(right, x.dtype)) * expand_dims(cotangent, 1), None

    def nest(self, result, x, labels):
        n, *s = result.index
        largest = result.fold("max", [x.shape[1]], lambda c: x[(n, c, *s)])
        total = result.fold("sum", [x.shape[1]], lambda c: call("exp", x[(n, c, *s)] - largest))
        # A wrong label is an error at the call; here it must only not read beyond the row.
        label = call("maximum", call("minimum", labels[result.index].cast(INT), x.shape[1] - 1), 0)
        return call("log", total) - (x[(n, label, *s)] - largest)

    def flops(self, output, x, labels):
        return 4 * x.size


@builder("softmax_cross_entropy")
def softmax_cross_entropy(logits, labels) -> Variable:
    r"""The loss :math:`-\log \mathrm{softmax}(x)_t` of each row, stable at any size of the logits.

    Parameters
    ----------
    logits : Variable or array_like
        Shape (N, C) or (N, C, spatial ..), before the softmax.
    labels : Variable or array_like of integers
        Shape (N,) or (N, spatial ..): the number of the right class, 0 to C - 1.

    Returns
    -------
    Variable
        Shape of the labels. Its gradient is ``softmax(logits) - one_hot(labels)``.

    Raises
    ------
    ShapeError, DTypeError
        If the labels are not integers or do not fit the logits.
    InputError
        At the call, if a label is out of range.

    Examples
    --------
    >>> import symcnn as sc
    >>> x, t = sc.input("x", (None, 3)), sc.input("t", (None,), dtype="int64")
    >>> f = sc.function([x, t], sc.softmax_cross_entropy(x, t), device="reference")
    >>> f([[1000, 0, 0], [0, 0, 0]], [0, 1])
    array([0.       , 1.0986123], dtype=float32)
    """
    return apply(SoftmaxCrossEntropy(), as_variable(logits), as_variable(labels))
