"""Types that the kernels compute with."""

from __future__ import annotations


def one_precision(*types) -> bool:
    """Whether all have the same dtype, float32 or float64."""
    return len({t.dtype for t in types}) == 1 and types[0].dtype.name in ("float32", "float64")
