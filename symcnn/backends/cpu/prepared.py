"""Weights in the order that a kernel likes, made once and kept until the weights change.

A convolution of a few images spends more time on packing its weights than on using them. In training that cannot be
helped, for every step brings new ones; afterwards they stay.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

import numpy as np

from symcnn.backends.cpu.launch import Launch
from symcnn.ir.variable import Constant, Shared

LARGEST = 64 * 2**20  # bytes; larger weights, of dense layers, are not worth having twice


class Prepared:
    """What a launch makes of a leaf.

    Attributes
    ----------
    leaf : Constant or Shared
    memory : numpy.ndarray
        Bytes.
    made_of : int or None
        The leaf's `changes` when it was made, ``None`` before.
    """

    def __init__(self, leaf: Constant | Shared, memory: np.ndarray):
        self.leaf, self.memory, self.made_of = leaf, memory, None

    @property
    def is_current(self) -> bool:
        return self.made_of == _changes(self.leaf)

    def is_made(self) -> None:
        """Remember that the memory now holds what the leaf's value leads to."""
        self.made_of = _changes(self.leaf)


def _changes(leaf) -> int:
    return leaf.changes if isinstance(leaf, Shared) else 0


# All functions and batch sizes that want the same of a leaf share it. A key has the leaf's id: it dies with the Prepared,
# which keeps the leaf alive.
_prepared: WeakValueDictionary[tuple, Prepared] = WeakValueDictionary()


def prepared(launch: Launch, leaf: Constant | Shared, allocate) -> Prepared:
    """The place for what `launch` makes of `leaf`; ``allocate(bytes)`` makes a new one."""
    source = launch.operands[0]
    key = (id(leaf), launch.kernel, launch.tasks, source.offset, launch.sizes)
    found = _prepared.get(key)
    if found is None:
        found = _prepared[key] = Prepared(leaf, allocate(launch.prepares))
    return found
