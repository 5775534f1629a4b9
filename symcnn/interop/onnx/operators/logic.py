"""Comparisons, logic and choices, element by element."""

from __future__ import annotations

import symcnn as sc
from symcnn.interop.onnx.operators.operands import aligned
from symcnn.interop.onnx.registry import operator

OF_TWO = {
    "Equal": sc.equal, "Greater": sc.greater, "GreaterOrEqual": sc.greater_equal, "Less": sc.less,
    "LessOrEqual": sc.less_equal, "And": sc.logical_and, "Or": sc.logical_or, "Xor": sc.logical_xor,
}  # fmt: skip

for _name, _function in OF_TWO.items():
    operator(_name)(lambda node, x, y, function=_function: function(x, aligned(node, x, y)))


@operator("Not")
def negation(node, x):
    return sc.logical_not(x)


@operator("Where")
def where(node, condition, x, y):
    return sc.where(condition, x, y)


@operator("IsNaN")
def is_nan(node, x):
    return sc.isnan(x)


@operator("IsInf")
def is_inf(node, x):
    found = sc.isinf(x)
    if not node.get("detect_negative", 1):
        found = sc.logical_and(found, x > 0)
    return found if node.get("detect_positive", 1) else sc.logical_and(found, x < 0)
