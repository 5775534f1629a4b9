"""A plan on a device: memory at addresses that never change, and calls recorded once and replayed."""

from __future__ import annotations

import threading
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from symcnn.backends.cuda.array import DeviceArray, is_contiguous
from symcnn.backends.cuda.device import Call, Memory
from symcnn.backends.cuda.launch import Launch
from symcnn.errors import ShapeError
from symcnn.ir.types import shape_text
from symcnn.ir.variable import Variable
from symcnn.schedule.memory import ALIGNMENT
from symcnn.schedule.plan import WORKSPACE, Plan

if TYPE_CHECKING:
    from symcnn.backends.cuda.backend import CudaBackend

MOST_ELEMENTS = 2**31 - 1  # kernels count in 32 bits

# Bytes of arrays on the device that are copied to where the recording reads; kernels that read more of them where they lie
# are asked for one by one, which takes less time than to copy that much.
MOST_COPIED = 2**24

lock = threading.RLock()  # functions may share parameters: one call at a time reads and updates them


class CudaExecutable:
    """A plan bound to a device."""

    def __init__(self, backend: CudaBackend, plan: Plan):
        self.plan, self._device, self._residents = plan, backend.device, backend.residents
        _check_sizes(plan)
        steps = [backend.launches(plan, step) for step in plan.steps]
        self.scratch_bytes = max((_end(view) for step in steps for l in step for view in l.operands), default=0)
        self._device.compile(l.kernel for step in steps for l in step)
        self._scratch = self._device.allocate(self.scratch_bytes)
        self._arena = self._device.allocate(plan.memory.arena_bytes)
        self._memory = [self._place(b) for b in plan.buffers]
        self._steps = [[l for l in step if prod(l.grid)] for step in steps]
        self._inputs = [(k, b.variable) for k, b in enumerate(plan.buffers) if b.kind == "input"]
        self._own = {k: self._memory[k] for k, _ in self._inputs}
        self._state, self._late = plan.state, plan.late_updates

    def _place(self, buffer) -> tuple[Memory, int]:
        """The memory of a buffer, and where it begins."""
        if buffer.kind == "temporary":
            return self._arena, buffer.offset
        if buffer.kind == "constant":
            return self._residents.constant(buffer.variable), 0
        if buffer.kind in ("shared", "update"):
            return self._residents.shared(buffer.home if buffer.kind == "update" else buffer.variable), 0
        return self._device.allocate(buffer.nbytes), 0

    def _call(self, launch: Launch) -> Call:
        pointers = []
        for view in launch.operands:
            memory, start = (self._scratch, 0) if view.buffer == WORKSPACE else self._memory[view.buffer]
            pointers.append((memory, start + view.offset))
        return Call(launch.kernel, tuple(pointers), launch.sizes, launch.grid)

    # ---- running it

    def run(self, values, observe=None):
        with lock:
            on_device = [a for a in values.values() if isinstance(a, DeviceArray)]
            in_place = sum(a.nbytes for a in on_device) > MOST_COPIED
            self._bring(values, in_place)
            try:
                if observe is not None:
                    for number in range(len(self.plan.steps)):
                        observe(number, lambda number=number: self._run_step(number))
                elif in_place:
                    for launch in (l for step in self._steps for l in step):
                        self._device.launch(self._call(launch))
                else:
                    self._recording()
                return self._results(bool(on_device))
            finally:  # not before: who asks for a value meanwhile would take the old one for the new
                for shared in self.plan.program.updates:
                    self._residents.is_updated(shared)
                self._memory = [self._own.get(k, at) for k, at in enumerate(self._memory)]  # what was lent is let go

    def _bring(self, values, in_place: bool):
        """State that others have changed, and this call's inputs; `in_place`: those on the device are read where they lie."""
        for shared in self._state:
            self._residents.refresh(shared)
        for number, variable in self._inputs:
            array, own = values[variable], self._own[number]
            if not isinstance(array, DeviceArray):
                self._device.upload(*own, np.ascontiguousarray(array))
                continue
            array.wait(self._device)
            if in_place and (array.memory.address + array.offset) % ALIGNMENT == 0:
                self._memory[number] = array.memory, array.offset
            else:
                self._device.copy(*own, array.memory, array.offset, array.nbytes)

    @cached_property
    def _recording(self):
        """What runs all steps."""
        return self._device.record([self._call(l) for step in self._steps for l in step])

    def _run_step(self, number):
        for launch in self._steps[number]:
            self._device.launch(self._call(launch))
        self._device.synchronize()

    def _results(self, stays: bool):
        found = [self._copy(v) if stays else self.value(v) for v in self.plan.program.outputs]
        news = [self._copy(v) for _, v in self._late]
        for (shared, _), new in zip(self._late, news, strict=True):
            self._device.copy(self._residents.shared(shared), 0, new.memory, new.offset, shared.type.nbytes)
        return found

    def _copy(self, variable: Variable) -> DeviceArray:
        """What a Variable in memory holds now, in memory of its own."""
        view = self.plan.view(variable)
        memory, start = self._memory[view.buffer]
        nbytes = prod(view.shape) * view.dtype.itemsize
        target = self._device.allocate(nbytes)
        if is_contiguous(view.shape, view.strides):
            self._device.copy(target, 0, memory, start + view.offset, nbytes)
        else:
            self._device.upload(target, 0, self.value(variable))
        return DeviceArray(view.shape, view.dtype, target, 0, self._device)

    def value(self, variable: Variable) -> np.ndarray:
        view = self.plan.view(variable)
        memory, start = self._memory[view.buffer]
        if is_contiguous(view.shape, view.strides):
            array = np.empty(view.shape, view.dtype)
            self._device.download(memory, start + view.offset, array)
            return array
        whole = np.empty(self.plan.buffers[view.buffer].nbytes, np.uint8)
        self._device.download(memory, start, whole)
        strides = tuple(s * view.dtype.itemsize for s in view.strides)
        return np.ndarray(view.shape, view.dtype, whole, view.offset, strides).copy()


def _end(view) -> int:
    """Bytes of the workspace up to the end of a view of it."""
    if view.buffer != WORKSPACE:
        return 0
    return -(-(view.offset + prod(view.shape) * view.dtype.itemsize) // ALIGNMENT) * ALIGNMENT


def _check_sizes(plan: Plan):
    for buffer in plan.buffers:
        type = plan.types[buffer.variable]
        if type.size > MOST_ELEMENTS:
            raise too_many(buffer.variable, f"{type.size:,}: {shape_text(type.shape)}")


def too_many(variable: Variable, found: str) -> ShapeError:
    """What to raise about a Variable that is, or goes through, more than `MOST_ELEMENTS`."""
    return ShapeError(
        f"{variable!r} has too many elements for a GPU kernel", where=variable.origin,
        expected=f"at most {MOST_ELEMENTS:,}", found=found, hint="use a smaller batch",
    )  # fmt: skip
