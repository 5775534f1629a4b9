"""Shareds and constants on a device: there once, whatever number of functions uses them.

The newest value of a Shared is either here or on the host. The Shared counts its changes: if that number has moved since
this device saw it, the host's value is taken over; a run that updates the Shared leaves word where its value is.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import finalize

if TYPE_CHECKING:
    from symcnn.backends.cuda.device import Device, Memory
    from symcnn.ir.variable import Constant, Shared


@dataclass(eq=False)
class Resident:
    """The memory of a Shared or a constant on one device.

    Attributes
    ----------
    memory : Memory
    seen : int
        The Shared's `changes` when this memory last held its value; -1 before.
    """

    memory: Memory
    seen: int = -1


class Residents:
    """What a device holds for all functions."""

    def __init__(self, device: Device):
        self._device = device
        self._of: dict[int, Resident] = {}  # by the identity of a Variable, for as long as that lives
        self._lock = threading.Lock()

    def _resident(self, variable: Shared | Constant) -> Resident:
        with self._lock:  # of two functions that are built at the same time, both get the same memory
            found = self._of.get(id(variable))
            if found is None:
                found = self._of[id(variable)] = Resident(self._device.allocate(variable.type.nbytes))
                finalize(variable, self._of.pop, id(variable), None)
            return found

    def constant(self, constant: Constant) -> Memory:
        """Memory that holds the value of a constant."""
        resident = self._resident(constant)
        if resident.seen < 0:
            self._device.upload(resident.memory, 0, constant.value)
            resident.seen = 0
        return resident.memory

    def shared(self, shared: Shared) -> Memory:
        """Memory for the value of a Shared; `refresh` brings it."""
        return self._resident(shared).memory

    def refresh(self, shared: Shared) -> None:
        """Bring the value of a Shared if somebody else has changed it."""
        resident = self._resident(shared)
        if resident.seen != shared.changes:
            seen, value = shared.changes, shared.storage
            self._device.upload(resident.memory, 0, value)
            resident.seen = seen

    def is_updated(self, shared: Shared) -> None:
        """Say that a run on this device has replaced the value of a Shared."""
        resident, device = self._resident(shared), self._device

        def bring(array):
            device.download(resident.memory, 0, array)

        resident.seen = shared.is_elsewhere(bring)
