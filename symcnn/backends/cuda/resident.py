"""Shareds and constants on a device: there once, whatever number of functions uses them.

The newest value of a Shared is either here or on the host. The Shared counts its changes: if that number has moved since
this device saw it, the host's value is taken over; a run that updates the Shared leaves word where its value is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from symcnn.backends.cuda.device import Device, Memory
    from symcnn.ir.variable import Constant, Shared


@dataclass(eq=False)
class Resident:
    """A Shared's memory on one device.

    Attributes
    ----------
    memory : Memory
    seen : int
        The Shared's `changes` when this memory last held its value.
    """

    memory: Memory
    seen: int = -1


class Residents:
    """What a device holds for all functions."""

    def __init__(self, device: Device):
        self._device = device
        self._shareds: WeakKeyDictionary[Shared, Resident] = WeakKeyDictionary()
        self._constants: WeakKeyDictionary[Constant, Memory] = WeakKeyDictionary()

    def constant(self, constant: Constant) -> Memory:
        """Memory that holds the value of a constant."""
        if constant not in self._constants:
            memory = self._device.allocate(constant.value.nbytes)
            self._device.upload(memory, 0, constant.value)
            self._constants[constant] = memory
        return self._constants[constant]

    def shared(self, shared: Shared) -> Memory:
        """Memory for the value of a Shared; `refresh` brings it."""
        return self._resident(shared).memory

    def _resident(self, shared: Shared) -> Resident:
        if shared not in self._shareds:
            self._shareds[shared] = Resident(self._device.allocate(shared.type.nbytes))
        return self._shareds[shared]

    def refresh(self, shared: Shared) -> None:
        """Bring the value of a Shared if somebody else has changed it."""
        resident = self._resident(shared)
        if resident.seen != shared.changes:
            seen, value = shared.changes, shared.storage
            self._device.upload(resident.memory, 0, value)
            resident.seen = seen

    def is_updated(self, shared: Shared) -> None:
        """Say that a run on this device replaces the value of a Shared."""
        resident, device = self._resident(shared), self._device

        def bring(array):
            device.download(resident.memory, 0, array)

        shared.is_elsewhere(bring)
        resident.seen = shared.changes
