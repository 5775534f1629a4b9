"""Outputs of several batches as those of one: arrays, and tuples, lists and dicts of them."""

from __future__ import annotations

from typing import Any

import numpy as np


def joined(batches: list) -> Any:
    """The examples of all `batches`, one after the other, in the form that each of them has.

    Examples
    --------
    >>> joined([np.array([1, 2]), np.array([3])])
    array([1, 2, 3])
    >>> joined([(np.array([1, 2]), np.array([5, 6])), (np.array([3]), np.array([7]))])
    (array([1, 2, 3]), array([5, 6, 7]))
    """
    first = batches[0]
    if len(batches) == 1:
        return first
    if isinstance(first, dict):
        return {name: joined([batch[name] for batch in batches]) for name in first}
    if isinstance(first, (tuple, list)):
        return type(first)(joined(list(parts)) for parts in zip(*batches, strict=True))
    return np.concatenate(batches)
