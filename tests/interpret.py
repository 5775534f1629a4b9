"""What a loop nest means, point by point in plain Python: the judge of every `Op.nest` before a backend exists."""

import itertools

import numpy as np

from symcnn.ir.graph import evaluate
from symcnn.ir.loops import Call, Const, Fold, Index, Load, Operand, Param, Result, Size
from symcnn.ir.types import TensorType
from symcnn.ir.variable import Constant, Shared
from symcnn.ops.elementwise import ROWS


def evaluate_graph(variable, values):
    """`variable` computed op by op with the NumPy references; `values` maps Inputs to arrays."""
    return evaluate([variable], values)[0]


def evaluate_nest(variable, values):
    """`variable`, one application of an op, computed by interpreting ``op.nest`` at every point.

    `values` maps the op's operands to arrays (Constants and Shareds bring their own). A load outside an array, or
    one of a shape-only operand, is an AssertionError, and so is an expression whose dtype is not what it says.
    """
    arrays = {x: _value_of(x, values) for x in variable.inputs}
    types = [TensorType(arrays[x].dtype, arrays[x].shape) for x in variable.inputs]
    inferred = variable.op.infer(*types)
    index = tuple(Index(f"i{k}") for k in range(variable.ndim))
    operands = [Operand(x, lambda index, x=x: Load(x, index)) for x in variable.inputs]
    body = variable.op.nest(Result(variable, index, 0), *operands)
    assert body.dtype == inferred.dtype, f"the nest is {body.dtype}, the op {inferred.dtype}"
    unreadable = {x for k, x in enumerate(variable.inputs) if k in variable.op.shape_only}
    unreadable -= {x for k, x in enumerate(variable.inputs) if k not in variable.op.shape_only}
    shapes = {**{x: a.shape for x, a in arrays.items()}, variable: inferred.shape}
    params = variable.op.parameters(*types)
    run = _Interpreter(arrays, shapes, {variable: params}, unreadable)
    result = np.empty(inferred.shape, inferred.dtype)
    with np.errstate(all="ignore"):
        for point in itertools.product(*map(range, inferred.shape)):
            counters = {i.axis: p for i, p in zip(index, point, strict=True)}
            result[point] = run.value(body, counters)
    return result


def _value_of(x, values):
    if x in values:
        return np.asarray(values[x])
    if isinstance(x, Constant):
        return x.value
    assert isinstance(x, Shared), f"no value for {x!r}"
    return x.storage


class _Interpreter:
    def __init__(self, arrays, shapes, params, unreadable):
        self.arrays, self.shapes, self.params, self.unreadable = arrays, shapes, params, unreadable

    def value(self, expr, counters):
        """`expr` as a NumPy scalar of its dtype, with the loop counters at `counters`."""
        return getattr(self, type(expr).__name__.lower())(expr, counters)

    def const(self, expr: Const, counters):
        return expr.dtype.type(expr.value)

    def index(self, expr: Index, counters):
        return np.int64(counters[expr.axis])

    def size(self, expr: Size, counters):
        return np.int64(self.shapes[expr.variable][expr.dimension])

    def param(self, expr: Param, counters):
        return np.int64(self.params[expr.variable][expr.position])

    def load(self, expr: Load, counters):
        assert expr.variable not in self.unreadable, f"{expr.variable!r} was given for its shape alone"
        array = self.arrays[expr.variable]
        index = tuple(int(self.value(i, counters)) for i in expr.index)
        assert all(0 <= i < d for i, d in zip(index, array.shape, strict=True)), (
            f"load at {index} outside {array.shape}"
        )
        return array[index]

    def call(self, expr: Call, counters):
        if expr.function == "guard":  # the branch not taken may be out of bounds
            condition, taken, other = expr.args
            found = self.value(taken if self.value(condition, counters) else other, counters)
            assert found.dtype == expr.dtype, f"a branch is {found.dtype}, the choice {expr.dtype}"
            return found
        args = [self.value(a, counters) for a in expr.args]
        if expr.function == "cast":
            return args[0].astype(expr.dtype)
        return np.asarray(ROWS[expr.function].numpy(*args)).astype(expr.dtype)[()]

    def fold(self, expr: Fold, counters):
        extents = [int(self.value(axis.extent, counters)) for axis in expr.axes]
        names = [axis.name for axis in expr.axes]
        points = itertools.product(*map(range, extents))
        values = [self.value(expr.body, {**counters, **dict(zip(names, p, strict=True))}) for p in points]
        if expr.kind.startswith("arg"):
            return expr.dtype.type(getattr(np, expr.kind)(values))  # NaN wins, ties go to the first
        combine, start = _FOLDS[expr.kind]
        total = start(expr.dtype)
        for value in values:
            total = combine(total, value.astype(expr.dtype)).astype(expr.dtype)
        return total


def _lowest(dtype):
    return dtype.type(-np.inf) if dtype.kind == "f" else dtype.type(np.iinfo(dtype).min if dtype.kind in "iu" else 0)


def _highest(dtype):
    return dtype.type(np.inf) if dtype.kind == "f" else dtype.type(np.iinfo(dtype).max if dtype.kind in "iu" else 1)


_FOLDS = {
    "sum": (np.add, lambda dtype: dtype.type(0)),
    "prod": (np.multiply, lambda dtype: dtype.type(1)),
    "max": (np.maximum, _lowest),
    "min": (np.minimum, _highest),
    "any": (np.logical_or, lambda dtype: dtype.type(0)),
    "all": (np.logical_and, lambda dtype: dtype.type(1)),
}
