"""Folds over axes: sums, products, extremes, norms, and running sums."""

from __future__ import annotations

import numpy as np

import symcnn as sc
from symcnn.interop.onnx.operators.operands import axis_of, integer, integers
from symcnn.interop.onnx.registry import operator
from symcnn.ir.variable import apply
from symcnn.ops.cumulative import CumSum


def _l2(x, axes, keepdims):
    return sc.sqrt(sc.sum(sc.square(x), axes, keepdims))


def _log_sum(x, axes, keepdims):
    return sc.log(sc.sum(x, axes, keepdims))


def _log_sum_exp(x, axes, keepdims):
    return _log_sum(sc.exp(x), axes, keepdims) if _nothing(x, axes) else sc.logsumexp(x, axes, keepdims)


def _max(x, axes, keepdims):
    return _of_nothing(x, axes, keepdims, _lowest(x.dtype)) if _nothing(x, axes) else sc.max(x, axes, keepdims)


def _min(x, axes, keepdims):
    return _of_nothing(x, axes, keepdims, _highest(x.dtype)) if _nothing(x, axes) else sc.min(x, axes, keepdims)


REDUCTIONS = {
    "ReduceSum": sc.sum,
    "ReduceMean": sc.mean,
    "ReduceProd": sc.prod,
    "ReduceMax": _max,
    "ReduceMin": _min,
    "ReduceL1": lambda x, axes, keepdims: sc.sum(abs(x), axes, keepdims),
    "ReduceL2": _l2,
    "ReduceSumSquare": lambda x, axes, keepdims: sc.sum(sc.square(x), axes, keepdims),
    "ReduceLogSum": _log_sum,
    "ReduceLogSumExp": _log_sum_exp,
}


def _reduced(function, node, x, axes=None):
    """The axes are an attribute or, in later opsets, an input; without any, all or none are meant."""
    given = integers(node.get("axes", ()) if axes is None else axes)
    if not given and not node.get("noop_with_empty_axes", 0):
        given = tuple(range(x.ndim))
    found = function(x, tuple(axis_of(axis, x.ndim) for axis in given), bool(node.get("keepdims", 1)))
    return sc.astype(found, x.dtype)


for _name, _function in REDUCTIONS.items():
    operator(_name, numbers=(1,))(lambda node, *inputs, function=_function: _reduced(function, node, *inputs))


def _nothing(x, axes) -> bool:
    return any(x.shape[axis] == 0 for axis in axes)


def _of_nothing(x, axes, keepdims, value):
    """An extreme of no elements: `sc.sum` gives the shape."""
    return sc.full_like(sc.sum(x, axes, keepdims), value, x.dtype)


def _lowest(dtype):
    return False if dtype.kind == "b" else -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype):
    return True if dtype.kind == "b" else np.inf if dtype.kind == "f" else np.iinfo(dtype).max


@operator("CumSum", numbers=(1,))
def cumulative_sum(node, x, axis):
    """With `exclusive` each sum is without the element itself: the elements move on by one place."""
    axis, reverse = axis_of(integer(axis), x.ndim), bool(node.get("reverse", 0))
    if node.get("exclusive", 0):
        before = [slice(None)] * axis
        nothing = sc.zeros_like(x[(*before, slice(0, 1))])
        rest = x[(*before, slice(1, None) if reverse else slice(0, -1))]
        x = sc.concat([rest, nothing] if reverse else [nothing, rest], axis)
    return apply(CumSum(axis, reverse), x)
