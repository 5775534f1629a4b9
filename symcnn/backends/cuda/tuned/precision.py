"""What the kernels can compute with, and how many numbers they load at once."""

from __future__ import annotations

import numpy as np

from symcnn.schedule.plan import View

VECTOR = 4


def one_precision(*types) -> bool:
    """Whether all have the same dtype, float32 or float64."""
    return len({t.dtype for t in types}) == 1 and types[0].dtype.name in ("float32", "float64")


def may_be_wide(count: int | None, dtype: str) -> tuple[bool, ...]:
    """Whether neighbours can be loaded four at a time, as far as their number says; both, if it is not known."""
    if dtype != "float32":
        return (False,)
    return (True, False) if count is None else (count % VECTOR == 0,)


def is_wide(count: int, view: View, axis: int = -1) -> bool:
    """Whether so many neighbours along an axis of `view` can be loaded four at a time, wherever the others lead."""
    others = [stride for k, stride in enumerate(view.strides) if k != axis % len(view.strides)]
    aligned = view.offset % (VECTOR * view.dtype.itemsize) == 0 and all(stride % VECTOR == 0 for stride in others)
    dense = view.strides[axis] == 1 and aligned
    return view.dtype == np.dtype("float32") and count % VECTOR == 0 and dense
