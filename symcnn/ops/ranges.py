"""Constants that are made from a few numbers: ranges, and the unit matrix."""

from __future__ import annotations

import numpy as np

from symcnn.config import config
from symcnn.errors import DTypeError, InputError, ShapeError
from symcnn.ir.op import builder
from symcnn.ir.variable import Constant, Variable, constant, user_origin


@builder("arange")
def arange(start, stop=None, step=1, dtype=None) -> Constant:
    """Numbers from `start` up to but without `stop`, or from 0 to the only one given.

    int64, or float32 (``config.default_dtype``) if one of them is a float, unless `dtype` is given.

    Raises
    ------
    DTypeError
        If one is no number: the size of a range is known when the expression is built.
    InputError
        If `step` is 0.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.arange(3).value, sc.arange(1, 2, 0.5).value
    (array([0, 1, 2]), array([1. , 1.5], dtype=float32))
    """
    numbers = [start, step] if stop is None else [start, stop, step]
    _check_numbers("arange", numbers, "while a size is unknown, sc.position_like(x, axis) counts along an axis")
    if step == 0:
        raise InputError("arange: the step is 0", where=user_origin())
    floats = any(isinstance(v, (float, np.floating)) for v in numbers)
    if dtype is None:
        dtype = config.default_dtype if floats else "int64"
    first, last = (0, start) if stop is None else (start, stop)
    return constant(np.arange(first, last, step), dtype)


@builder("linspace")
def linspace(start, stop, num=50, endpoint=True, dtype=None) -> Constant:
    """`num` numbers at equal distances from `start` to `stop`, which is one of them unless `endpoint` is false.

    float32 (``config.default_dtype``) unless `dtype` is given.

    Raises
    ------
    DTypeError
        If one is no number.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.linspace(0, 1, 5).value
    array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    _check_numbers("linspace", [start, stop], "a symbolic range: start + (stop - start) * sc.linspace(0, 1)")
    return constant(np.linspace(start, stop, _size("linspace", num), endpoint), dtype or config.default_dtype)


@builder("eye")
def eye(n, m=None, k=0, dtype=None) -> Constant:
    """The matrix (n, m) with ones on its diagonal, the k-th above the main one; square unless `m` is given.

    float32 (``config.default_dtype``) unless `dtype` is given.

    Examples
    --------
    >>> import symcnn as sc
    >>> sc.eye(2, 3, k=1).value
    array([[0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    rows = _size("eye", n)
    return constant(np.eye(rows, None if m is None else _size("eye", m), k), dtype or config.default_dtype)


def _check_numbers(what, values, hint):
    for v in values:
        if isinstance(v, Variable) or not isinstance(v, (int, float, np.integer, np.floating)):
            raise DTypeError(f"{what} takes numbers", found=repr(v), where=user_origin(), hint=hint)


def _size(what, value) -> int:
    if isinstance(value, Variable) or not hasattr(value, "__index__") or value < 0:
        raise ShapeError(f"{what}: a size is an integer of at least 0", found=repr(value), where=user_origin())
    return value.__index__()
